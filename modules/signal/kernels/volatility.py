"""Volatility and liquidity as bars alone can tell them."""
