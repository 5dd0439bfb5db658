"""Prices that are low for what a company owns and earns."""
