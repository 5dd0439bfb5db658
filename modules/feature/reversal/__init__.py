"""Short-term reversal."""
