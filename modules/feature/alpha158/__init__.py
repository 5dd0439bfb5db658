"""qlib's Alpha158 set."""
