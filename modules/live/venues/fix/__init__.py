"""FIX 4.4. `codec.py`: bytes and messages; `session.py`: numbers, heartbeats and gaps, without a socket; `words.py`:
orders and executions in tags; `report.py`: what the venue has; `venue.py`: the socket and the threads.
"""
