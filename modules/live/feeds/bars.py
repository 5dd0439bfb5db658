"""Closed bars from trades, labelled as a data set labels them, so that live bars and recorded ones are one series.

A bar holds the trades of `[begin, end)` by the venue's time. It closes when the clock has passed its end by `grace_ms`;
a trade that comes later is counted and left away, because a bar that was decided on does not change. A time without a
trade has no bar, as in a data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from modules.calendars import DAY_NS, UNKNOWN, Sessions, sessions
from modules.live.feeds.news import Bar, Trade
from modules.live.units import MILLI_NS, SECOND_NS
from modules.panel import IntArray

DAY_S: Final = 86_400


class BarShape(BaseModel):
    """Length and label of bars; the names are those of a data set's layout (`modules/ingest/layout.py`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_s: int = Field(default=60, ge=1, le=DAY_S, description="length of one bar; a day = labelled by its date")
    bar_stamp: Literal["open", "close"] = "close"
    calendar: str = UNKNOWN
    grace_ms: int = Field(default=500, ge=0, le=60_000, description="for trades that are on their way at the end")
    closing_ms: int = Field(
        default=0,
        ge=0,
        le=600_000,
        description="after a session's close, whose trades (the auction) are of its last bar",
    )


@dataclass
class _Making:
    """A bar under way."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class BarBuilder:
    """Bars of all instruments of an account."""

    def __init__(self, shape: BarShape) -> None:
        self.shape = shape
        self._sessions: Sessions | None = sessions(shape.calendar)
        self._making: dict[tuple[int, int], dict[str, _Making]] = {}
        self._closed_ns = np.iinfo(np.int64).min
        self.late = 0
        """Trades that came after their bar was closed."""
        self.outside = 0
        """Trades outside of every session."""

    def take(self, trade: Trade) -> None:
        """Take in a believed trade."""
        bounds = self.bounds(trade.venue_ns)
        if bounds is None:
            self.outside += 1
            return
        if bounds[1] <= self._closed_ns:
            self.late += 1
            return
        row = self._making.setdefault(bounds, {})
        bar = row.get(trade.symbol)
        if bar is None:
            row[trade.symbol] = _Making(trade.price, trade.price, trade.price, trade.price, trade.size)
            return
        bar.high, bar.low = max(bar.high, trade.price), min(bar.low, trade.price)
        bar.close = trade.price
        bar.volume += trade.size

    def close(self, now_ns: int) -> list[Bar]:
        """The bars that are over by now, by label and symbol."""
        done = sorted(b for b in self._making if self._over_ns(b[1]) <= now_ns)
        found: list[Bar] = []
        for bounds in done:
            self._closed_ns = max(self._closed_ns, bounds[1])
            for symbol, bar in sorted(self._making.pop(bounds).items()):
                found.append(
                    Bar(symbol, self.label(bounds), bar.open, bar.high, bar.low, bar.close, bar.volume, now_ns)
                )
        return found

    def next_ns(self) -> int | None:
        """When the first bar under way is over: `close` then. None = none is under way."""
        return min((self._over_ns(end) for _, end in self._making), default=None)

    def bounds(self, ts_ns: int) -> tuple[int, int] | None:
        """Begin and end of the bar that a trade belongs to; None outside of every session."""
        length = self.shape.interval_s * SECOND_NS
        if self._sessions is None:
            begin = ts_ns - ts_ns % length
            return begin, begin + length
        first, last = self._session(self._sessions, ts_ns)
        if first == last:
            return None
        if self.shape.interval_s == DAY_S:
            return first, last
        inside = min(ts_ns, last - 1)  # the closing auction is of the last bar
        begin = max(first, inside - inside % length)
        return begin, min(begin - begin % length + length, last)

    def label(self, bounds: tuple[int, int]) -> int:
        """The time that names a bar: of a day, its session's date at 00:00 UTC."""
        begin, end = bounds
        if self.shape.interval_s == DAY_S:
            return int(self._date(begin))
        return begin if self.shape.bar_stamp == "open" else end

    def _session(self, known: Sessions, ts_ns: int) -> tuple[int, int]:
        """Open and close of the session of a moment, `closing_ms` after its close included; (0, 0) outside."""
        at = _last_before(known.open_ns, ts_ns)
        if at < 0:
            return 0, 0
        first, last = int(known.open_ns[at]), int(known.close_ns[at])
        return (first, last) if ts_ns < last + self.shape.closing_ms * MILLI_NS else (0, 0)

    def _date(self, begin_ns: int) -> int:
        if self._sessions is None:
            return begin_ns - begin_ns % DAY_NS
        return int(self._sessions.date_ns[_last_before(self._sessions.open_ns, begin_ns)])

    def _over_ns(self, end_ns: int) -> int:
        """The moment from which no more trades of a bar are waited for."""
        wait = self.shape.grace_ms
        if self.shape.closing_ms and self._sessions is not None:
            at = _last_before(self._sessions.open_ns, end_ns - 1)
            wait += self.shape.closing_ms if at >= 0 and int(self._sessions.close_ns[at]) == end_ns else 0
        return end_ns + wait * MILLI_NS


def _last_before(opens: IntArray, ts_ns: int) -> int:
    return int(np.searchsorted(opens, ts_ns, side="right")) - 1
