"""All feeds of an account in one place: polled together, taken in, made into closed bars as records. One thread.

What the runner needs of a market that is live: bars that closed (`due`), their records (`closed`), and why an order may
not go out just now (`may_open`).
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Sequence

import polars as pl

from modules.contract import TIME
from modules.engine.exchange.events import Instrument
from modules.live.feeds.bars import BarBuilder
from modules.live.feeds.hours import Hours
from modules.live.feeds.market import Market
from modules.live.feeds.news import Bar, FeedNews
from modules.live.feeds.opening import FeedsConfig, make_feed
from modules.live.feeds.port import Feed, FeedError
from modules.live.orders.order import Ticket

Heard = Callable[[str, FeedNews], None]
_LOOK_S = 0.05
"""How often a feed without a descriptor is looked at."""


class Station:
    """Feeds, market and bars. `records` of `closed` have the columns of `like`; what bars do not say is null there.

    `heard` is told of everything that feeds say, before it has an effect: for the tape.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        market: Market,
        builder: BarBuilder,
        like: pl.DataFrame,
        *,
        heard: Heard | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        hours: Hours | None = None,
    ) -> None:
        self.feeds = {f.name: f for f in feeds}
        self.market, self.builder = market, builder
        self._schema, self._heard, self._clock_ns = like.schema, heard, clock_ns
        self.hours = hours or Hours(builder.shape.calendar, builder.shape.closing_ms)
        self.after_poll: list[Callable[[], None]] = []
        """Called at the end of each `poll`: for who shows what stands."""
        self._bars: dict[int, list[Bar]] = {}
        self._due_ns: dict[int, int] = {}  # when each label that was not said yet is to be
        self._said_ns = -1
        self.late = 0
        """Bars of a venue that came after their label was said."""
        market.trades_heard.append(builder.take)
        market.bars_heard.append(self._told)

    def open(self) -> None:
        """Open every feed. Raises FeedError."""
        for feed in self.feeds.values():
            feed.open()

    def poll(self, timeout_s: float) -> list[int]:
        """Take in what came, and close what bars are over; returns their labels, each once, in order. Waits up to
        `timeout_s` where nothing is there yet."""
        self._wait(timeout_s)
        for name, feed in self.feeds.items():
            news = feed.poll(0.0)
            if self._heard is not None:
                for one in news:
                    self._heard(name, one)
            self.market.take(name, news)
        for name, symbol in self.market.wanted():
            self.feeds[name].resync(symbol)
        now = self._clock_ns()
        self._look_at_hours(now)
        for bar in self.builder.close(now):
            self._bars.setdefault(bar.ts_ns, []).append(bar)
            self._due_ns[bar.ts_ns] = now
        due = sorted(label for label, at in self._due_ns.items() if at <= now)
        for label in due:
            del self._due_ns[label]
            self._said_ns = max(self._said_ns, label)
        for call in self.after_poll:
            call()
        return due

    def _look_at_hours(self, now: int) -> None:
        self.market.health.hours(self.hours.is_open(now), self.hours.opened_ns(now))

    def _told(self, bar: Bar) -> None:
        """A bar that a venue made itself: those of other instruments may be on their way, so its label waits."""
        if bar.ts_ns <= self._said_ns:
            self.late += 1
            return
        self._bars.setdefault(bar.ts_ns, []).append(bar)
        self._due_ns.setdefault(bar.ts_ns, self._clock_ns() + self.builder.shape.grace_ms * 1_000_000)

    def closed(self, ts_ns: int) -> tuple[pl.DataFrame, int]:
        """Records of the bars up to label `ts_ns` that were not given yet, and when the last of them was known."""
        labels = sorted(label for label in self._bars if label <= ts_ns)
        given = [bar for label in labels for bar in sorted(self._bars.pop(label), key=lambda b: b.symbol)]
        return records_of(given, self._schema), max((b.known_ns for b in given), default=ts_ns)

    def may_open(self, ticket: Ticket, held: int) -> str | None:
        """Why an order may not go out while `held` lots are held: a feed that stalls. What only reduces may."""
        now = self._clock_ns()
        self._look_at_hours(now)
        return self.market.health.opens(ticket.symbol, ticket.lots, held, now)

    def stalled(self) -> dict[str, str | None]:
        """Each feed and instrument with what is wrong with it; None = it is well."""
        now, health = self._clock_ns(), self.market.health
        self._look_at_hours(now)
        said = {name: health.source(now, name) for name in self.feeds}
        return said | {symbol: health.symbol(now, symbol) for symbol in self.market.instruments}

    def opened_ns(self) -> int | None:
        """Since when the market is open; None = it is closed."""
        now = self._clock_ns()
        return max(-1, self.hours.opened_ns(now)) if self.hours.is_open(now) else None

    def close(self) -> None:
        """Hang up."""
        for feed in self.feeds.values():
            feed.close()

    def _wait(self, timeout_s: float) -> None:
        numbers = [f.fileno() for f in self.feeds.values() if not f.ended]
        due = min((x for x in (self.builder.next_ns(), *self._due_ns.values()) if x is not None), default=None)
        if due is not None:
            timeout_s = min(timeout_s, max(0.0, (due - self._clock_ns()) / 1e9))
        if any(n < 0 for n in numbers):
            timeout_s = min(timeout_s, _LOOK_S)
        if timeout_s <= 0.0:
            return
        waits = select.poll()
        for number in numbers:
            if number >= 0:
                waits.register(number, select.POLLIN)
        waits.poll(timeout_s * 1_000.0)


def records_of(bars: Iterable[Bar], schema: pl.Schema) -> pl.DataFrame:
    """Bars as records of a data set: `event_time` their label, `available_at` when they were known."""
    rows = list(bars)
    columns: dict[str, pl.Series] = {
        "symbol": pl.Series([b.symbol for b in rows], dtype=pl.String),
        "event_time": pl.Series([b.ts_ns for b in rows], dtype=pl.Int64).cast(TIME),
        "available_at": pl.Series([max(b.known_ns, b.ts_ns) for b in rows], dtype=pl.Int64).cast(TIME),
    }
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = pl.Series([getattr(b, name) for b in rows], dtype=pl.Float64)
    made = {n: columns.get(n, pl.Series([None] * len(rows), dtype=kind)) for n, kind in schema.items()}
    return pl.DataFrame(made, schema=schema)


def open_station(
    config: FeedsConfig, instruments: Sequence[Instrument], like: pl.DataFrame, *, heard: Heard | None = None
) -> Station:
    """The feeds of a configuration, opened. Raises FeedError."""
    symbols = [x.symbol for x in instruments]
    try:
        hours, builder = Hours(config.bars.calendar, config.bars.closing_ms), BarBuilder(config.bars)
    except ValueError as error:
        raise FeedError(f"bars.calendar: {error}") from error
    feeds = [
        make_feed(name, options, symbols, lambda: not hours.is_open(time.time_ns()))
        for name, options in config.feeds.items()
    ]
    market = Market(instruments, gates=config.gates, health=config.health)
    station = Station(feeds, market, builder, like, heard=heard, hours=hours)
    station.open()
    return station
