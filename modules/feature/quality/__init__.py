"""Companies that earn much on what they hold."""
