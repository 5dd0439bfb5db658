"""Crypto through ccxt: Bybit's USDT perpetuals. ccxt signs, counts and sends requests; news come by Bybit's own stream.

`rest.py`: requests, and what their failures mean; `words.py`: orders, executions and positions in Bybit's JSON;
`quotes.py`: reference prices; `venue.py`: the threads.
"""
