"""Mines the traces, proposes patches, submits what the gate ships, and lets a human decide."""
