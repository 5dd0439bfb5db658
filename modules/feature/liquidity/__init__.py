"""Liquidity and volume."""
