"""Return seasonality."""
