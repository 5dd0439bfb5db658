"""How alike two signals behave: whether they order the symbols of the reference market in the same way."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.panel import FloatArray
from modules.signal.batch import compute
from modules.signal.calendar import CALENDAR_FIELDS
from modules.signal.canonical import canonical, fields_of, warmup
from modules.signal.nodes import Call, Node
from modules.signal.referencepanel import ROWS, reference_panel

STEP = 4
LEAST_ROWS = 40
LEAST_TOLD = 5
"""At so many bars, at least, a signal must tell symbols apart to be judged."""


@dataclass(frozen=True, eq=False)
class Behaviour:
    """`[rows, N]`: the ranks of a signal at every fourth bar of the reference market, NaN where it has no value."""

    ranks: FloatArray

    @functools.cached_property
    def told(self) -> NDArray[np.bool_]:
        """`[rows]`: where the signal tells symbols apart. A seasonal one is silent most of the year."""
        high, low = np.where(np.isnan(self.ranks), -1.0, self.ranks), np.where(np.isnan(self.ranks), 2.0, self.ranks)
        told: NDArray[np.bool_] = high.max(axis=1) > low.min(axis=1)
        return told


def behaviours(nodes: Sequence[Node]) -> list[Behaviour | None]:
    """One for each signal, computed together. None for a signal that the reference market cannot judge: it reads
    other fields, or looks back too far."""
    panel = reference_panel()
    known = {*panel.fields, *CALENDAR_FIELDS}
    judged = [i for i, n in enumerate(nodes) if fields_of(n) <= known and warmup(n) + LEAST_ROWS * STEP <= ROWS]
    ranked = compute([Call("rank", (nodes[i],)) for i in judged], panel) if judged else []
    found: list[Behaviour | None] = [None] * len(nodes)
    for i, values in zip(judged, ranked, strict=True):
        ranks = np.ascontiguousarray(values[::-STEP][::-1])
        ranks.setflags(write=False)
        found[i] = Behaviour(ranks)
    return found


def behavioural_similarity(a: Node, b: Node) -> float | None:
    """In [0, 1]; 1 where both order all symbols alike, or one exactly against the other, at every bar; about 0 for
    signals that have nothing to do with each other. None where the reference market cannot judge."""
    found = agreement(a, b)
    return None if found is None else abs(found)


def agreement(a: Node, b: Node) -> float | None:
    """In [-1, 1]: 1 where both order all symbols alike at every bar, -1 where one orders them against the other. None
    where the reference market cannot judge."""
    first, second = _behaviour(canonical(a)), _behaviour(canonical(b))
    return None if first is None or second is None else correlation(first, second)


@functools.lru_cache(maxsize=512)
def _behaviour(node: Node) -> Behaviour | None:
    return behaviours([node])[0]


def alike(a: Behaviour, b: Behaviour) -> float | None:
    """The size of the mean rank correlation; None where `correlation` is.

    The mean is taken before the sign is dropped: two signals that agree on one day and oppose each other on the next
    are not alike.
    """
    found = correlation(a, b)
    return None if found is None else abs(found)


def correlation(a: Behaviour, b: Behaviour) -> float | None:
    """The mean rank correlation (Spearman) over the bars where both have values and either tells symbols apart.

    Where only one does the correlation is 0: who is silent most of the year is not like who speaks every day. None
    below 40 bars with values, and for a signal that tells symbols apart at fewer than 5.
    """
    from modules.signal.kernels.cross import row_correlation

    rows = np.empty(a.ranks.shape[0])
    row_correlation(a.ranks, b.ranks, rows)
    both = (~np.isnan(a.ranks) & ~np.isnan(b.ranks)).sum(axis=1) >= 2
    if both.sum() < LEAST_ROWS or min((a.told & both).sum(), (b.told & both).sum()) < LEAST_TOLD:
        return None
    found = rows[~np.isnan(rows)]
    return max(-1.0, min(1.0, math.fsum(found.tolist()) / float((both & (a.told | b.told)).sum())))
