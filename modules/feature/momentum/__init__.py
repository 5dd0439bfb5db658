"""Momentum of months."""
