"""Which bars train and which test. Rows, half-open by nature: arrays of positions in order of time.

Purged: the bars before a test whose outcome reaches into it are left out of training. Embargo: the bars after a test,
whose signals still look back on it, are left out too (M. Lopez de Prado, "Advances in Financial Machine Learning",
2018, chapters 7 and 12).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from modules.panel import IntArray


@dataclass(frozen=True, eq=False)
class Split:
    """Rows that train and rows that test."""

    train: IntArray
    test: IntArray


@dataclass(frozen=True, eq=False)
class Paths:
    """Combinatorial splits, and for each path through all folds the split that tests each fold: `[paths, folds]`."""

    splits: tuple[Split, ...]
    folds: tuple[IntArray, ...]
    by_path: IntArray


class SplitError(ValueError):
    """Splits that the number of bars does not allow: says how many there are and how many it takes."""


def walk_forward(bars: int, train_bars: int, test_bars: int, purge_bars: int, *, expanding: bool) -> tuple[Split, ...]:
    """Test windows one after the other, each trained on what lies before it (skfolio's WalkForward)."""
    from skfolio.model_selection import WalkForward

    if bars < train_bars + purge_bars + test_bars:
        raise SplitError(f"{bars} bars do not hold {train_bars} to train, {purge_bars} purged and {test_bars} to test")
    made = WalkForward(test_size=test_bars, train_size=train_bars, expand_train=expanding, purged_size=purge_bars)
    return tuple(Split(_rows(train), _rows(test)) for train, test in made.split(np.empty((bars, 1))))


def purged_k_fold(bars: int, folds: int, purge_bars: int, embargo_bars: int) -> tuple[Split, ...]:
    """Each fold tests once. Folds have `bars // folds` bars, the last one also the rest."""
    edges = _edges(bars, folds, purge_bars, embargo_bars)
    rows = np.arange(bars, dtype=np.int64)
    out = []
    for first, stop in itertools.pairwise(edges):
        train = rows[(rows < first - purge_bars) | (rows >= stop + purge_bars + embargo_bars)]
        out.append(Split(train, rows[first:stop]))
    return tuple(out)


def combinatorial(bars: int, folds: int, test_folds: int, purge_bars: int, embargo_bars: int) -> Paths:
    """Every choice of `test_folds` folds tests once (skfolio's CombinatorialPurgedCV)."""
    from skfolio.model_selection import CombinatorialPurgedCV

    edges = _edges(bars, folds, purge_bars, embargo_bars)
    made = CombinatorialPurgedCV(folds, test_folds, purged_size=purge_bars, embargo_size=embargo_bars)
    splits = tuple(
        Split(_rows(train), np.concatenate([_rows(part) for part in tests]))
        for train, tests in made.split(np.empty((bars, 1)))
    )
    rows = np.arange(bars, dtype=np.int64)
    parts = tuple(rows[a:b] for a, b in itertools.pairwise(edges))
    return Paths(splits, parts, np.ascontiguousarray(made.recombined_paths.T, dtype=np.int64))


def _edges(bars: int, folds: int, purge_bars: int, embargo_bars: int) -> list[int]:
    fold = bars // folds
    if purge_bars + embargo_bars >= fold - 1:
        raise SplitError(
            f"{bars} bars in {folds} folds are {fold} a fold; {purge_bars} purged and {embargo_bars} embargoed leave"
            " nothing to train on; take fewer folds or a longer history"
        )
    return [k * fold for k in range(folds)] + [bars]


def _rows(found: object) -> IntArray:
    return np.ascontiguousarray(found, dtype=np.int64)
