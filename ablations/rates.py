"""What can be said of a rate from counts, and the least size that is found often enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95


class Counted(NamedTuple):
    """`hits` of `tries` at `size`."""

    size: float
    tries: int
    hits: int


def upper_bound(events: int, tries: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of a rate (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    return 1.0 if events >= tries else float(beta.ppf(confidence, events + 1, tries - events))


def lower_bound(events: int, tries: int, confidence: float = CONFIDENCE) -> float:
    """One-sided lower bound of a rate (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    return 0.0 if events <= 0 else float(beta.ppf(1.0 - confidence, events, tries - events + 1))


def rising(points: Sequence[Counted]) -> list[float]:
    """The rates of `points`, by rising size, as the closest rates that never fall (pool adjacent violators)."""
    blocks: list[tuple[int, int, int]] = []  # hits, tries, points
    for point in points:
        blocks.append((point.hits, point.tries, 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            hits, tries, count = blocks.pop()
            before = blocks.pop()
            blocks.append((before[0] + hits, before[1] + tries, before[2] + count))
    return [hits / tries for hits, tries, count in blocks for _ in range(count)]


def least_size(points: Sequence[Counted], rate: float) -> float | None:
    """Smallest size at which the line between rising rates reaches `rate`; null where it does not."""
    before: tuple[float, float] = (0.0, 0.0)
    for point, found in zip(points, rising(points), strict=True):
        if found >= rate:
            size, low = before
            return round(size + (point.size - size) * (rate - low) / (found - low), 4)
        before = (point.size, found)
    return None
