"""What an order would have got: at the prices that others were shown, as far as they were shown.

1. Where a book or a quote stands, an order takes what is displayed, once for each message of the feed; what is left of
   a market or day order waits for the next. The spread is paid in the price; the commission is the backtest's.
2. Where there are only trades or bars, an order fills whole at the next trade, or at the open of the next bar to close;
   half the spread and impact are charged as in the backtest, by the instrument's daily volatility and volume.
3. A limit order that rests fills at its limit: where the other side is shown at it or beyond, up to what is shown;
   where others traded beyond it, up to what they traded; where a bar traded beyond it.
4. Day orders end with the UTC day; ioc and fok with the first chance to fill. Borrow and funding are charged once a UTC
   day at the last marks. Nothing here moves the market: what is displayed again was not taken from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from modules.engine.accounting import micros
from modules.engine.exchange.events import Instrument as Listed
from modules.engine.settings import Costs
from modules.live.feeds.gates import GateLimits
from modules.live.feeds.market import Line, Market
from modules.live.feeds.news import Bar, Depth, FeedNews, Quote, Trade
from modules.live.feeds.recorded import known_at
from modules.live.messages import (
    AnyMessage,
    Ask,
    Cancelled,
    Expired,
    Filled,
    Marked,
    Moved,
    RefusedByVenue,
    Report,
    VenueNews,
)
from modules.live.risk.core import Instrument
from modules.live.units import DAY_NS
from modules.live.venues.paper.charges import execution, holding
from modules.live.venues.sim.orders import Ended, SimOrder, SimOrders
from modules.live.venues.sim.protocol import NewOrder

MOST_USD: Final = 1e9
"""An order worth more is refused: int64 micros stay exact far above it."""
_ENDS: Final[dict[type, Ended]] = {RefusedByVenue: "rejected", Cancelled: "cancelled", Expired: "expired"}


def as_order(ask: Ask, lots: int) -> NewOrder:
    """The order that a ruling let out."""
    return NewOrder(ask.client_id, ask.symbol, lots, ask.order_type, ask.time_in_force, ask.limit_price)


class PaperMatching:
    """One account. `take` what a feed says, in order; every call returns the news that it makes."""

    def __init__(
        self, instruments: Sequence[Instrument], costs: Costs, *, cash_micros: int, name: str = "paper",
        gates: GateLimits | None = None,
    ) -> None:  # fmt: skip
        self.name, self.costs, self.cash_micros = name, costs, cash_micros
        self.instruments = {x.symbol: x for x in instruments}
        self.symbols = tuple(self.instruments)
        self.orders = SimOrders()
        self.lots: dict[str, int] = {}
        self.market = Market((Listed(x.symbol, x.tick, x.lot_size) for x in instruments), gates=gates)
        self.market.listeners.append(self._marked)
        self.market.bars_heard.append(self._bar)
        self.now_ns = 0
        self._said: list[VenueNews] = []
        self._used: dict[tuple[str, int], int] = {}  # lots taken of what the last message displayed, by symbol and side
        self._rests: set[str] = set()  # limit orders that had their chance to take
        self._fills = True

    # --- orders -------------------------------------------------------------------------------------

    def submit(self, order: NewOrder) -> list[VenueNews]:
        """Take an order, and fill at once what can be, or refuse it."""
        taken, news = self.orders.take(order, self._against(order), self.now_ns)
        self._said.append(news)
        if taken is not None:
            self._try_displayed(taken)
        return self._flush()

    def cancel(self, client_id: str) -> list[VenueNews]:
        """Cancel one order."""
        return [self.orders.cancel(client_id, self.now_ns)]

    def cancel_all(self) -> list[VenueNews]:
        """Cancel whatever works."""
        return self.orders.cancel_all(self.now_ns)

    def _against(self, order: NewOrder) -> str | None:
        known = self.instruments.get(order.symbol)
        if known is None:
            return f"symbol {order.symbol} is not traded here"
        if order.order_type not in ("market", "limit"):
            return f"{order.order_type} orders are not taken; send market or limit"
        if order.order_type == "limit" and not 0.0 < (order.limit_price or 0.0) < math.inf:
            return f"limit_price {order.limit_price}; a limit order needs one above 0"
        mark = self.market.marks.get(order.symbol)
        price = max(order.limit_price or 0.0, mark.price if mark else 0.0)
        if abs(order.lots) * known.lot_size * price > MOST_USD:
            return f"{order.lots} lots are worth more than {MOST_USD:g} USD"
        return None

    # --- the market ---------------------------------------------------------------------------------

    def take(self, feed: str, news: Iterable[FeedNews], *, fills: bool = True) -> list[VenueNews]:
        """Take in what a feed says. `fills` False: prices alone, for what was played before."""
        self._fills = fills
        for one in news:
            self._at(known_at(one))
            self.market.take(feed, (one,))
            if not fills:
                continue
            if isinstance(one, Quote | Depth):
                self._displayed(one)
            elif isinstance(one, Trade):
                self._traded(one)
        self.orders.forget(self.now_ns)
        return self._flush()

    def _at(self, now_ns: int) -> None:
        """Time goes on; with a new UTC day orders of the day end, and positions cost what they cost."""
        before, self.now_ns = self.now_ns, max(self.now_ns, now_ns)
        days = self.now_ns // DAY_NS - before // DAY_NS
        if before == 0 or days == 0 or not self._fills:
            return
        for order in [o for o in self.orders.working.values() if o.sent.time_in_force == "day"]:
            self._said.append(self.orders.expire(order, self.now_ns))
        self._rests &= self.orders.working.keys()
        for what, charged in holding(self.costs, self._worth(-1), self._worth(1), days):
            self.cash_micros -= charged
            self._said.append(Moved(what, None, -charged, self.now_ns))

    def _worth(self, side: int) -> int:
        """What is held on one side, at its marks, micros above 0."""
        marks = self.market.marks
        held = ((s, n) for s, n in self.lots.items() if side * n > 0 and s in marks)
        return sum(abs(micros(n, self.instruments[s].lot_size, marks[s].price)) for s, n in held)

    def _marked(self, mark: Marked) -> None:
        self._said.append(mark)

    def _lines(self, symbol: str) -> list[Line]:
        """Where an instrument is quoted now."""
        return [x for (_, s), x in self.market.lines.items() if s == symbol and x.top is not None]

    def _here(self, symbol: str) -> list[SimOrder]:
        """Working orders in an instrument, oldest first."""
        return [o for o in self.orders.working.values() if o.sent.symbol == symbol]

    # --- 1 and 3: what is displayed -----------------------------------------------------------------

    def _displayed(self, one: Quote | Depth) -> None:
        line = self.market.line(one.symbol, one.venue)
        if line is None or line.top is None or line.top.venue_ns != one.venue_ns:
            return  # not believed
        self._used.pop((one.symbol, 1), None)
        self._used.pop((one.symbol, -1), None)
        for order in self._here(one.symbol):
            self._try_displayed(order)

    def _try_displayed(self, order: SimOrder) -> None:
        lines, side = self._lines(order.sent.symbol), 1 if order.left > 0 else -1
        if not lines:
            return

        def best(line: Line) -> float:
            assert line.top is not None
            return line.top.ask if side > 0 else -line.top.bid

        limit = order.sent.limit_price if order.sent.order_type == "limit" else None
        used = self._used.get((order.sent.symbol, side), 0)
        lots, price = self._shown(min(lines, key=best), order.left, used, limit)
        if order.sent.time_in_force == "fok" and lots != order.left:
            lots = 0
        if lots:
            self._used[order.sent.symbol, side] = used + abs(lots)
            at = limit if limit is not None and order.sent.client_id in self._rests else price
            self._fill(order, lots, at, blind=False)
        if order.left and order.sent.time_in_force in ("ioc", "fok"):
            self._said.append(self.orders.expire(order, self.now_ns))
        elif order.left:
            self._rests.add(order.sent.client_id)

    def _shown(self, line: Line, wanted: int, used: int, limit: float | None) -> tuple[int, float]:
        """Signed lots that are displayed for an order, beyond those that were taken already, and their mean price."""
        side = 1 if wanted > 0 else -1
        if line.sync.is_live:
            whole, before = line.book.sweep(wanted + side * used, limit), line.book.sweep(side * used, limit)
            lots = abs(whole.lots) - abs(before.lots)
            if lots <= 0 or whole.price is None:
                return 0, math.nan
            return side * lots, (abs(whole.lots) * whole.price - abs(before.lots) * (before.price or 0.0)) / lots
        assert line.top is not None
        price, size = (line.top.ask, line.top.ask_size) if side > 0 else (line.top.bid, line.top.bid_size)
        if limit is not None and side * price > side * limit:
            return 0, math.nan
        lots = int(size / line.instrument.lot_size) - used
        return side * max(0, min(abs(wanted), lots)), price

    # --- 2 and 3: trades and bars -------------------------------------------------------------------

    def _traded(self, one: Trade) -> None:
        line = self.market.line(one.symbol, one.venue)
        if line is None or line.last is not one:
            return  # not believed
        left = int(one.size / line.instrument.lot_size)
        for order in self._here(one.symbol):
            limit, side = order.sent.limit_price, 1 if order.left > 0 else -1
            if order.sent.order_type == "limit" and limit is not None and order.sent.client_id in self._rests:
                lots = min(abs(order.left), left)
                if lots and side * one.price < side * limit:
                    left -= lots
                    self._fill(order, side * lots, limit, blind=False)
            elif line.top is None:
                self._blind(order, one.price, lambda limit, side: side * one.price < side * limit)

    def _bar(self, bar: Bar) -> None:
        """A bar closed of which nobody showed more."""
        if not self._fills or self._lines(bar.symbol) or not bar.volume > 0.0:
            return
        for order in self._here(bar.symbol):
            self._blind(order, bar.open, lambda limit, side: (bar.low < limit) if side > 0 else (bar.high > limit))

    def _blind(self, order: SimOrder, price: float, beyond: Callable[[float, int], bool]) -> None:
        """Fill an order whole at a price, or at its limit where others traded beyond it; else it rests, or ends."""
        limit, side = order.sent.limit_price, 1 if order.left > 0 else -1
        if order.sent.order_type == "market" or limit is None or side * price <= side * limit:
            self._fill(order, order.left, price, blind=True)
        elif order.sent.time_in_force in ("ioc", "fok"):
            self._said.append(self.orders.expire(order, self.now_ns))
        elif beyond(limit, side):
            self._fill(order, order.left, limit, blind=True)
        else:
            self._rests.add(order.sent.client_id)

    # --- the account --------------------------------------------------------------------------------

    def restore(self, recorded: Iterable[AnyMessage]) -> None:
        """The account as its record has it: orders as they were sent, and what was said of them."""
        for one in recorded:
            self.now_ns = max(self.now_ns, getattr(one, "ts_ns", 0))
            if isinstance(one, Ask):
                self.orders.take(as_order(one, one.lots), None, one.sent_ns)
            elif isinstance(one, Filled):
                order = self.orders.by_id[one.client_id]
                self.orders.fill(order, one.lots, one.price, one.value_micros, one.fee_micros, one.ts_ns)
                self._book(one.symbol, one.lots, one.value_micros + one.fee_micros)
            elif isinstance(one, Moved):
                self.cash_micros += one.micros
            elif isinstance(one, RefusedByVenue | Cancelled | Expired):
                order = self.orders.by_id[one.client_id]
                if order.ended is None:
                    self.orders.end(order, _ENDS[type(one)], one.ts_ns)
        self._rests = {i for i, o in self.orders.working.items() if o.sent.order_type == "limit"}

    def _fill(self, order: SimOrder, lots: int, price: float, *, blind: bool) -> None:
        """Execute. `blind`: nobody showed the price for it, so spread and impact are charged."""
        x = self.instruments[order.sent.symbol]
        value = micros(lots, x.lot_size, price)
        charged = execution(self.costs, x, abs(lots) * x.lot_size, abs(value), blind=blind)
        self._said.append(self.orders.fill(order, lots, price, value, charged, self.now_ns))
        self._book(order.sent.symbol, lots, value + charged)
        if order.left == 0:
            self._rests.discard(order.sent.client_id)

    def _book(self, symbol: str, lots: int, paid_micros: int) -> None:
        self.cash_micros -= paid_micros
        self.lots[symbol] = self.lots.get(symbol, 0) + lots
        if self.lots[symbol] == 0:
            del self.lots[symbol]

    def _flush(self) -> list[VenueNews]:
        said, self._said = self._said, []
        return said

    def standing(self) -> list[VenueNews]:
        """The last marks."""
        return list(self.market.marks.values())

    def report(self) -> Report:
        """Everything of the account."""
        orders = tuple(self.orders.report())
        return Report(self.name, orders, dict(self.lots), self.cash_micros, True, self.now_ns)
