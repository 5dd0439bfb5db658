"""What a compiled strategy may see and do. Every function takes the engine's array first.

A strategy is a `@kernel` function of (a, memory): `memory` is a float64 array of its own, kept from call to call. It is
called with each event it subscribes to; `kind(a)` says which. Prices are ticks, quantities lots.

    @kernel
    def quote_both_sides(a: IntArray, memory: FloatArray) -> None:
        if kind(a) == DEPTH and position(a, 0) == 0:
            limit(a, 0, 10, bid(a, 0))
"""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.desk import fill_in, free_id, put
from modules.engine.exchange.layout import (
    BAR,
    BAR_BIT,
    DEPTH,
    DEPTH_BIT,
    FILL_BIT,
    ON_FILL,
    ON_ORDER,
    ON_TIMER,
    ORDER_BIT,
    QUOTE,
    QUOTE_BIT,
    START,
    START_BIT,
    TIMER_BIT,
    TRADE,
    TRADE_BIT,
)
from modules.engine.exchange.orders import OrderType, State, TimeInForce, is_live
from modules.engine.exchange.plain import kernel
from modules.panel import IntArray

__all__ = [
    "BAR", "BAR_BIT", "DAY", "DEPTH", "DEPTH_BIT", "FILL_BIT", "FOK", "GTC", "IOC", "LIMIT", "MARKET", "ON_FILL",
    "ON_ORDER", "ON_TIMER", "ORDER_BIT", "QUOTE", "QUOTE_BIT", "START", "START_BIT", "STOP", "STOP_LIMIT", "TIMER_BIT",
    "TRADE", "TRADE_BIT", "ask", "ask_lots", "bid", "bid_lots", "cancel", "close", "event_order", "event_symbol",
    "is_working", "kind", "leaves", "level", "limit", "mark2", "market", "nav", "now", "open_", "position",
    "price_of_order", "replace", "state", "submit", "trade", "trade_lots", "volume", "wake_at",
]  # fmt: skip

MARKET, LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT)
STOP, STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
GTC, IOC = int(TimeInForce.GTC), int(TimeInForce.IOC)
FOK, DAY = int(TimeInForce.FOK), int(TimeInForce.DAY)
_NONE = int(State.NONE)


@kernel
def kind(a: IntArray) -> int:
    """START, BAR, QUOTE, TRADE, DEPTH, ON_FILL, ON_ORDER or ON_TIMER."""
    return int(a[f.H_KIND])


@kernel
def now(a: IntArray) -> int:
    """The strategy's clock, ns UTC."""
    return int(a[f.H_NOW])


@kernel
def event_symbol(a: IntArray) -> int:
    """The symbol of this call's event."""
    return int(a[f.H_SYMBOL])


@kernel
def event_order(a: IntArray) -> int:
    """The order of this call's fill or order event."""
    return int(a[f.H_ORDER])


@kernel
def bid(a: IntArray, symbol: int) -> int:
    """Best bid; 0 where there is none."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_BID])


@kernel
def ask(a: IntArray, symbol: int) -> int:
    """Best ask; `NO_ASK` where there is none."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_ASK])


@kernel
def bid_lots(a: IntArray, symbol: int) -> int:
    """Lots displayed at the best bid."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_BID_LOTS])


@kernel
def ask_lots(a: IntArray, symbol: int) -> int:
    """Lots displayed at the best ask."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_ASK_LOTS])


@kernel
def level(a: IntArray, symbol: int, buy: bool, tick: int) -> int:
    """Lots displayed at a tick of one side, where there is depth; 0 outside the window."""
    s = f.symbol_at(symbol)
    low, mask = a[s + f.S_BOOK_LOW], a[s + f.S_BOOK_MASK]
    if mask == 0 or tick < low or tick > low + mask:
        return 0
    return int(a[a[s + f.S_BOOK] + (2 if buy else 3) * (mask + 1) + (tick & mask)])


@kernel
def trade(a: IntArray, symbol: int) -> int:
    """Price of the last trade; 0 before the first."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_TRADE])


@kernel
def trade_lots(a: IntArray, symbol: int) -> int:
    """Size of the last trade."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_TRADE_LOTS])


