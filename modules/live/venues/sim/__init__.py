"""The simulated exchange: a server with the backtest's matching, and the venue that speaks to it over TCP.

`bars.py` matches on bars as the backtest does, `orders.py` keeps the account's orders, `server.py` is the exchange,
`client.py` the venue, `protocol.py` what they say to each other.
"""
