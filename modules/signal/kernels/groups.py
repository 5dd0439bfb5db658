"""Operators that compare symbols within groups, or net of other variables."""
