"""Turn a signal into target weights."""
