"""What is known of the market: every feed's news in, books, reference prices and counts out. No clock, no socket.

A reference price comes only from news that passed the gates, so whoever is told of it (`Marked`) and hears no more of a
stalled feed sees its age grow, and the risk core's STALE_PRICE speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from modules.engine.exchange.events import Instrument
from modules.live.feeds.book import DepthBook
from modules.live.feeds.gates import Gate, Gatekeeper, GateLimits
from modules.live.feeds.health import FeedHealth, HealthLimits
from modules.live.feeds.news import Bar, Beat, Depth, FeedNews, Link, Quote, Trade
from modules.live.feeds.sync import Sync
from modules.live.messages import Marked

MOST_TRADE_IDS: Final = 4_096


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask as last believed, sizes in units of the instrument."""

    bid: float
    ask: float
    bid_size: float
    ask_size: float
    venue_ns: int

    @property
    def mid(self) -> float:
        """Half way between them."""
        return 0.5 * self.bid + 0.5 * self.ask


@dataclass
class Line:
    """One instrument at one venue. Each kind of news has gates of its own: their times need not interleave."""

    instrument: Instrument
    venue: str
    gates: GateLimits
    feed: str = ""
    sync: Sync = field(default_factory=Sync)
    top: Top | None = None
    last: Trade | None = None
    wants_snapshot: bool = False
    doubted: list[Trade] = field(default_factory=list)
    """Trades too far off to be believed yet; bars have them once later ones agree, as after a night."""
    trade_ids: dict[str, None] = field(default_factory=dict)
    """The last of them, oldest first: a venue may say a trade again after a connection went."""

    def __post_init__(self) -> None:
        self.book = DepthBook(self.instrument)
        self.of_quotes, self.of_trades = Gatekeeper(self.gates), Gatekeeper(self.gates)
        self.of_books = Gatekeeper(self.gates)

    @property
    def refused(self) -> dict[Gate, int]:
        """Refusals by gate, of all kinds of news."""
        total: dict[Gate, int] = {}
        for keeper in (self.of_quotes, self.of_trades, self.of_books):
            for gate, count in keeper.refused.items():
                total[gate] = total.get(gate, 0) + count
        return total


