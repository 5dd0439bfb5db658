"""The order journal: every message that matters, in order, durable in groups, chained and signed for.

`port.py` says what a journal is; each store beside it is one, and passes the same conformance suite.
"""
