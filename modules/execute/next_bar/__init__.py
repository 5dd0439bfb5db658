"""Simulated execution at the next bar."""
