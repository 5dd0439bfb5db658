"""Returns of trading at random on a real market, compiled: what a setting that does nothing adds to an arm."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from modules.jit import kernel
from modules.panel import FloatArray


@kernel
def trading(centred: FloatArray, tasks: int, gross: float, hold: int, rng: Generator) -> FloatArray:
    """`[K, T]` returns of random dollar-neutral weights on `centred` `[T, N]`, held for `hold` bars.

    Half of a weight is common to all tasks. A task's absolute weights sum to `gross` (share of NAV).
    """
    bars, symbols = centred.shape
    out = np.zeros((tasks, bars))
    common = np.empty(symbols)
    weight = np.empty(symbols)
    for first in range(0, bars, hold):
        last = min(first + hold, bars)
        for n in range(symbols):
            common[n] = rng.random()
        for k in range(tasks):
            mean = 0.0
            for n in range(symbols):
                weight[n] = common[n] + rng.random()
                mean += weight[n]
            mean /= symbols
            size = 0.0
            for n in range(symbols):
                weight[n] -= mean
                size += abs(weight[n])
            scale = gross / size if size > 0.0 else 0.0
            for t in range(first, last):
                total = 0.0
                for n in range(symbols):
                    total += weight[n] * centred[t, n]
                out[k, t] = scale * total
    return out
