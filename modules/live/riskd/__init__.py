"""The risk core's process, which alone opens a venue, and the connection of whoever asks it.

Read `docs/riskd.md`, then `config.py` (what one account is), `latch.py` (the kill switch), `heard.py` and `account.py`
(what is known of the account, and what the venue has), `standing.py` (whether both agree), `days.py`, `rulings.py`
(what is done with what is asked), `recall.py` (the same after a restart), `flatten.py` (closing everything),
`peers.py`, `server.py` and `start.py` (the process), `client.py` (whoever asks), `killing.py` (the switch from
outside), `state.py` (what it says of itself), `proposed.py` (an account's file from a run).
"""
