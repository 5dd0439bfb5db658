"""Drafters behind one port: they turn a hypothesis into a reading and candidate signals."""
