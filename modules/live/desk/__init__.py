"""The desk: manages the orders of one account, keeps its journal, and asks the risk core, which alone sends.

`desk.py` is order management: `outcome.py` is what it answers, `record.py` its journal, `learned.py` what only a report
of the venue told, `acceptance.py` a human's word on the account, `port.py` what it needs of the risk core's client.
`control.py` is the socket by which viewers and the API see orders and give some by hand, `asking.py` its messages,
`client.py` its other end. `collector.py` keeps garbage collection off the path of orders.
"""
