"""The risk core's process, which alone opens a venue, and the connection of whoever asks it.

Read `docs/riskd.md`, then `config.py` (what one account is), `latch.py` (the kill switch), `account.py` (what is known
of the account: what went out and the venue's news), `rulings.py` (what is done with what is asked), `memory.py` (the
same after a restart), `flatten.py` (closing everything), `server.py` (the process) and `client.py` (whoever asks).
"""
