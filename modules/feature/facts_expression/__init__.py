"""A signal in the language that reads facts."""
