"""Paper: orders that fill against the market as a feed shows it, with the backtest's costs, and reach nobody.

`matching.py` is the account and what fills, without clock, disk or socket, `charges.py` what that costs; `venue.py` is
the venue, which reads the feed and records the account, so that it outlives the process; `opening.py` its options.
"""
