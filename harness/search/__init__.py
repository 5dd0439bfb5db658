"""Search of settings and of placeholders in a signal, on discovery data, every trial counted."""
