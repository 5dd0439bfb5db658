"""Quality rules: they flag, and repair only what a setting declares."""
