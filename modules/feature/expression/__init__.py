"""A signal in the language."""
