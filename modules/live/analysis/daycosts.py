"""What trading cost on a live day, from what was recorded: the runner's tape, and the desk's journal beside it.

An order is what was decided: a ticket of the runner, or the parent of children that an algorithm sent. It is counted
with the lots that were let out. Prices are those that were seen at the time: the middle of the quotes where there were
any, else the bars (an order can first trade at the open of the next bar, and fills of a simulated venue carry the label
of their bar), else the venue's marks.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from modules.live.analysis.tca import FILLS, ORDERS, CostError, Costs, costs
from modules.live.feeds.news import Bar, Quote, Trade
from modules.live.journal.port import Entry
from modules.live.messages import Ask, Busted, Corrected, Filled, Marked, Message, Ruled
from modules.live.orders.ids import decided_ns
from modules.live.runner.tape import Frame, Kind
from modules.live.runner.taped import Decided, Outcome
from modules.live.units import MICROS, SECOND_NS

Candle: TypeAlias = tuple[int, float, float, float, float, float]
"""Label, open, high, low, close, volume; what is missing is NaN."""


@dataclass
class _Order:
    """One order: signed lots, from when, at what prices; `label` is that of the bar it was decided on, if any."""

    symbol: str
    venue: str
    lots: int
    decided_ns: int
    decision: float | None
    arrival: float | None
    label: int | None


@dataclass
class _Day:
    """What is known so far, and what happened."""

    venue: str
    lot_sizes: Mapping[str, float]
    marks: dict[str, float] = field(default_factory=dict)
    mids: dict[str, float] = field(default_factory=dict)
    bars: dict[str, dict[int, Candle]] = field(default_factory=dict)
    past: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    trades: dict[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    orders: dict[str, _Order] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)  # the order of each client id
    venues: dict[str, str] = field(default_factory=dict)
    fills: dict[tuple[str, str], tuple[Filled | Corrected, float | None]] = field(default_factory=dict)
    void: set[tuple[str, str]] = field(default_factory=set)

    def price(self, symbol: str) -> float | None:
        """What the market was worth when last seen."""
        return self.mids.get(symbol, self.marks.get(symbol))

    def take(self, now_ns: int, message: Message) -> None:
        """One recorded message, in order of time."""
        if isinstance(message, Marked):
            self.marks[message.symbol] = message.price
            self._remember(now_ns, message.symbol)
        elif isinstance(message, Quote):
            if message.bid is not None and message.ask is not None:
                self.mids[message.symbol] = 0.5 * (message.bid + message.ask)
                self._remember(now_ns, message.symbol)
        elif isinstance(message, Trade):
            self.trades.setdefault(message.symbol, []).append((message.seen_ns, message.price, message.size))
        elif isinstance(message, Bar):
            m = message
            self.bars.setdefault(m.symbol, {})[m.ts_ns] = (m.ts_ns, m.open, m.high, m.low, m.close, m.volume)
        elif isinstance(message, Decided):
            for ticket in message.tickets:
                price = self.price(ticket.symbol)
                self.orders[ticket.client_id] = _Order(
                    ticket.symbol, self.venue, ticket.lots, message.ts_ns, price, price, message.ts_ns
                )
                self.of[ticket.client_id] = ticket.client_id
        elif isinstance(message, Outcome):
            if message.client_id in self.orders:
                self.orders[message.client_id].lots = message.lots
        elif isinstance(message, Ask):
            self._asked(message)
        elif isinstance(message, Ruled):
            order = self.orders.get(message.client_id)
            if order is not None and self.of.get(message.client_id) == message.client_id:
                order.lots = message.allowed
        elif isinstance(message, Filled | Corrected):
            key = message.client_id, message.exec_id
            known = self.fills.get(key)
            market = known[1] if known is not None else self.mids.get(message.symbol)
            if known is None or isinstance(message, Corrected):
                self.fills[key] = message, market
        elif isinstance(message, Busted):
            self.void.add((message.client_id, message.exec_id))

    def _remember(self, now_ns: int, symbol: str) -> None:
        """Keep the last price of each second."""
        past, price = self.past.setdefault(symbol, []), self.price(symbol)
        assert price is not None
        if past and past[-1][0] // SECOND_NS == now_ns // SECOND_NS:
            past[-1] = now_ns, price
        else:
            past.append((now_ns, price))

    def _price_at(self, symbol: str, at_ns: int) -> float | None:
        """The last price up to a time, to the second; the first there is, where none is so old."""
        past = self.past.get(symbol, [])
        if not past:
            return None
        return past[max(0, bisect_right(past, (at_ns, math.inf)) - 1)][1]

    def _asked(self, ask: Ask) -> None:
        """An order of nobody's decision on the tape, or a child: its parent is the order."""
        name = ask.parent or ask.client_id
        self.of[ask.client_id], self.venues[ask.client_id] = name, ask.venue
        if name in self.orders:
            return
        side = 1 if ask.lots > 0 else -1
        lots = side * ask.parent_left if ask.parent and ask.parent_left > 0 else ask.lots
        try:
            at = decided_ns(name)
        except ValueError:
            at = ask.sent_ns
        decision = self._price_at(ask.symbol, at)
        self.orders[name] = _Order(ask.symbol, ask.venue, lots, at, decision, self.price(ask.symbol), None)


