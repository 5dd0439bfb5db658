"""Large orders at work over the desk. The algorithms are `modules/live/algorithms/`, and know no desk.

`floor.py` hands them the news and their orders to the desk. `work.py` does so from a process of its own, through the
desk's socket (`remote.py`), by what the market trades (`counter.py`); `kept.py` is the order on disk until it ends.
"""
