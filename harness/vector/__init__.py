"""The vector layer: vectorbt's account of the same targets, as a quick look and as an independent check.

`account.py` is vectorbt's account, `frictionless.py` the bar engine with nothing in the way of a trade (both agree to
`TOLERANCE`), `ladder.py` switches frictions on one at a time, `gap.py` compares with a recorded run, `screen.py` looks
at many signals at once. vectorbt is imported where an account is kept, nowhere else: it takes seconds.
"""