def costs_of_day(
    tape: Iterable[Frame],
    journal: Iterable[Entry],
    venue: str,
    lot_sizes: Mapping[str, float],
    after: Iterable[Frame] = (),
) -> Costs:
    """The costs of a day's orders; executions carry `when`, their UTC hour.

    `after`: the next day's tape, on which orders of the last bar have their fills. `lot_sizes`: of each symbol that
    traded. Raises CostError for one that is not there.
    """
    day = _Day(venue, lot_sizes)
    for told in heapq.merge(_of_tape(tape, day), ((e.ts_ns, e.message) for e in journal), key=lambda pair: pair[0]):
        day.take(*told)
    for now_ns, message in _of_tape(after, day):
        if isinstance(message, Filled | Corrected | Busted):
            day.take(now_ns, message)
    for order in day.orders.values():
        if order.symbol not in lot_sizes:
            raise CostError(f"{order.symbol} was ordered and has no lot size; give the instruments of the day")
    return _costs(day)


def _of_tape(tape: Iterable[Frame], day: _Day) -> Iterator[tuple[int, Message]]:
    """The messages of a tape; bars go into the day as they come."""
    for frame in tape:
        if frame.message is not None:
            yield frame.ts_ns, frame.message
        elif frame.kind is Kind.RECORDS and frame.rows is not None:
            _add_bars(day, frame.rows)


def _add_bars(day: _Day, rows: pl.DataFrame) -> None:
    names = ("open", "high", "low", "close", "volume")
    numbers = [pl.col(n).cast(pl.Float64) if n in rows.columns else pl.lit(None, pl.Float64).alias(n) for n in names]
    for symbol, ts, *values in rows.select("symbol", pl.col("event_time").to_physical(), *numbers).iter_rows():
        o, h, low, c, v = (float("nan") if x is None else x for x in values)
        day.bars.setdefault(symbol, {})[ts] = (ts, o, h, low, c, v)


def _costs(day: _Day) -> Costs:
    numbers = {name: k for k, name in enumerate(day.orders)}
    fills: dict[str, list[object]] = {name: [] for name in FILLS}
    last: dict[str, int] = {}
    hours: list[str] = []
    for key, (fill, mid) in day.fills.items():
        name = day.of.get(fill.client_id)
        if name is None or key in day.void:
            continue
        own = day.bars.get(fill.symbol, {}).get(fill.ts_ns)
        order = day.orders[name]
        if order.lots * fill.lots <= 0:
            order.lots = fill.lots  # it was said not to be out, and it was
        last[name] = max(last.get(name, 0), fill.ts_ns)
        market = mid if mid is not None else own[1] if own is not None else None
        values = (
            numbers[name], fill.ts_ns, day.venues.get(fill.client_id, order.venue), float(fill.lots), fill.price,
            market, fill.fee_micros / MICROS,
        )  # fmt: skip
        for column, value in zip(fills.values(), values, strict=True):
            column.append(value)
        hours.append(f"{fill.ts_ns // SECOND_NS // 3600 % 24:02}:00")
    rows: dict[str, list[object]] = {name: [] for name in ORDERS}
    for name, order in day.orders.items():
        if order.lots == 0:
            continue
        for column, told in zip(rows.values(), _row(day, order, numbers[name], last.get(name)), strict=True):
            column.append(told)
    done = pl.DataFrame(fills, schema=FILLS).with_columns(when=pl.Series(hours, dtype=pl.String))
    return costs(pl.DataFrame(rows, schema=ORDERS), done)


def _row(day: _Day, order: _Order, number: int, last_fill: int | None) -> tuple[object, ...]:
    bars = [day.bars.get(order.symbol, {})[ts] for ts in sorted(day.bars.get(order.symbol, {}))]
    arrival = order.arrival
    if order.label is not None and order.symbol not in day.mids:
        following = next((b for b in bars if b[0] > order.label), None)
        arrival = following[1] if following is not None and following[1] == following[1] else arrival
    begin = order.label + 1 if order.label is not None else order.decided_ns
    end = last_fill if last_fill is not None else begin
    close = day.price(order.symbol)
    return (
        number, order.symbol, order.venue, float(order.lots), day.lot_sizes[order.symbol], order.decided_ns,
        order.decision, arrival, close, _vwap(day, order.symbol, bars, begin, end), close,
    )  # fmt: skip


def _vwap(day: _Day, symbol: str, bars: list[Candle], begin: int, end: int) -> float | None:
    """Mean price by volume of the trades, else of the bars, over the order's life."""
    seen = [(price, size) for ts, price, size in day.trades.get(symbol, []) if begin <= ts <= end]
    if not seen:
        known = [b for b in bars if begin <= b[0] <= end and b[2] + b[3] + b[4] + b[5] > 0.0]
        seen = [((high + low + close) / 3.0, volume) for _, _, high, low, close, volume in known]
    total = sum(size for _, size in seen)
    return sum(price * size for price, size in seen) / total if total > 0.0 else None
