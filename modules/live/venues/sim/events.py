"""Matching on events (quotes, trades, depth, bars), by the event engine's own machine: queues, latency, fees and all.

A moment is `step_ns` of the stream's time: what is ordered at its end reaches the exchange as the settings' latency
says, as the same orders of a strategy on a timer would in a backtest. Moments in which nothing happens are left out.

An order is acknowledged when it is taken in; what the machine refuses later (its risk decision, nothing to fill a fok
order with) is `Cancelled`, and so is the rest of one that its risk decision cut. A reached loss limit closes positions
by orders of the exchange's own, named `sim-close-N`.
"""

from __future__ import annotations

from typing import Any, Final

from numba import types

from modules.engine.exchange import layout as f
from modules.engine.exchange import view
from modules.engine.exchange.clock import advance
from modules.engine.exchange.events import Stream
from modules.engine.exchange.logs import Logs
from modules.engine.exchange.machine import new_machine
from modules.engine.exchange.orders import Event
from modules.engine.exchange.replay import machine_code, raise_fault
from modules.engine.exchange.settings import ExchangeSettings
from modules.live.messages import Cancelled, CancelRefused, Marked, Report, Stepped, VenueNews
from modules.live.venues.sim.orders import SimOrder, SimOrders
from modules.live.venues.sim.protocol import NewOrder

_INTS: Final = types.Array(types.int64, 1, "C")
_FLOATS: Final = types.Array(types.float64, 1, "C")
_TABLE: Final = types.Array(types.int64, 2, "C")
_TYPES: Final = {"market": view.MARKET, "limit": view.LIMIT}
_TIFS: Final = {"day": view.DAY, "gtc": view.GTC, "ioc": view.IOC, "fok": view.FOK}
_TOLERANCE: Final = 1e-9
_SUBSCRIBED: Final = f.START_BIT | f.FILL_BIT | f.ORDER_BIT | f.TIMER_BIT


