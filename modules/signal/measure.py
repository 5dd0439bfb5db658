"""What a computed signal looks like: how much of it is there, how fast it changes, whether it tells symbols apart."""

from __future__ import annotations

import math

import numpy as np

from modules.panel import FloatArray


def coverage(values: FloatArray, tradable: FloatArray, first_row: int) -> float:
    """Share of the cells from `first_row` on with a price in `tradable` that have a value; 0 where no price is."""
    present = ~np.isnan(tradable[first_row:])
    count = int(np.count_nonzero(present))
    return int(np.count_nonzero(present & ~np.isnan(values[first_row:]))) / count if count else 0.0


def rank_autocorrelation(values: FloatArray) -> float | None:
    """Mean over rows of the rank correlation with the row before, in [-1, 1]; None where no two rows can be compared.

    Turnover of rank weights is about proportional to one minus this.
    """
    from modules.signal.kernels.cross import rank, row_correlation

    ranks = np.empty(values.shape)
    rank(values, ranks)
    ranks.setflags(write=False)
    pairs = np.empty(max(values.shape[0] - 1, 0))
    row_correlation(ranks[1:], ranks[:-1], pairs)
    found = pairs[~np.isnan(pairs)]
    return math.fsum(found.tolist()) / found.size if found.size else None


def tells_apart(values: FloatArray) -> FloatArray:
    """`[T]`: 1 where a row holds two different values, 0 where all present are equal, NaN where fewer than two are."""
    present = ~np.isnan(values)
    low = np.where(present, values, np.inf).min(axis=1)
    high = np.where(present, values, -np.inf).max(axis=1)
    several = np.count_nonzero(present, axis=1) >= 2
    return np.where(several, (high > low).astype(np.float64), np.nan)
