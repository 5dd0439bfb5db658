"""The risk core: a process of its own, which alone speaks with a venue.

Read `docs/risk.md`, then `rules.py` (what may be answered, in order of precedence), `limits.py` (constants that nothing
loosens), `layout.py` and `kernel.py` (the decision, compiled), `core.py` (the account it decides on), `wire.py`,
`server.py` and `client.py` (the process and who asks it), `latch.py` (the kill switch).
"""
