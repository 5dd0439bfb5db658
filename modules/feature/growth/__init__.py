"""Companies that grow their profits and not their balance sheets."""
