"""The HTTP API (`cws api`): what was researched, what is traded and where risk stands, for programs with a token.

`app.py` puts it together. `gate.py` is before every route: who asks, how often, how much. `research.py` and
`pipelineruns.py` answer from what was recorded; `orders.py`, `account.py` and `stream.py` from the desk and the risk
core, over their sockets and as nobody else: an order sent here is ruled on like any other. `faults.py` is how every
error looks.
"""
