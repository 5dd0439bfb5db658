"""From target weights to venues, by a live clock: the risk core, and what reaches a venue only through it.

`messages.py` is the vocabulary. `risk/` decides, `orders/` is what is known of an order; both are pure. `riskd/` is the
risk core's process and the only one that opens a venue of `venues/`; `desk/` manages orders, keeps the journal
(`journal/`) and asks `riskd/`; `runner/` turns bars into orders and records the tape that a replay reads. `feeds/` are
market data, `algorithms/` work large orders over the desk, `analysis/` says afterwards what a day cost and can lose.
"""
