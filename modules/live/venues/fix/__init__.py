"""FIX 4.4. `codec.py`: bytes and messages; `session.py`: numbers, heartbeats and gaps, without a socket; `words.py`:
orders and executions in tags; `orders.py`: what a cancel has to know; `quotes.py`: reference prices; `report.py`: what
the venue has; `venue.py`: the socket and the threads.
"""
