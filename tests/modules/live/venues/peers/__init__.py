"""Servers that speak what the real venues document, on loopback, with the faults that they are known for."""
