"""The desk: manages the orders of one account, keeps its journal, and asks the risk core, which alone sends.

`desk.py` is order management, `port.py` what it needs of the risk core's client, `control.py` the socket by which
viewers and the API see orders and give some by hand.
"""
