"""Low volatility."""
