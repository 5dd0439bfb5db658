"""Matching on bars, as the backtest does it: with the engine's own kernels, in the engine's own order.

At bar t: borrow and funding, corporate actions, fills of the orders that arrived after bar t-1, marks. With one market
order a symbol and bar, sent in the order of the engine's decision, the account is the backtest's to the bit.

Beyond what a backtest has: several orders in a symbol fill one after the other and share the bar's volume; a limit
order fills at the bar's price where that is no worse than its limit, else at its limit where the bar traded through it,
and works as long as its time in force says. Market orders work for one bar, or on where the engine's remainder stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import polars as pl

from modules.engine.accounting import ACTED, CASH, FILLS, NAV, PENDING, Book, Market, micros, new_fill_log, new_room
from modules.engine.actions import DELISTING, DIVIDEND, SPLIT, act, restated
from modules.engine.bars import Run, prepare
from modules.engine.filling import fill
from modules.engine.marking import borrow, fund, mark_positions
from modules.engine.settings import TradingSettings
from modules.live.messages import Marked, Moved, Report, Restated, Stepped, VenueNews
from modules.live.units import DAY_NS
from modules.live.venues.sim.orders import SimOrder, SimOrders
from modules.live.venues.sim.protocol import NewOrder
from modules.panel import FloatArray, Panel, read_only

_OFFERED: Final = frozenset({("market", "day"), ("market", "ioc"), ("market", "gtc")}) | frozenset(
    ("limit", tif) for tif in ("day", "gtc", "ioc")
)


class BarMatching:
    """One account on bars. `run` is taken over: `modules.engine.bars.prepare` makes it, nothing else may advance it."""

    @classmethod
    def of(
        cls, bars: Panel, instruments: pl.DataFrame, settings: TradingSettings, start_ns: int, name: str = "sim"
    ) -> BarMatching:
        """An account as a backtest with these settings has it. Raises EngineError for input that does not fit."""
        run = prepare(
            bars,
            instruments,
            capital_usd=settings.capital_usd,
            costs=settings.costs,
            limits=settings.limits,
            start_ns=start_ns,
            min_order_usd=settings.min_order_usd,
            fill_without_open=settings.fill_without_open,
            liquidity=settings.liquidity,
        )
        return cls(run, name)

    def __init__(self, run: Run, name: str = "sim") -> None:
        self.name, self.run, self.orders = name, run, SimOrders()
        self.symbols = run.bars.symbols
        self._column = {s: i for i, s in enumerate(self.symbols)}
        self._prices, self._busy = run.market.fill.copy(), run.market.busy.copy()
        self._market: Market = run.market._replace(fill=read_only(self._prices), busy=read_only(self._busy))
        self._book: Book = run.book
        self._fills, self._room = new_fill_log(len(self.symbols)), new_room(run.book)
        self._at = run.start - 1
        self._committed: list[int] | None = None
        self._stays: set[int] = set()  # orders whose rest the volume of this bar had no room for

    # --- orders -------------------------------------------------------------------------------------

    def submit(self, order: NewOrder) -> list[VenueNews]:
        """Take an order, to fill at the next bar at the earliest, or refuse it."""
        taken, news = self.orders.take(order, self._against(order), self._now)
        if taken is not None:
            taken.leans = self._leans(taken)
        return [news]

    def cancel(self, client_id: str) -> list[VenueNews]:
        """Cancel one order."""
        return [self.orders.cancel(client_id, self._now)]

    def cancel_all(self) -> list[VenueNews]:
        """Cancel whatever works."""
        return self.orders.cancel_all(self._now)

    def _against(self, order: NewOrder) -> str | None:
        if order.symbol not in self._column:
            return f"symbol {order.symbol} is not traded here"
        if (order.order_type, order.time_in_force) not in _OFFERED:
            return f"{order.order_type} orders {order.time_in_force} are not taken; send market or limit: day, gtc, ioc"
        if order.order_type == "limit" and not 0.0 < (order.limit_price or 0.0) < math.inf:
            return f"limit_price {order.limit_price}; a limit order needs one above 0"
        return None

    def _leans(self, order: SimOrder) -> bool:
        """Whether it is allowed only in room that others are to free in its sector, as `ordering.order` has it."""
        book, market = self._book, self._market
        if self._at < self.run.start:
            return False
        sectors = market.sectors[int(market.segment[self._at]) if market.sectors.shape[0] > 1 else 0]
        if self._committed is None:
            self._committed = [0] * book.sector_gross.size
            growth = [self._growth(self._column[o.sent.symbol], o.left) for o in self._resting()]
            for sector, value in zip(sectors, book.value, strict=True):
                self._committed[sector] += abs(int(value))
            for o, more in zip(self._resting(), growth, strict=True):
                self._committed[sectors[self._column[o.sent.symbol]]] += max(0, more)
        i = self._column[order.sent.symbol]
        grows = self._growth(i, order.left)
        self._committed[sectors[i]] += max(0, grows)
        most = math.floor(self.run.terms.max_sector * float(book.totals[NAV]))
        return grows > 0 and float(self._committed[sectors[i]]) > most

    def _resting(self) -> Iterator[SimOrder]:
        return (o for o in self.orders.working.values() if o.since_ns < self._now)

    def _growth(self, i: int, lots: int) -> int:
        """By how much the position's worth grows with an order, micros."""
        book = self._book
        after = int(book.lots[i]) + lots
        worth = abs(micros(after, self._market.lot_size[i], book.mark[i])) if after != 0 and book.mark[i] > 0.0 else 0
        return worth - abs(int(book.value[i]))

    # --- time ---------------------------------------------------------------------------------------

    def proceed(self, ts_ns: int) -> list[VenueNews]:
        """The next bar, as `Matching.proceed` says. Raises OverflowError where an amount leaves int64 micros."""
        if self._at >= self.run.start and (ts_ns != self._now or self._is_last):
            return self.standing()
        self._at += 1
        self._committed = None
        news: list[VenueNews] = [*self._accrue(), *self._match()]
        row = self._at - self.run.start
        mark_positions(self._at, row, self._market, self._book, self.run.log)
        close = self._market.close[self._at].tolist()
        news += [Marked(s, p, self._now) for s, p in zip(self.symbols, close, strict=True) if p > 0.0]
        news.append(Stepped(self.name, self._now, self._is_last))
        self.orders.forget(self._now)
        return news

    @property
    def _now(self) -> int:
        return int(self.run.bars.ts[self._at]) if self._at >= self.run.start else 0

    @property
    def _is_last(self) -> bool:
        return self._at == self.run.bars.ts.size - 1

    def _accrue(self) -> Iterator[VenueNews]:
        """Borrow, funding and corporate actions of the bar."""
        t, row, log, book, terms = self._at, self._at - self.run.start, self.run.log, self._book, self.run.terms
        if row > 0 and log.short[row - 1] > 0 and terms.borrow_year > 0.0:
            borrow(t, row, self._market, terms, book, log)
            yield from self._moved("borrow", -int(log.borrow[row]))
        if row > 0 and terms.funding_year > 0.0:
            fund(t, row, self._market, terms, book, log)
            yield from self._moved("funding", -int(log.funding[row]))
        if self._market.events.first[t] < self._market.events.first[t + 1]:
            yield from self._act(t, row)

    def _moved(self, what: str, micros_: int, symbol: str | None = None) -> Iterator[VenueNews]:
        if micros_ != 0:
            yield Moved(what, symbol, micros_, self._now)  # type: ignore[arg-type]  # one of its words

    def _act(self, t: int, row: int) -> Iterator[VenueNews]:
        """Splits, dividends, delistings: of positions by the engine, of waiting orders alike."""
        events, acts, first = self._market.events, self.run.acts, int(self._book.totals[ACTED])
        act(t, row, events, self._market.lot_size, self._book, self.run.log, acts)
        for e in range(int(events.first[t]), int(events.first[t + 1])):
            symbol, new, old = self.symbols[events.symbol[e]], int(events.new[e]), int(events.old[e])
            here = [o for o in self.orders.working.values() if o.sent.symbol == symbol]
            gone = not math.isnan(events.delisting[e])
            if new != old or gone:
                lots = int(self._book.lots[events.symbol[e]])
                yield Restated(symbol, lots, 0 if gone else new, old, self._now)
            for order in here:
                order.left = 0 if gone else restated(order.left, new, old)
                if order.left == 0:
                    yield self.orders.expire(order, self._now)
        for k in range(first, int(self._book.totals[ACTED])):
            what = "dividend" if acts.kind[k] == DIVIDEND else "other"
            assert acts.kind[k] in (SPLIT, DIVIDEND, DELISTING)
            yield from self._moved(what, int(acts.cash[k]), self.symbols[acts.symbol[k]])

    # --- fills --------------------------------------------------------------------------------------

    def _match(self) -> Iterator[VenueNews]:
        """Fill the orders in rounds, one a symbol in each, oldest first; then end those whose time is over."""
        self._stays.clear()
        waiting = list(self.orders.working.values())
        while waiting:
            taken: dict[int, SimOrder] = {}
            later: list[SimOrder] = []
            for order in waiting:
                i = self._column[order.sent.symbol]
                if i in taken:
                    later.append(order)
                else:
                    taken[i] = order
            yield from self._round(taken)
            waiting = later
        for order in list(self.orders.working.values()):
            if self._is_over(order):
                yield self.orders.expire(order, self._now)

    def _round(self, taken: dict[int, SimOrder]) -> Iterator[VenueNews]:
        t, book = self._at, self._book
        prices: FloatArray = self._prices[t].copy()
        for i, order in taken.items():
            self._prices[t, i] = self._price(i, order)
            book.pending[i], book.pending_id[i], book.pending_leans[i] = order.left, i, order.leans
        book.totals[PENDING], book.totals[FILLS] = len(taken), 0
        fill(t, t - self.run.start, self._market, self.run.terms, book, self.run.log, self._fills, self._room)
        self._stays |= {order.number for i, order in taken.items() if book.pending[i] != 0}
        book.pending[:] = 0
        book.totals[PENDING] = 0
        self._prices[t] = prices
        f = self._fills
        for k in range(int(book.totals[FILLS])):
            i = int(f.symbol[k])
            lots, fee = int(f.lots[k]), int(f.commission[k] + f.spread[k] + f.impact[k])
            if self._busy.size:
                self._busy[t, i] -= abs(lots) * float(self._market.lot_size[i]) / self.run.terms.participation
            yield self.orders.fill(taken[i], lots, float(f.price[k]), int(f.notional[k]), fee, self._now)

    def _price(self, i: int, order: SimOrder) -> float:
        """At what the bar would fill an order; NaN = it does not."""
        price, limit = float(self._prices[self._at, i]), order.sent.limit_price
        if order.sent.order_type == "market" or limit is None or not price > 0.0:
            return price
        side = 1.0 if order.left > 0 else -1.0
        if side * price <= side * limit:
            return price
        far = self.run.bars.fields.get("low" if side > 0.0 else "high")
        if far is None or "raw_close" in self.run.bars:
            return math.nan
        return limit if side * float(far[self._at, i]) < side * limit else math.nan

    def _is_over(self, order: SimOrder) -> bool:
        """Whether an order that did not fill at this bar, or not all of it, works no longer."""
        tif = order.sent.time_in_force
        if order.sent.order_type == "market":
            return tif == "ioc" or order.number not in self._stays
        next_day = self._is_last or self.run.bars.ts[self._at + 1] // DAY_NS != self._now // DAY_NS
        return tif == "ioc" or (tif == "day" and bool(next_day))

    # --- what stands --------------------------------------------------------------------------------

    def standing(self) -> list[VenueNews]:
        """The last marks and the moment."""
        if self._at < self.run.start:
            return []
        marks = zip(self.symbols, self._book.mark.tolist(), strict=True)
        marked: list[VenueNews] = [Marked(s, p, self._now) for s, p in marks if p > 0.0]
        return [*marked, Stepped(self.name, self._now, self._is_last)]

    def report(self) -> Report:
        """Everything of the account."""
        lots = self._book.lots.tolist()
        positions = {s: n for s, n in zip(self.symbols, lots, strict=True) if n != 0}
        cash = int(self._book.totals[CASH])
        return Report(self.name, tuple(self.orders.report()), positions, cash, True, self._now)

    @property
    def nav_micros(self) -> int:
        """NAV at the last marks."""
        return int(self._book.totals[NAV])
