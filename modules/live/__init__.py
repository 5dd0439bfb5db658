"""From target weights to venues, by a live clock: the risk core, and what reaches a venue only through it.

`messages.py` is the vocabulary, `wire.py` its frames on a socket, `units.py` the units of its figures, `refused.py`
what is said of wrong settings, `place.py` where an account's files and sockets lie. `risk/` decides, `orders/` is what
is known of an order, `algorithms/` how a large one is worked; all three are pure. `riskd/` is the risk core's process
and the only one that opens a venue of `venues/`; `desk/` manages orders, keeps the journal (`journal/`) and asks
`riskd/`. `feeds/` are market data; `runner/` turns bars into orders and records the tape that a replay reads;
`working/` runs algorithms over the desk. `watch/` looks on from outside, and `analysis/` says afterwards what a day
cost and can lose. `docs/architecture.md` has who may import whom.
"""
