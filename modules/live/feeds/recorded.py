"""What was recorded, said again in order: the bars of a data set, or any news of before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import polars as pl

from modules.live.feeds.news import Bar, Depth, FeedNews, Link, Quote, Trade
from modules.live.feeds.port import FeedError

BATCH: Final = 512
"""News that one `poll` gives at most where nothing paces them."""
_FIELDS: Final = ("open", "high", "low", "close", "volume")


def known_at(one: FeedNews) -> int:
    """When we could know it."""
    if isinstance(one, Bar):
        return one.known_ns
    return one.seen_ns if isinstance(one, Quote | Trade | Depth) else one.ts_ns


def bars_of(records: pl.DataFrame) -> Iterator[Bar]:
    """The bars of a data set's records (`event_time`, `available_at`, `symbol`, prices, volume), as they became known.

    A record without a close is no bar; one that is restated later is said again, and the gates refuse the second.
    Raises FeedError for columns that are missing.
    """
    missing = [c for c in ("event_time", "available_at", "symbol", *_FIELDS) if c not in records.columns]
    if missing:
        raise FeedError(f"records lack {', '.join(missing)}; give those of a data set, with whole bars")
    whole = records.drop_nulls(_FIELDS).sort("available_at", "event_time", "symbol")
    stamps = whole.select(pl.col("event_time", "available_at").dt.cast_time_unit("ns").cast(pl.Int64))
    rows = whole.select("symbol", *(pl.col(c).cast(pl.Float64) for c in _FIELDS)).iter_rows()
    for (symbol, *values), (label, known) in zip(rows, stamps.iter_rows(), strict=True):
        first, high, low, last, volume = values
        yield Bar(symbol, label, first, high, low, last, volume, known)


class RecordedFeed:
    """News in order of when it could be known. `speed`: how many times as fast as it came; None = as fast as asked.

    The first news is `Link` (up) at the time of the first recorded one.
    """

    def __init__(
        self,
        name: str,
        news: Iterable[FeedNews],
        *,
        speed: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if speed is not None and not speed > 0.0:
            raise FeedError(f"speed of {name} is {speed}; give how many times as fast, above 0, or None")
        self.name = name
        self._news, self._speed, self._clock, self._sleep = iter(news), speed, clock, sleep
        self._next: FeedNews | None = None
        self._began_s, self._first_ns = 0.0, 0
        self._greeted = False
        self._over = True

    def open(self) -> None:
        """Begin with the first of it. Raises FeedError where there is nothing."""
        self._next = next(self._news, None)
        if self._next is None:
            raise FeedError(f"the recording {self.name} holds nothing; give one with at least one bar or event")
        self._began_s, self._first_ns, self._over = self._clock(), known_at(self._next), False

    def poll(self, timeout_s: float) -> list[FeedNews]:
        """What is due; waits for it up to `timeout_s`."""
        if self._over:
            return []
        said: list[FeedNews] = []
        if not self._greeted and not isinstance(self._next, Link):
            said.append(Link(self.name, True, "recorded", self._first_ns))
        self._greeted = True
        due_ns = self._due(timeout_s)
        while self._next is not None and len(said) < BATCH and (due_ns is None or known_at(self._next) <= due_ns):
            said.append(self._next)
            self._next = next(self._news, None)
        self._over = self._next is None
        return said

    def _due(self, timeout_s: float) -> int | None:
        """Up to when the recording is to be said by now; sleeps where nothing is due yet."""
        if self._speed is None or self._next is None:
            return None
        at = self._began_s + (known_at(self._next) - self._first_ns) / 1e9 / self._speed
        wait = min(timeout_s, at - self._clock())
        if wait > 0.0:
            self._sleep(wait)
        return self._first_ns + int((self._clock() - self._began_s) * self._speed * 1e9)

    def resync(self, symbol: str) -> None:
        """A recording has the snapshots that it has."""

    @property
    def ended(self) -> bool:
        """Whether all of it was said."""
        return self._over

    def fileno(self) -> int:
        """None: poll it."""
        return -1

    def close(self) -> None:
        """Say nothing more."""
        self._over, self._next = True, None
