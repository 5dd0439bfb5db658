"""What a backtest does at a bar, done at a closing bar by a live clock, with an account that the venue keeps.

`decide.py`: the bars so far to targets, through the stage modules. `account.py`: the engine's own account, fed by the
venue's news, and its own decision on targets. `kernel.py` is that decision, compiled. `docs/live.md` has all files.
"""
