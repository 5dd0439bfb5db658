"""Where code that nobody has reviewed may run: a port, and what stands behind it."""
