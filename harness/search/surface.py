"""How wide the peak stands: a winner whose neighbours lose was lucky (R. Pardo, "The Evaluation and Optimization of
Trading Strategies", 2008: take the plateau, not the spike)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.search.space import Space
from harness.search.trial import Tried

NEAR = 0.2
"""Neighbours lie within a fifth of every axis's range of the peak, or one step of a coarser grid."""

KEPT = 0.8
"""On the plateau is what keeps four fifths of the peak."""


@dataclass(frozen=True)
class Plateau:
    """`width`: share of the peak's neighbours that keep four fifths of it, None without neighbours or where the peak is
    not above zero; `mean`: what they give on average."""

    neighbours: int
    width: float | None
    mean: float | None


def plateau(space: Space, trials: Sequence[Tried], peak: Tried, reach: float = NEAR) -> Plateau:
    """The plateau around `peak` by the first objective, of the points within `reach`, each once. Neighbours without
    figures count as lost."""
    points = {t.point: t for t in trials if t.point != peak.point}
    near = [t for t in points.values() if _distance(space, t, peak) <= reach + 1e-9]
    best = peak.values[0]
    figures = [t.values[0] for t in near if math.isfinite(t.values[0])]
    mean = math.fsum(figures) / len(figures) if figures else None
    if not near or not best > 0.0:
        return Plateau(len(near), None, mean)
    return Plateau(len(near), sum(v >= KEPT * best for v in figures) / len(near), mean)


def _distance(space: Space, one: Tried, other: Tried) -> float:
    """The greatest distance along an axis, as a share of its range."""
    return max(abs(a.place(x) - a.place(y)) for a, x, y in zip(space.axes, one.point, other.point, strict=True))
