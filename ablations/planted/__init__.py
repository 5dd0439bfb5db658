"""Simulated markets whose truth is known: what predicts returns in them, and by how much, is written here."""
