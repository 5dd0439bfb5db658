"""Channels around the price."""