class Market:
    """All instruments of an account at all venues that are heard. Not to be shared between threads."""

    def __init__(
        self, instruments: Iterable[Instrument], *, gates: GateLimits | None = None, health: HealthLimits | None = None
    ) -> None:
        self.instruments = {x.symbol: x for x in instruments}
        self.gates = gates or GateLimits()
        self.health = FeedHealth(health or HealthLimits())
        self.lines: dict[tuple[str, str], Line] = {}
        self.marks: dict[str, Marked] = {}
        self.listeners: list[Callable[[Marked], None]] = []
        """Told of every new reference price."""
        self.bars_heard: list[Callable[[Bar], None]] = []
        """Told of every believed bar."""
        self.trades_heard: list[Callable[[Trade], None]] = []
        """Told of every believed trade: `BarBuilder.take`, `BarBuilder.close` makes bars of them."""
        self.traded: dict[str, float] = {}
        """Units of each symbol that traded: believed trades, or believed bars where no trade is heard."""
        self.unknown = 0
        """News of symbols that are no instrument here."""
        self._bars: dict[str, Gatekeeper] = {}
        self._has_trades: set[str] = set()
        self._wanted: list[tuple[str, str]] = []

    def take(self, feed: str, news: Iterable[FeedNews]) -> None:
        """Take in what a feed said, in order."""
        for one in news:
            if isinstance(one, Depth):
                self._depth(feed, one)
            elif isinstance(one, Quote):
                self._quote(feed, one)
            elif isinstance(one, Trade):
                self._trade(feed, one)
            elif isinstance(one, Bar):
                self._bar(feed, one)
            elif isinstance(one, Beat):
                self.health.heard(feed, one.ts_ns)
            else:
                self._link(feed, one)

    def wanted(self) -> tuple[tuple[str, str], ...]:
        """`(feed, symbol)` of books that need a new snapshot and were not told of before: for `Feed.resync`."""
        found, self._wanted = tuple(self._wanted), []
        return found

    def line(self, symbol: str, venue: str) -> Line | None:
        """What is known of an instrument at a venue; None where nothing was heard, or it is no instrument here."""
        found = self.lines.get((venue, symbol))
        if found is None and symbol in self.instruments:
            found = self.lines[venue, symbol] = Line(self.instruments[symbol], venue, self.gates)
        return found

    def seed(self, symbol: str, venue: str, price: float) -> None:
        """Let spikes be measured from a price of before (the last close) until there are newer ones."""
        line = self.line(symbol, venue)
        if line is not None and price > 0.0:
            for keeper in (line.of_quotes, line.of_trades, line.of_books):
                keeper.recent.append(price)

    # --- one kind each ------------------------------------------------------------------------------

    def _known(self, feed: str, one: Quote | Trade | Depth) -> Line | None:
        self.health.heard(feed, one.seen_ns)
        line = self.line(one.symbol, one.venue)
        if line is None:
            self.unknown += 1
        else:
            line.feed = feed
        return line

    def _quote(self, feed: str, one: Quote) -> None:
        line = self._known(feed, one)
        if line is None:
            return
        verdict = line.of_quotes.quote(one.bid, one.ask, one.bid_size, one.ask_size, one.venue_ns, one.seen_ns)
        if verdict is Gate.PASS and one.bid is not None and one.ask is not None:
            self._believe(line, Top(one.bid, one.ask, one.bid_size, one.ask_size, one.venue_ns), one.seen_ns)

    def _trade(self, feed: str, one: Trade) -> None:
        line = self._known(feed, one)
        if line is None:
            return
        if one.trade_id in line.trade_ids:
            line.of_trades.refuse(Gate.REPEATED)
            return
        verdict = line.of_trades.trade(one.price, one.size, one.venue_ns, one.seen_ns)
        if verdict is not Gate.PASS and verdict is not Gate.SPIKE:
            return
        if one.trade_id:
            line.trade_ids[one.trade_id] = None
            if len(line.trade_ids) > MOST_TRADE_IDS:
                del line.trade_ids[next(iter(line.trade_ids))]
        if verdict is Gate.SPIKE:
            line.doubted = [*line.doubted[-self.gates.spike_confirmations :], one]
            return
        confirmed = line.of_trades.confirmed
        said = [*line.doubted[-confirmed:], one] if confirmed else [one]
        line.doubted.clear()
        line.last = one
        self._has_trades.add(one.symbol)
        self.traded[one.symbol] = self.traded.get(one.symbol, 0.0) + sum(trade.size for trade in said)
        if line.top is None:  # nothing better is known
            self._mark(one.symbol, one.price, one.venue_ns, one.seen_ns)
        for listener in self.trades_heard:
            for trade in said:
                listener(trade)

    def _depth(self, feed: str, one: Depth) -> None:
        line = self._known(feed, one)
        if line is None:
            return
        if one.is_snapshot:
            line.wants_snapshot = False
        for message in line.sync.take(one):
            write = line.book.replace if message.is_snapshot else line.book.change
            gate = write(message.bids, message.asks, message.venue_ns)
            if gate is not Gate.PASS and not (gate is Gate.LOCKED and self.gates.allow_locked):
                line.of_books.refuse(gate)
                line.sync.lost()
                self._break(line, f"{gate.name.lower()} after change {message.last}")
                return
        if not line.sync.is_live:
            self._break(line, line.sync.stand.value)
        elif line.book.at_edge:
            line.sync.lost()
            self._break(line, "the market has left the part of the book that is kept")
        else:
            self.health.broken.pop(one.symbol, None)
            self._believe_book(line, one)

    def _believe_book(self, line: Line, one: Depth) -> None:
        book, lot = line.book, line.instrument.lot_size
        bid, ask = book.bid, book.ask
        sizes = book.bid_lots * lot, book.ask_lots * lot
        at = max(book.venue_ns, line.of_books.last_ns)  # the venue's numbers are in order, whatever its times
        verdict = line.of_books.quote(bid, ask, *sizes, at, one.seen_ns)
        if verdict is Gate.PASS and bid is not None and ask is not None:
            self._believe(line, Top(bid, ask, *sizes, at), one.seen_ns)

    def _bar(self, feed: str, one: Bar) -> None:
        self.health.heard(feed, one.known_ns)
        if one.symbol not in self.instruments:
            self.unknown += 1
            return
        keeper = self._bars.setdefault(one.symbol, Gatekeeper(self.gates))
        if keeper.bar((one.open, one.high, one.low, one.close), one.volume, one.ts_ns) is not Gate.PASS:
            return
        if one.symbol not in self._has_trades:
            self.traded[one.symbol] = self.traded.get(one.symbol, 0.0) + one.volume
        self._mark(one.symbol, one.close, one.known_ns, one.known_ns)
        for listener in self.bars_heard:
            listener(one)

    def _link(self, feed: str, one: Link) -> None:
        self.health.link(feed, one.is_up, one.reason, one.ts_ns)
        for line in self.lines.values():
            if line.feed != feed:
                continue
            line.top = None
            line.wants_snapshot = False  # a new connection begins with snapshots
            if line.sync.snapshots:
                line.sync.lost()
                line.book.clear()
                self.health.broken[line.instrument.symbol] = f"feed {feed} is {'new' if one.is_up else 'down'}"

    def _break(self, line: Line, why: str) -> None:
        """The book does not stand: say so, and ask once for a snapshot."""
        line.top = None
        self.health.broken.setdefault(line.instrument.symbol, why)
        if not line.wants_snapshot:
            line.wants_snapshot = True
            self._wanted.append((line.feed, line.instrument.symbol))

    def _believe(self, line: Line, top: Top, seen_ns: int) -> None:
        line.top = top
        self._mark(line.instrument.symbol, top.mid, top.venue_ns, seen_ns)

    def _mark(self, symbol: str, price: float, venue_ns: int, seen_ns: int) -> None:
        """A reference price is as old as the venue says, or as when it was seen where the venue's clock is ahead."""
        at = min(venue_ns, seen_ns)
        before = self.marks.get(symbol)
        if before is not None and at < before.ts_ns:
            return
        mark = self.marks[symbol] = Marked(symbol, price, at)
        self.health.priced(symbol, at)
        for listener in self.listeners:
            listener(mark)
