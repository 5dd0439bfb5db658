"""The decision on an order. Pure: the process around it is `modules/live/riskd/`.

Read `docs/risk.md`, then `rules.py` (what may be answered, in order of precedence), `limits.py` (constants that nothing
loosens), `layout.py` and `kernel.py` (the decision, compiled), `held.py` (the account), `holdings.py` (what changes it)
and `core.py` (the decision on its orders).
"""
