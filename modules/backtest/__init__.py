"""Judge a signal at a reference sizing, with costs."""
