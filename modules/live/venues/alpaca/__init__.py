"""Alpaca: orders over REST (alpaca-py's client), what becomes of them over the `trade_updates` WebSocket.

`rest.py`: requests, and what their failures mean; `words.py`: orders and
updates in their JSON; `quotes.py`: reference prices; `venue.py`: the threads.
"""
