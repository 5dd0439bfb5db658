"""The event engine: exchange, orders, account and risk decision over a stream of bars, quotes, trades and depth.

Read `docs/engine.md`, then `events.py` and `readers.py` (what comes in), `orders.py` (an order's life), `clock.py`
(what happens next), `exchange.py` with `matching.py`, `queue.py` and `barmatch.py` (the venue), `desk.py`,
`booking.py` and `account.py` (the strategy's side), `view.py` and `strategy.py` (strategies), `replay.py` (a run),
`logs.py` (tables). Nothing is imported here: numba is loaded where a kernel is.
"""