class EventMatching:
    """One account on a stream. Not to be shared between threads."""

    def __init__(self, stream: Stream, settings: ExchangeSettings, step_ns: int, name: str = "sim") -> None:
        if step_ns <= 0:
            raise ValueError(f"step_ns = {step_ns}; a moment is longer than nothing")
        self.name, self._stream, self._step_ns = name, stream, step_ns
        self.symbols = tuple(x.symbol for x in stream.instruments)
        self.orders = SimOrders()
        self._columns = {s: i for i, s in enumerate(self.symbols)}
        self._a, self._r = new_machine(stream, settings, _SUBSCRIBED)
        ints, plain = _INTS, types.int64
        self._advance: Any = machine_code(advance, ints, _FLOATS, _TABLE)
        self._submit: Any = machine_code(view.submit, ints, *([plain] * 8))
        self._cancel: Any = machine_code(view.cancel, ints, plain)
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._moment_ns, self._is_over = -1, False

    # --- orders -------------------------------------------------------------------------------------

    def submit(self, order: NewOrder) -> list[VenueNews]:
        """Take an order; it leaves for the exchange when time goes on."""
        ticks, refusal = self._ticks(order)
        taken, news = self.orders.take(order, refusal, self._now)
        if taken is not None:
            column, kind = self._columns[order.symbol], _TYPES[order.order_type]
            tif = _TIFS[order.time_in_force]
            number = int(self._submit(self._a, column, order.lots, ticks, kind, tif, 0, 0, 0))
            if number < 0:
                self.orders.end(taken, "cancelled", self._now)
                return [news, Cancelled(order.client_id, self._now)]
            self._numbers[order.client_id], self._names[number] = number, order.client_id
        return [news]

    def _ticks(self, order: NewOrder) -> tuple[int, str | None]:
        """The limit in ticks, and what speaks against the order."""
        if order.symbol not in self._columns:
            return 0, f"symbol {order.symbol} is not traded here"
        if order.order_type not in _TYPES or self._is_over:
            return 0, "the data are over" if self._is_over else f"{order.order_type} orders are not taken"
        if order.order_type == "market":
            return 0, None
        over, under = self._stream.instruments[self._columns[order.symbol]].ratio()
        ticks = (order.limit_price or 0.0) * under / over
        if not 0.5 < ticks < 2**50 or abs(ticks - round(ticks)) > _TOLERANCE * ticks:
            return 0, f"limit_price {order.limit_price} is no multiple of the tick above 0"
        return round(ticks), None

    def cancel(self, client_id: str) -> list[VenueNews]:
        """Ask for a cancel; it too takes its time."""
        order = self.orders.by_id.get(client_id)
        if order is None or order.ended is not None or client_id not in self._numbers:
            reason = "no such order" if order is None else f"too late: it is {order.ended}"
            return [CancelRefused(client_id, reason, self._now)]
        self._cancel(self._a, self._numbers[client_id])
        return []

    def cancel_all(self) -> list[VenueNews]:
        """Ask for a cancel of whatever works."""
        return [news for client_id in list(self.orders.working) for news in self.cancel(client_id)]

    # --- time ---------------------------------------------------------------------------------------

    def proceed(self, ts_ns: int) -> list[VenueNews]:
        """The next moment. Raises EngineError where messages contradict each other, OverflowError beyond int64."""
        if self._moment_ns >= 0 and (ts_ns != self._moment_ns or self._is_over):
            return self.standing()
        news: list[VenueNews] = []
        self._wake()
        while True:
            kind = int(self._advance(self._a, self._r, self._stream.table))
            if kind == f.START:
                self._wake()
            elif kind == f.ON_FILL:
                news += self._filled()
            elif kind == f.ON_ORDER:
                news += self._heard()
            elif kind == f.DRAIN:
                Logs().drain(self._a, self._r)
            elif kind in (f.ON_TIMER, f.END):
                self._is_over = kind == f.END
                break
            else:
                raise_fault(self._a)
        self._moment_ns = self._now
        self.orders.forget(self._now)
        return news + self.standing()

    @property
    def _now(self) -> int:
        return int(self._a[f.H_NOW])

    def _wake(self) -> None:
        """Ask to be woken at the end of the next moment in which something happens."""
        row = int(self._a[f.H_LOCAL_ROW])
        if self._a[f.H_STARTED] and row < self._stream.size:
            coming = max(self._now, int(self._stream.table[f.E_LOCAL_NS, row]))
            self._a[f.H_TIMER] = (coming // self._step_ns + 1) * self._step_ns

    def _named(self, number: int) -> SimOrder:
        """The order of a number; one that the machine made itself gets a name."""
        if number not in self._names:
            o = int(self._a[f.H_ORDERS]) + (number & (int(self._a[f.H_SLOTS]) - 1)) * f.ORDER
            lots = int(self._a[o + f.O_SIDE] * self._a[o + f.O_LOTS])
            made = NewOrder(f"sim-close-{number}", self.symbols[self._a[o + f.O_SYMBOL]], lots)
            self.orders.take(made, None, self._now)
            self._names[number], self._numbers[made.client_id] = made.client_id, number
        return self.orders.by_id[self._names[number]]

    def _filled(self) -> list[VenueNews]:
        a = self._a
        order = self._named(int(a[f.H_ORDER]))
        row = a[f.H_FILLS_AT] + (a[f.H_FILLS] - 1) * f.FILL
        lots, value = int(a[row + f.L_LOTS]), int(a[row + f.L_NOTIONAL])
        fee = int(a[row + f.L_COMMISSION] + a[row + f.L_SPREAD] + a[row + f.L_IMPACT])
        price = self._price(int(a[row + f.L_SYMBOL]), float(a[row + f.L_PRICE]))
        news: list[VenueNews] = [self.orders.fill(order, lots, price, value, fee, self._now)]
        if a[f.H_EVENT] == Event.FILL_LAST and order.ended is None:
            news += self._end(order, Event.CANCEL)  # the machine's risk decision had cut it
        return news

    def _heard(self) -> list[VenueNews]:
        event = Event(int(self._a[f.H_EVENT]))
        order = self._named(int(self._a[f.H_ORDER]))
        if event is Event.CANCEL_REFUSED:
            return [CancelRefused(order.sent.client_id, "too late, or one is under way", self._now)]
        if event in (Event.CANCEL, Event.EXPIRE, Event.REJECT) and order.ended is None:
            return self._end(order, event)
        return []

    def _end(self, order: SimOrder, event: Event) -> list[VenueNews]:
        if event is Event.EXPIRE:
            return [self.orders.expire(order, self._now)]
        self.orders.end(order, "cancelled", self._now)
        return [Cancelled(order.sent.client_id, self._now)]

    def _price(self, column: int, ticks: float) -> float:
        over, under = self._stream.instruments[column].ratio()
        return ticks * over / under

    # --- what stands --------------------------------------------------------------------------------

    def standing(self) -> list[VenueNews]:
        """Marks, and the moment."""
        if self._moment_ns < 0:
            return []
        marks = ((s, int(self._a[f.symbol_at(i) + f.S_MARK2])) for s, i in self._columns.items())
        marked: list[VenueNews] = [
            Marked(s, self._price(self._columns[s], 0.5 * mark), self._now) for s, mark in marks if mark > 0
        ]
        return [*marked, Stepped(self.name, self._moment_ns, self._is_over)]

    def report(self) -> Report:
        """Everything of the account."""
        held = {s: int(self._a[f.symbol_at(i) + f.S_LOTS]) for s, i in self._columns.items()}
        positions = {s: lots for s, lots in held.items() if lots}
        cash = int(self._a[f.H_CASH])
        return Report(self.name, tuple(self.orders.report()), positions, cash, True, self._now)
