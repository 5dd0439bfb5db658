"""What one company has said of one figure so far, and what follows from it: quarters, four quarters, a year ago.

Quarters. Companies state quarters, and also sums since the start of the fiscal year; the fourth quarter stands in no
report. A quarter is the figure as stated, or the difference of two sums (Q4 = year - nine months), or a year less its
other three quarters. Four quarters are the year as stated, or sum so far + last year - sum so far a year ago, or four
quarters added up. Periods are matched by the month in which they end (up to the 15th counts as the month before, as in
the SEC's data sets), give or take one, for fiscal quarters of 12 or 13 weeks wander.
"""

from __future__ import annotations

import bisect
import functools
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from modules.facts.fields import Window

_SECOND_HALF = 15
_NEARBY = (0, -1, 1)
_TRIES = 6
"""How many of the newest periods are tried where the newest alone does not give the figure."""


@dataclass(frozen=True)
class Stated:
    """A figure: its value, when its period ended, and when it (of several parts: the last of them) was stated."""

    value: float
    end_ns: int
    stated_ns: int


NOTHING = Stated(math.nan, 0, 0)


class History:
    """Statements of one figure, each later one in place of what was said of the same period before."""

    def __init__(self) -> None:
        self._said: dict[int, dict[int, Stated]] = {q: {} for q in range(5)}
        self._moments: list[int] = []  # months that balances are about, ascending
        self._periods: list[int] = []  # months in which periods ended, ascending

    def state(self, quarters: int, end_ns: int, value: float, stated_ns: int) -> None:
        """The figure for the `quarters` up to `end_ns` (0: at that moment), stated at `stated_ns`."""
        month = month_of(end_ns)
        months = self._periods if quarters else self._moments
        at = bisect.bisect_left(months, month)
        if at == len(months) or months[at] != month:
            months.insert(at, month)
        self._said[quarters][month] = Stated(value, end_ns, stated_ns)

    def look(self, window: Window, *, year_ago: bool) -> Stated:
        """The newest figure, or with `year_ago` the one of four quarters before the newest. `end_ns` is the end of the
        newest either way: it says how old the whole comparison is."""
        months = self._moments if window == "instant" else self._periods
        for month in reversed(months[-_TRIES:]):
            now = self._figure(window, month)
            if now is None:
                continue
            if not year_ago:
                return now
            then = self._nearby(window, month - 12)
            return Stated(math.nan if then is None else then.value, now.end_ns, then.stated_ns if then else 0)
        return NOTHING

    def _nearby(self, window: Window, month: int) -> Stated | None:
        for wander in _NEARBY:
            found = self._figure(window, month + wander)
            if found is not None:
                return found
        return None

    def _figure(self, window: Window, month: int) -> Stated | None:
        match window:
            case "instant":
                return self._said[0].get(month)
            case "quarter":
                return self._quarter(month)
            case "ttm":
                return self._four_quarters(month)
            case "average":
                return next((s for q in (1, 2, 3, 4) if (s := self._said[q].get(month)) is not None), None)

    def _get(self, quarters: int, month: int) -> Stated | None:
        said = self._said[quarters]
        return said.get(month) or said.get(month - 1) or said.get(month + 1)

    def _quarter(self, month: int) -> Stated | None:
        stated = self._said[1].get(month)
        if stated is not None:
            return stated
        for quarters in (2, 3, 4):
            total, before = self._said[quarters].get(month), self._get(quarters - 1, month - 3)
            if total is not None and before is not None:
                return _sum(total, (-1.0, before))
        year = self._said[4].get(month)
        others = [self._get(1, month - back) for back in (3, 6, 9)]
        if year is not None and all(o is not None for o in others):
            return _sum(year, *((-1.0, o) for o in others if o is not None))
        return None

    def _four_quarters(self, month: int) -> Stated | None:
        year = self._said[4].get(month)
        if year is not None:
            return year
        for quarters in (3, 2, 1):
            so_far = self._said[quarters].get(month)
            last_year, then = self._get(4, month - 3 * quarters), self._get(quarters, month - 12)
            if so_far is not None and last_year is not None and then is not None:
                return _sum(so_far, (1.0, last_year), (-1.0, then))
        newest = self._quarter(month)
        others = [self._nearby("quarter", month - back) for back in (3, 6, 9)]
        if newest is not None and all(o is not None for o in others):
            return _sum(newest, *((1.0, o) for o in others if o is not None))
        return None


def _sum(first: Stated, *terms: tuple[float, Stated]) -> Stated:
    """`first` and signed terms added in this order; about the period of `first`, known once the last was stated."""
    value = first.value
    for sign, term in terms:
        value += sign * term.value
    return Stated(value, first.end_ns, max(first.stated_ns, *(t.stated_ns for _, t in terms)))


@functools.lru_cache(maxsize=4096)
def month_of(end_ns: int) -> int:
    """Months since year 0 of the month in which a period ended; up to its 15th day, of the month before."""
    day = datetime.fromtimestamp(end_ns // 1_000_000_000, tz=UTC)
    return day.year * 12 + day.month - (1 if day.day <= _SECOND_HALF else 0)
