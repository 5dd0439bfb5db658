"""Histories that might have been: stationary blocks of a series, and what they would have paid.

The stationary bootstrap (D. Politis, J. Romano, 1994): blocks start uniformly, lengths are geometric, time wraps
around. The only random input is `rng.random()` of NumPy's PCG64; sums run in the order written; equal seeds give equal
bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from modules.jit import kernel
from modules.panel import FloatArray, IntArray

SHORTEST_BLOCK_BARS = 20
"""A month: the automatic length sees no dependence in returns whose variance clusters."""


def block_bars(returns: FloatArray) -> int:
    """Mean block length: automatic (D. Politis, H. White 2004, corrected 2009, from `arch`), at least a month, at most
    an eighth of the series."""
    from arch.bootstrap import optimal_block_length

    found = float(optimal_block_length(returns)["stationary"].iloc[0]) if np.ptp(returns) > 0.0 else 0.0
    longest = max(1, returns.size // 8)
    return min(max(SHORTEST_BLOCK_BARS, math.ceil(found) if math.isfinite(found) else 0), longest)


@kernel
def shuffled_blocks(count: int, mean_block: float, rng: Generator) -> IntArray:
    """A permutation of `count` rows that keeps blocks of geometric length together, cut from a circle at a random
    place and put in random order. Each row stands exactly once."""
    starts = np.empty(count, dtype=np.int64)
    lengths = np.empty(count, dtype=np.int64)
    blocks = 0
    at = 0
    while at < count:
        length = 1
        while rng.random() >= 1.0 / mean_block and at + length < count:
            length += 1
        starts[blocks] = at
        lengths[blocks] = length
        blocks += 1
        at += length
    origin = int(rng.random() * count)
    for k in range(blocks - 1, 0, -1):
        j = int(rng.random() * (k + 1))
        starts[k], starts[j] = starts[j], starts[k]
        lengths[k], lengths[j] = lengths[j], lengths[k]
    out = np.empty(count, dtype=np.int64)
    row = 0
    for k in range(blocks):
        for step in range(lengths[k]):
            out[row] = (origin + starts[k] + step) % count
            row += 1
    return out


@kernel
def outcomes(returns: FloatArray, mean_block: float, draws: int, rng: Generator) -> FloatArray:
    """`[draws, 3]`: Sharpe ratio a bar, end of 1, and largest drawdown of resampled histories of the same length.

    A history without variance has a ratio of 0; one that lost everything ends at 0 with a drawdown of 1.
    """
    n = returns.size
    out = np.empty((draws, 3))
    for d in range(draws):
        total = 0.0
        square = 0.0
        wealth = 1.0
        peak = 1.0
        deepest = 0.0
        i = int(rng.random() * n)
        for t in range(n):
            if t > 0:
                i = int(rng.random() * n) if rng.random() < 1.0 / mean_block else (i + 1) % n
            r = returns[i]
            total += r
            square += r * r
            wealth = max(0.0, wealth * (1.0 + r))
            peak = max(peak, wealth)
            deepest = max(deepest, 1.0 - wealth / peak)
        mean = total / n
        variance = (square - n * mean * mean) / (n - 1)
        out[d, 0] = mean / np.sqrt(variance) if variance > 1e-24 else 0.0
        out[d, 1] = wealth
        out[d, 2] = deepest
    return out


def quantile(sorted_values: FloatArray, probability: float) -> float:
    """The smallest value that at least `probability` of the draws do not exceed: a draw, never between two."""
    place = math.ceil(probability * sorted_values.size) - 1
    return float(sorted_values[min(max(place, 0), sorted_values.size - 1)])
