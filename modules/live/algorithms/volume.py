"""How a day's volume is spread over the session, estimated from the days before.

The mean over days of each bucket's share of its day (the static part of Bialkowski, Darolles and Le Fol, "Improving
VWAP strategies: a dynamic volume approach", Journal of Banking and Finance 32, 2008). Days weigh the same, however
busy.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modules.live.algorithms.parent import AlgorithmError, Parent

MOST_BUCKETS: Final = 2_000


@dataclass(frozen=True)
class VolumeCurve:
    """`shares[k]`: mean share of a day's volume in bucket k of `bucket_ns`, counted from the session's open; sum 1."""

    shares: tuple[float, ...]
    bucket_ns: int
    days: int

    def done(self, since_open_ns: int) -> float:
        """Share of the day's volume by a time after the open; in step with the clock inside a bucket."""
        if since_open_ns <= 0:
            return 0.0
        whole, part = divmod(since_open_ns, self.bucket_ns)
        if whole >= len(self.shares):
            return 1.0
        return min(1.0, sum(self.shares[:whole]) + self.shares[whole] * (part / self.bucket_ns))

    def of(self, parent: Parent, open_ns: int) -> _OfWindow:
        """The curve of a parent's window in the session that opened at `open_ns`.

        Raises AlgorithmError where no volume was seen at that time of day.
        """
        first, last = self.done(parent.begin_ns - open_ns), self.done(parent.end_ns - open_ns)
        if not last > first:
            raise AlgorithmError(
                f"the {self.days} days of history have no volume between {parent.begin_ns} and {parent.end_ns} after "
                "their open; give a window inside the session, or work the order evenly (twap)"
            )
        return _OfWindow(self, open_ns, first, last)


@dataclass(frozen=True)
class _OfWindow:
    curve: VolumeCurve
    open_ns: int
    first: float
    last: float

    def __call__(self, now_ns: int) -> float:
        share = (self.curve.done(now_ns - self.open_ns) - self.first) / (self.last - self.first)
        return min(1.0, max(0.0, share))


def volume_curve(
    known_ns: Sequence[int],
    volume: Sequence[float],
    sessions: Sequence[tuple[int, int]],
    now_ns: int,
    *,
    bucket_ns: int = 300_000_000_000,
    days: int = 20,
) -> VolumeCurve:
    """The curve of the last `days` sessions that had closed by `now_ns`; what came later is not looked at.

    `known_ns[i]`: when `volume[i]` was known, that is the end of its bar, rising; it counts to the bucket that ends
    then. `sessions`: open and close of each day, rising. Raises AlgorithmError where no session has volume.
    """
    closed = [s for s in sessions if s[1] <= now_ns][-days:]
    longest = max((close - opened for opened, close in closed), default=0)
    count = -(-longest // bucket_ns)
    if not 0 < count <= MOST_BUCKETS:
        raise AlgorithmError(
            f"{len(closed)} sessions closed by {now_ns}, the longest of {longest} ns: they make {count} buckets of "
            f"{bucket_ns} ns, there may be 1 to {MOST_BUCKETS}; give history, or another bucket"
        )
    total, seen = [0.0] * count, 0
    for opened, close in closed:
        day = [0.0] * count
        for i in range(bisect_right(known_ns, opened), bisect_right(known_ns, close)):
            if volume[i] > 0.0:
                day[(known_ns[i] - opened - 1) // bucket_ns] += volume[i]
        traded = sum(day)
        if traded > 0.0:
            seen += 1
            total = [a + v / traded for a, v in zip(total, day, strict=True)]
    if seen == 0:
        raise AlgorithmError(
            f"none of the {len(closed)} sessions before {now_ns} has volume; a curve needs at least one: give history, "
            "or work the order evenly (twap)"
        )
    every = sum(total)
    return VolumeCurve(tuple(v / every for v in total), bucket_ns, seen)
