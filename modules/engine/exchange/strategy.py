"""Strategies in Python: the same machine, one compiled call an event.

    class Crossover(Strategy):
        def on_bar(self, time_ns, symbol, open_, high, low, close, volume):
            if close > self.mean and self.position(symbol) == 0:
                self.market(symbol, 10)

Override what is wanted: only those events are delivered. Symbols are numbers (`self.symbols` has the names), prices
ticks and quantities lots, as in `view.py`, and an order that is sent leaves when the method returns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from modules.engine.accounting import EngineError
from modules.engine.exchange import layout as f
from modules.engine.exchange import view
from modules.engine.exchange.clock import advance
from modules.engine.exchange.events import Instrument, Stream
from modules.engine.exchange.logs import Logs, Replay
from modules.engine.exchange.machine import new_machine
from modules.engine.exchange.orders import State, is_live
from modules.engine.exchange.replay import finish, machine_code, overflow, raise_fault
from modules.engine.exchange.settings import ExchangeSettings
from modules.panel import IntArray

_INTS = types.Array(types.int64, 1, "C")
_FLOATS = types.Array(types.float64, 1, "C")
_TABLE = types.Array(types.int64, 2, "C")
_CHUNK = 65_536
_LIVE = frozenset(int(s) for s in State if is_live(int(s)))


def _entry(kernel: Any, *signature: Any) -> Any:
    """A compiled kernel without its dispatcher, which would look at the types of every call anew."""
    compiled = machine_code(kernel, *signature)
    return compiled.overloads[compiled.signatures[0]].entry_point


class Strategy:
    """Base of a strategy in Python. `symbols` are the instruments' names, by number."""

    symbols: tuple[str, ...] = ()
    instruments: tuple[Instrument, ...] = ()

    def on_start(self, time_ns: int) -> None:
        """Before the first event."""

    def on_bar(self, time_ns: int, symbol: int, open_: int, high: int, low: int, close: int, volume: int) -> None:
        """A bar has ended."""

    def on_quote(self, time_ns: int, symbol: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
        """A new best bid and ask."""

    def on_trade(self, time_ns: int, symbol: int, price: int, lots: int, aggressor: int) -> None:
        """Others have traded; the aggressor bought (1), sold (-1), or is not known (0)."""

    def on_depth(self, time_ns: int, symbol: int) -> None:
        """A message of level 2 is whole: `bid`, `ask` and `level` show the book."""

    def on_fill(self, time_ns: int, symbol: int, order: int, signed_lots: int, price: int, maker: bool) -> None:
        """A fill has been reported and booked."""

    def on_order(self, time_ns: int, symbol: int, order: int, event: int, reason: int) -> None:
        """Another event of an order (`Event`, `Reason`)."""

    def on_timer(self, time_ns: int) -> None:
        """The time asked for by `wake_at`."""

    def bind(self, a: IntArray, instruments: tuple[Instrument, ...]) -> None:
        """Give the strategy its view of the machine; called by `replay_python`."""
        ints, plain = _INTS, types.int64
        self._a = a
        self._see = a.data
        self._submit = _entry(view.submit, ints, *([plain] * 8))
        self._cancel = _entry(view.cancel, ints, plain)
        self._replace = _entry(view.replace, ints, plain, plain, plain)
        self.instruments = instruments
        self.symbols = tuple(x.symbol for x in instruments)

    # What it may see

    def now(self) -> int:
        """The strategy's clock, ns UTC."""
        return self._see[f.H_NOW]

    def nav(self) -> int:
        """Cash and positions at their marks, micros."""
        return self._see[f.H_NAV]

    def position(self, symbol: int) -> int:
        """Lots held, as far as fills have been reported."""
        return self._see[f.HEAD + symbol * f.SYMBOL + f.S_LOTS]

    def bid(self, symbol: int) -> int:
        """Best bid; 0 where there is none."""
        return self._see[f.HEAD + symbol * f.SYMBOL + f.S_LOCAL + f.S_BID]

    def ask(self, symbol: int) -> int:
        """Best ask; `NO_ASK` where there is none."""
        return self._see[f.HEAD + symbol * f.SYMBOL + f.S_LOCAL + f.S_ASK]

    def bid_lots(self, symbol: int) -> int:
        """Lots displayed at the best bid."""
        return self._see[f.HEAD + symbol * f.SYMBOL + f.S_LOCAL + f.S_BID_LOTS]

    def ask_lots(self, symbol: int) -> int:
        """Lots displayed at the best ask."""
        return self._see[f.HEAD + symbol * f.SYMBOL + f.S_LOCAL + f.S_ASK_LOTS]

    def level(self, symbol: int, buy: bool, tick: int) -> int:
        """Lots displayed at a tick of one side."""
        return int(view.level(self._a, symbol, buy, tick))

    def _order(self, order: int) -> int:
        see = self._see
        o = see[f.H_ORDERS] + (order & (see[f.H_SLOTS] - 1)) * f.ORDER
        return o if order >= 0 and see[o + f.O_ID] == order else -1

    def state(self, order: int) -> State:
        """The known state of an order; NONE where it is not known."""
        o = self._order(order)
        return State(self._see[o + f.O_KNOWN_STATE]) if o >= 0 else State.NONE

    def is_working(self, order: int) -> bool:
        """Whether an order may still fill and its cancellation has not been asked for."""
        o = self._order(order)
        return o >= 0 and self._see[o + f.O_KNOWN_STATE] in _LIVE and self._see[o + f.O_ASKED_CANCEL] == 0

    def leaves(self, order: int) -> int:
        """Lots of an order that may still fill, as far as is known."""
        o = self._order(order)
        return self._see[o + f.O_WORK] if o >= 0 else 0

    def price_of_order(self, order: int) -> int:
        """The limit of an order, 0 where it is not known."""
        o = self._order(order)
        return self._see[o + f.O_PRICE] if o >= 0 else 0

    # What it may do

    def submit(
        self,
        symbol: int,
        signed_lots: int,
        price: int = 0,
        order_type: int = view.LIMIT,
        tif: int = view.GTC,
        *,
        post_only: bool = False,
        stop: int = 0,
        client: int = 0,
    ) -> int:
        """Send an order, buys above 0; returns its id, or -1 where 256 requests wait already."""
        order: int = self._submit(
            self._a, symbol, signed_lots, price, order_type, tif, 1 if post_only else 0, stop, client
        )
        return order

    def limit(self, symbol: int, signed_lots: int, price: int) -> int:
        """A post-only limit order, good till cancelled."""
        return self.submit(symbol, signed_lots, price, post_only=True)

    def market(self, symbol: int, signed_lots: int) -> int:
        """A market order, immediate or cancel."""
        return self.submit(symbol, signed_lots, 0, view.MARKET, view.IOC)

    def cancel(self, order: int) -> None:
        """Ask for an order to be cancelled."""
        self._cancel(self._a, order)

    def replace(self, order: int, price: int, lots: int) -> None:
        """Ask for a new price and a new total of lots."""
        self._replace(self._a, order, price, lots)

    def wake_at(self, time_ns: int) -> None:
        """Ask for one `on_timer`; a later wish replaces an earlier one."""
        self._see[f.H_TIMER] = max(time_ns, self._see[f.H_NOW])


_METHODS = {
    f.START_BIT: "on_start",
    f.BAR_BIT: "on_bar",
    f.QUOTE_BIT: "on_quote",
    f.TRADE_BIT: "on_trade",
    f.DEPTH_BIT: "on_depth",
    f.FILL_BIT: "on_fill",
    f.ORDER_BIT: "on_order",
    f.TIMER_BIT: "on_timer",
}


def subscriptions(strategy: Strategy) -> int:
    """The events whose methods a strategy overrides, as a sum of bits."""
    return sum(bit for bit, name in _METHODS.items() if getattr(type(strategy), name) is not getattr(Strategy, name))


def replay_python(stream: Stream, strategy: Strategy, settings: ExchangeSettings) -> Replay:
    """Run a strategy in Python over a stream. Same machine, same fills as the same logic compiled.

    Raises EngineError for a strategy that overrides nothing, and as `replay` does.
    """
    subscribed = subscriptions(strategy)
    if not subscribed & ~f.START_BIT:
        names = ", ".join(n for n in _METHODS.values())
        raise EngineError(f"{type(strategy).__name__} overrides none of {names}; it would never be called")
    a, r = new_machine(stream, settings, subscribed)
    strategy.bind(a, stream.instruments)
    logs = Logs()
    try:
        calls = _loop(stream, strategy, a, r, logs)
    except OverflowError as error:
        raise overflow(a, error) from None
    return finish(a, r, stream, logs, calls)


def _loop(stream: Stream, strategy: Strategy, a: IntArray, r: Any, logs: Logs) -> int:
    """Call the strategy until the stream ends; returns how many calls there were."""
    table = stream.table
    step = _entry(advance, _INTS, _FLOATS, _TABLE)
    see = a.data
    on_bar, on_quote, on_trade, on_depth = strategy.on_bar, strategy.on_quote, strategy.on_trade, strategy.on_depth
    columns: list[list[int]] = []
    first = last = 0
    calls = 0
    time = symbol = kind = 0
    while True:
        kind = step(a, r, table)
        if kind <= f.DEPTH:
            calls += 1
            row = see[f.H_ROW]
            if row >= last:
                first, last = row, row + _CHUNK
                columns = [np.asarray(x[first:last]).tolist() for x in table[1:]]
            row -= first
            time = columns[0][row]
            code = columns[1][row]
            symbol = code >> f.SYMBOL_SHIFT
            if kind == f.QUOTE:
                on_quote(time, symbol, columns[2][row], columns[4][row], columns[3][row], columns[5][row])
            elif kind == f.TRADE:
                side = 1 if code & f.BUY_BIT else (-1 if code & f.SELL_BIT else 0)
                on_trade(time, symbol, columns[2][row], columns[3][row], side)
            elif kind == f.DEPTH:
                on_depth(time, symbol)
            else:
                on_bar(
                    time, symbol, columns[4][row], columns[5][row], columns[6][row], columns[2][row], columns[3][row]
                )
        elif kind < f.END:
            calls += 1
            _own_event(strategy, see, kind)
        elif kind == f.DRAIN:
            logs.drain(a, r)
        elif kind == f.END:
            return calls
        else:
            raise_fault(a)


def _own_event(strategy: Strategy, see: memoryview, kind: int) -> None:
    """Fills, other events of orders, the timer and the start."""
    time = see[f.H_NOW]
    if kind == f.ON_FILL:
        strategy.on_fill(time, see[f.H_SYMBOL], see[f.H_ORDER], see[f.H_LOTS], see[f.H_PRICE], bool(see[f.H_MAKER]))
    elif kind == f.ON_ORDER:
        strategy.on_order(time, see[f.H_SYMBOL], see[f.H_ORDER], see[f.H_EVENT], see[f.H_REASON])
    elif kind == f.ON_TIMER:
        strategy.on_timer(time)
    else:
        strategy.on_start(time)
