"""Rank weights scaled to a target volatility."""
