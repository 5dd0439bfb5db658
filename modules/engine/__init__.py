"""The bar engine: targets to orders, risk decision, next-bar fills, exact accounts.

Read `bars.py` first, then `loop.py` (the loop, which names its phases), `risk.py` (what may trade), `costs.py`,
`accounting.py` (money as integers), `result.py` (tables) and `metrics.py`. `strategy.py` puts a decision into the loop,
`sweep.py` keeps many simple accounts for screening. `weights.py` and `evidence.py` hold the reference sizing and the
judgement of a signal.
Nothing is imported here: numba is loaded where a kernel is.
"""
