"""Order management: an order's life as a table, the book of all orders, and its agreement with the venue.

Read `states.py` (the table), `order.py` (one order and what is heard of it), `book.py` (all of them, by client id) and
`reconcile.py` (what the venue says after a restart). Nothing here has a clock, a socket or a disk.
"""
