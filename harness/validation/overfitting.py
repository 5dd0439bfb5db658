"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

D. Bailey, J. Borwein, M. Lopez de Prado, Q. Zhu, "The probability of backtest overfitting", Journal of Computational
Finance, 2017: history is cut into S blocks; in each of the C(S, S/2) ways to put half of them in sample, the best in
sample is ranked among all out of sample.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray

BLOCKS = 16
MINIMUM_BLOCK_BARS = 10


@dataclass(frozen=True)
class Overfitting:
    """`probability`: the best in sample is at or below the median out of sample. `loss`: it loses out of sample."""

    probability: float
    loss: float
    splits: int
    blocks: int
    block_bars: int
    members: int


@kernel
def _symmetric(sums: FloatArray, squares: FloatArray, bars: int, halves: IntArray) -> tuple[int, int]:
    """(splits with relative rank at or below 1/2, splits with a loss). `sums` and `squares` `[S, K]` of each block."""
    blocks, members = sums.shape
    low = 0
    lost = 0
    n = float(bars * (blocks // 2))
    inside = np.empty(members)
    outside = np.empty(members)
    chosen = np.zeros(blocks, dtype=np.bool_)
    for c in range(halves.shape[0]):
        chosen[:] = False
        for j in range(halves.shape[1]):
            chosen[halves[c, j]] = True
        for k in range(members):
            a = b = aa = bb = 0.0
            for s in range(blocks):
                if chosen[s]:
                    a += sums[s, k]
                    aa += squares[s, k]
                else:
                    b += sums[s, k]
                    bb += squares[s, k]
            inside[k] = _ratio(a, aa, n)
            outside[k] = _ratio(b, bb, n)
        best = 0
        for k in range(1, members):
            if inside[k] > inside[best]:
                best = k
        below = 0.0
        for k in range(members):
            if k != best:
                below += 1.0 if outside[k] < outside[best] else (0.5 if outside[k] == outside[best] else 0.0)
        if (below + 1.0) / (members + 1.0) <= 0.5:
            low += 1
        if outside[best] <= 0.0:
            lost += 1
    return low, lost


@kernel
def _ratio(total: float, square: float, n: float) -> float:
    mean = total / n
    variance = (square - n * mean * mean) / (n - 1.0)
    return float(mean / np.sqrt(variance)) if variance > 1e-24 else 0.0


def overfitting(family: FloatArray, blocks: int = BLOCKS) -> Overfitting | None:
    """`family` `[T, K]`: returns of everything that selection chose from; the oldest rows that fill no block are left
    out. Fewer blocks are taken where these would be shorter than ten bars; None below four, or for one member."""
    bars, members = family.shape
    while blocks > 4 and bars // blocks < MINIMUM_BLOCK_BARS:
        blocks -= 2
    length = bars // blocks
    if members < 2 or length < MINIMUM_BLOCK_BARS:
        return None
    kept = family[bars - length * blocks :].reshape(blocks, length, members)
    sums = np.ascontiguousarray(np.add.accumulate(kept, axis=1)[:, -1])
    squares = np.ascontiguousarray(np.add.accumulate(kept * kept, axis=1)[:, -1])
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)), dtype=np.int64)
    low, lost = _symmetric(sums, squares, length, halves)
    n = halves.shape[0]
    return Overfitting(low / n, lost / n, n, blocks, length, members)
