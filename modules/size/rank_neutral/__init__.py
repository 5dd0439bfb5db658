"""Dollar-neutral rank weights."""
