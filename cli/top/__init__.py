"""The terminal screen (`cws top`): `panels.py` says what stands on it, `screen.py` draws it."""
