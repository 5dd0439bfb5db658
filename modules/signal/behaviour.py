"""How alike two signals behave: whether they order the symbols of the reference market in the same way."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modules.panel import FloatArray
from modules.signal.batch import compute
from modules.signal.canonical import canonical, fields_of, warmup
from modules.signal.nodes import Call, Node
from modules.signal.referencepanel import ROWS, reference_panel

STEP = 4
LEAST_ROWS = 40


@dataclass(frozen=True, eq=False)
class Behaviour:
    """`[rows, N]`: the ranks of a signal at every fourth bar of the reference market, NaN where it has no value."""

    ranks: FloatArray


def behaviours(nodes: Sequence[Node]) -> list[Behaviour | None]:
    """One for each signal, computed together. None for a signal that the reference market cannot judge: it reads
    other fields, or looks back too far."""
    panel = reference_panel()
    judged = [
        i for i, n in enumerate(nodes) if fields_of(n) <= set(panel.fields) and warmup(n) + LEAST_ROWS * STEP <= ROWS
    ]
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
    """The size of the mean rank correlation; None below 40 bars.

    The mean is taken before the sign is dropped: two signals that agree on one day and oppose each other on the next
    are not alike.
    """
    found = correlation(a, b)
    return None if found is None else abs(found)


def correlation(a: Behaviour, b: Behaviour) -> float | None:
    """The mean rank correlation (Spearman) over the bars where both have values; None below 40 bars."""
    from modules.signal.kernels.cross import row_correlation

    rows = np.empty(a.ranks.shape[0])
    row_correlation(a.ranks, b.ranks, rows)
    found = rows[~np.isnan(rows)]
    return min(1.0, max(-1.0, math.fsum(found.tolist()) / found.size)) if found.size >= LEAST_ROWS else None
