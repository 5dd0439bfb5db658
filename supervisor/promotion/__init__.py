"""Promotion: what a run must show before it goes on, the one look at the lockbox, the decision and its record."""
