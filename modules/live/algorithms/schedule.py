"""When how much should be done: lots by the end of each slice, never falling, and all of them by the last.

A curve says which share is done by a time. Lots are rounded half up from the cumulated share, so that what is late in
one slice is not lost in the next, and no time is more than half a lot off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from modules.live.algorithms.parent import AlgorithmError, Parent

MOST_SLICES: Final = 20_000


@dataclass(frozen=True)
class Slices:
    """A window in `count` equal slices."""

    begin_ns: int
    end_ns: int
    count: int

    def at(self, now_ns: int) -> int:
        """The slice of a time: -1 before the first, `count` after the last."""
        return max(-1, min(self.count, (now_ns - self.begin_ns) * self.count // (self.end_ns - self.begin_ns)))

    def start(self, number: int) -> int:
        """When a slice begins; that after the last is the end."""
        return self.begin_ns + -(-(self.end_ns - self.begin_ns) * min(number, self.count) // self.count)


def evenly(total: int, slices: Slices) -> tuple[int, ...]:
    """Lots by the end of each slice in step with the clock (TWAP), exact in whole numbers."""
    length = slices.end_ns - slices.begin_ns
    return tuple(
        (2 * total * (slices.start(k + 1) - slices.begin_ns) + length) // (2 * length) for k in range(slices.count)
    )


def along(total: int, slices: Slices, done: Callable[[int], float]) -> tuple[int, ...]:
    """Lots by the end of each slice, `done(t_ns)` being the share by then; 1 at the end whatever it says.

    Raises AlgorithmError for a share that is not in [0, 1], or falls.
    """
    shares = [done(slices.start(k + 1)) for k in range(slices.count - 1)]
    return rounded(total, [*shares, 1.0])


def rounded(total: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Cumulated shares as lots, half up. Raises AlgorithmError for one outside [0, 1], or below that before."""
    before = 0.0
    for k, share in enumerate(shares):
        if not before <= share <= 1.0:
            raise AlgorithmError(
                f"share {share} by the end of slice {k}, {before} before it: shares rise from 0 to 1; mend the curve"
            )
        before = share
    return tuple(min(total, math.floor(total * share + 0.5)) for share in shares)


def window(parent: Parent, slice_ns: int) -> Slices:
    """The parent's window in equal slices of at most `slice_ns`. Raises AlgorithmError for none, or too many."""
    length = parent.end_ns - parent.begin_ns
    count = -(-length // max(1, slice_ns))
    if slice_ns < 1 or count > MOST_SLICES:
        raise AlgorithmError(
            f"slice of {slice_ns} ns makes {count} slices of a window of {length} ns; there may be 1 to {MOST_SLICES}: "
            "give a longer slice"
        )
    return Slices(parent.begin_ns, parent.end_ns, count)
