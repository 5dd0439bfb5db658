"""Large orders at work over the desk. The algorithms are `modules/live/algorithms/`, and know no desk.

`floor.py` hands them the news and their orders to the desk; `remote.py` does so from a process of its own.
"""