@kernel
def open_(a: IntArray, symbol: int) -> int:
    """Open of the last bar."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_OPEN])


@kernel
def close(a: IntArray, symbol: int) -> int:
    """Close of the last bar."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_CLOSE])


@kernel
def volume(a: IntArray, symbol: int) -> int:
    """Volume of the last bar in lots."""
    return int(a[f.symbol_at(symbol) + f.S_LOCAL + f.S_VOLUME])


@kernel
def position(a: IntArray, symbol: int) -> int:
    """Lots held, as far as fills have been reported."""
    return int(a[f.symbol_at(symbol) + f.S_LOTS])


@kernel
def nav(a: IntArray) -> int:
    """Cash and positions at their marks, micros."""
    return int(a[f.H_NAV])


@kernel
def mark2(a: IntArray, symbol: int) -> int:
    """The mark in half ticks: bid + ask, or twice the last price; 0 before the first."""
    return int(a[f.symbol_at(symbol) + f.S_MARK2])


@kernel
def state(a: IntArray, order: int) -> int:
    """The known state of an order (`State`), NONE where it was never sent or its place has been given to another."""
    o = f.order_at(a, order & (a[f.H_SLOTS] - 1))
    return int(a[o + f.O_KNOWN_STATE] if order >= 0 and a[o + f.O_ID] == order else _NONE)


@kernel
def is_working(a: IntArray, order: int) -> bool:
    """Whether an order may still fill, as far as is known, and its cancellation has not been asked for."""
    o = f.order_at(a, order & (a[f.H_SLOTS] - 1))
    return order >= 0 and a[o + f.O_ID] == order and is_live(a[o + f.O_KNOWN_STATE]) and a[o + f.O_ASKED_CANCEL] == 0


@kernel
def leaves(a: IntArray, order: int) -> int:
    """Lots of an order that may still fill, as far as is known."""
    o = f.order_at(a, order & (a[f.H_SLOTS] - 1))
    return int(a[o + f.O_WORK] if order >= 0 and a[o + f.O_ID] == order else 0)


@kernel
def price_of_order(a: IntArray, order: int) -> int:
    """The limit of an order, 0 where it is not known."""
    o = f.order_at(a, order & (a[f.H_SLOTS] - 1))
    return int(a[o + f.O_PRICE] if order >= 0 and a[o + f.O_ID] == order else 0)


@kernel
def submit(
    a: IntArray, symbol: int, signed_lots: int, price: int, order_type: int, tif: int, post_only: int, stop: int,
    client: int,
) -> int:  # fmt: skip
    """Send an order, buys above 0; returns its id, or -1 where 256 requests wait already.

    It leaves when this call returns; a refusal comes as an order event. `client` above 0 must not name two live orders.
    """
    order = free_id(a)
    b = put(a, f.REQUEST_NEW, order)
    if b == f.NONE:
        return b
    side = 1 if signed_lots > 0 else -1
    fill_in(a, b, symbol, side, abs(signed_lots), price, order_type, tif, post_only, stop, client)
    return order


@kernel
def limit(a: IntArray, symbol: int, signed_lots: int, price: int) -> int:
    """A post-only limit order, good till cancelled."""
    return submit(a, symbol, signed_lots, price, LIMIT, GTC, 1, 0, 0)


@kernel
def market(a: IntArray, symbol: int, signed_lots: int) -> int:
    """A market order, immediate or cancel."""
    return submit(a, symbol, signed_lots, 0, MARKET, IOC, 0, 0, 0)


@kernel
def cancel(a: IntArray, order: int) -> None:
    """Ask for an order to be cancelled."""
    put(a, f.REQUEST_CANCEL, order)


@kernel
def replace(a: IntArray, order: int, price: int, lots: int) -> None:
    """Ask for a new price and a new total of lots (above 0, whatever the side)."""
    b = put(a, f.REQUEST_REPLACE, order)
    if b != f.NONE:
        a[b + f.B_PRICE] = price
        a[b + f.B_LOTS] = lots


@kernel
def wake_at(a: IntArray, time_ns: int) -> None:
    """Ask for one ON_TIMER call; a later wish replaces an earlier one. Times that have passed come at once."""
    a[f.H_TIMER] = max(time_ns, a[f.H_NOW])
