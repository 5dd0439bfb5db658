"""Interactive Brokers, over the socket of Trader Workstation or IB Gateway, with ib_async's client and decoder.

`words.py`: orders and executions in its words; `ears.py`: what the client's decoder calls; `orders.py`: what is known
of each order; `executions.py`: fills, their fees and corrections; `quotes.py`: reference prices; `asking.py`: the lists
that are asked for; `report.py`: what they say; `venue.py`: the thread in which the client lives.
"""
