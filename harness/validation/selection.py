"""What selection would have earned: the best of a family on the training bars, followed on bars that did not choose it.

In this system what is fitted is the choice among settings and candidates; a family is everything that choice ran over.
Returns of a member are those of its own account, in which no bar reads a later one; changing from one member to
another is taken to cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.validation.splits import Paths, Split
from modules.engine.metrics import sharpe
from modules.jit import kernel
from modules.panel import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Followed:
    """One split: who was chosen, its ratio (a bar) on the training bars, and what it earned on the test bars."""

    chosen: int
    before: float
    split: Split
    returns: FloatArray


@kernel
def ratios(family: FloatArray, rows: IntArray) -> FloatArray:
    """`[K]` Sharpe ratio a bar over `rows`; 0 for a member that does not move."""
    members = family.shape[1]
    total = np.zeros(members)
    square = np.zeros(members)
    for row in rows:
        for k in range(members):
            total[k] += family[row, k]
            square[k] += family[row, k] * family[row, k]
    n = float(rows.size)
    for k in range(members):
        mean = total[k] / n
        variance = (square[k] - n * mean * mean) / (n - 1.0)
        total[k] = mean / np.sqrt(variance) if variance > 1e-24 else 0.0
    return total


def follow(family: FloatArray, splits: Sequence[Split]) -> tuple[Followed, ...]:
    """For each split the best on its training bars (the first of equals), on its test bars."""
    out = []
    for split in splits:
        found = ratios(family, split.train)
        best = int(np.argmax(found))
        out.append(Followed(best, float(found[best]), split, family[split.test, best]))
    return tuple(out)


def path_returns(family: FloatArray, paths: Paths) -> tuple[FloatArray, ...]:
    """The out-of-sample series of each combinatorial path, all folds in order of time."""
    best = [int(np.argmax(ratios(family, split.train))) for split in paths.splits]
    return tuple(
        np.concatenate([family[fold, best[split]] for fold, split in zip(paths.folds, path, strict=True)])
        for path in paths.by_path
    )


def yearly(returns: FloatArray, per_year: float) -> float:
    """Sharpe ratio a year; 0 for a series that does not move."""
    found = sharpe(returns, per_year)
    return found if math.isfinite(found) else 0.0
