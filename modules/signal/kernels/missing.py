"""Operators for data with holes."""
