"""What the pictures are drawn of, from the fold. Every line is thinned to what a screen can show."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import sqrt

from ablations.trials import FALSE_DISCOVERY_RATE, FIRST_WEALTH
from supervisor.board.facts import Curve, Curves
from supervisor.board.fold import Fold, Trial

MOST_POINTS = 300
Z = 1.959964
"""Normal quantile of a two-sided 95 % interval."""


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927); `tries` at least 1."""
    rate, square = hits / tries, Z * Z / tries
    middle = (rate + square / 2) / (1 + square)
    half = Z / (1 + square) * sqrt(rate * (1 - rate) / tries + square / (4 * tries))
    return max(0.0, middle - half), min(1.0, middle + half)


def allowance(discoveries: int) -> float:
    """What LORD++ may have spent in levels by then: its first wealth, then the rate for each discovery."""
    return FALSE_DISCOVERY_RATE * discoveries if discoveries else FIRST_WEALTH


def curves(fold: Fold, judged: Sequence[Trial]) -> Curves:
    """All of them; `judged` in the order in which the verdicts stand."""
    places = range(1, len(judged) + 1)
    hits = tuple(accumulate(int(trial.shipped) for trial in judged))
    bands = [wilson(h, n) for h, n in zip(hits, places, strict=True)]
    levels = [level for level, _ in fold.tested.values()]
    found = accumulate(int(rejected) for _, rejected in fold.tested.values())
    tests = range(1, len(levels) + 1)
    return Curves(
        rate=_thin("shipped / judged", places, [h / n for h, n in zip(hits, places, strict=True)]),
        low=_thin("low", places, [low for low, _ in bands]),
        high=_thin("high", places, [high for _, high in bands]),
        spent=_thin("spent", tests, list(accumulate(levels))),
        allowed=_thin("allowed", tests, [allowance(n) for n in found]),
        levels=_thin("level", tests, levels),
        gains=_gains(fold),
        costs=_thin("cost", [ts for ts, _ in fold.costs], [c / 1e6 for c in accumulate(c for _, c in fold.costs)]),
    )


def _gains(fold: Fold) -> tuple[Curve, ...]:
    """One a module, the newest value last; modules in the order of their first merge."""
    points: dict[str, list[tuple[int, float]]] = {}
    for ts_ns, ablation_id, sign in fold.merges:
        trial = fold.trials[ablation_id]
        delta = trial.finished.delta if trial.finished else None
        line = points.setdefault(trial.started.module, [])
        line.append((ts_ns, (line[-1][1] if line else 0.0) + sign * (delta or 0.0)))
    return tuple(_thin(module, [x for x, _ in line], [y for _, y in line]) for module, line in points.items())


def _thin(name: str, x: Sequence[int], y: Sequence[float]) -> Curve:
    """At most `MOST_POINTS`, evenly by place; the last is always kept."""
    step = -(-len(x) // MOST_POINTS) or 1
    keep = sorted({*range(0, len(x), step), *([len(x) - 1] if len(x) else [])})
    return Curve(name, tuple(x[i] for i in keep), tuple(round(y[i], 8) for i in keep))
