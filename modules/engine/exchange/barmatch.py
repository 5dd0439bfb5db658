"""Matching against bars, of which only open, high, low, close and volume are known.

What arrived by the bar's open takes it at the open. A resting order fills for sure where the bar trades through its
price by a tick, and with the declared probability where it only touches it (drawn by order and bar). A stop that the
bar gaps over fills at the open, else at its price. What arrived while the bar was under way meets its close alone.
All fills of a bar share the declared part of its volume; a bar without volume fills nothing.
"""

from __future__ import annotations

import math

from modules.engine.exchange import layout as f
from modules.engine.exchange.draws import TOUCH, uniform
from modules.engine.exchange.matching import has_limit, rest, settle_remainder
from modules.engine.exchange.orders import Event, OrderType, Reason, TimeInForce
from modules.engine.exchange.plain import kernel
from modules.engine.exchange.venue import answer, end, execute, leaves, link, step_state, unlink
from modules.panel import FloatArray, IntArray

_IOC, _FOK, _DAY = int(TimeInForce.IOC), int(TimeInForce.FOK), int(TimeInForce.DAY)
_STOP_LIMIT = int(OrderType.STOP_LIMIT)
_TRIGGER = int(Event.TRIGGER)
_CANCEL = int(Event.CANCEL)
_WOULD_TAKE = int(Reason.POST_ONLY_WOULD_TAKE)
_DAY_NS = 86_400_000_000_000


@kernel
def _fill(a: IntArray, r: FloatArray, slot: int, tick: int, maker: bool, room: int, now: int) -> int:
    """Fill what the room allows; returns the room that is left."""
    o = f.order_at(a, slot)
    got = min(leaves(a, o), room)
    if got <= 0 or (a[o + f.O_TIF] == _FOK and got < leaves(a, o)):
        return room
    execute(a, r, slot, got, tick, maker, 0, not maker, now)
    return room - got


@kernel
def _takers(a: IntArray, r: FloatArray, s: int, opened: int, late: bool, tick: int, room: int, now: int) -> int:
    """Takers at the open, or those that came later at the close."""
    slot = a[s + f.S_TAKERS]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        if (a[o + f.O_ARRIVED] > opened) == late:
            if not has_limit(a, o) or a[o + f.O_SIDE] * (a[o + f.O_PRICE] - tick) >= 0:
                room = _fill(a, r, slot, tick, False, room, now)
            settle_remainder(a, r, slot, now)
        slot = following
    return room


@kernel
def _stops(
    a: IntArray, r: FloatArray, s: int, opened: int, first: int, high: int, low: int, last: int, room: int, now: int
) -> int:
    """Trigger stops; each fills at the worse of its stop and the open, or at the close where it came later."""
    slot = a[s + f.S_STOPS]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        side, stop = a[o + f.O_SIDE], a[o + f.O_STOP]
        late = a[o + f.O_ARRIVED] > opened
        top = last if late else (high if side > 0 else low)
        if side * (top - stop) >= 0:
            tick = last if late else (max(first, stop) if side > 0 else min(first, stop))
            unlink(a, slot)
            step_state(a, o, f.O_STATE, _TRIGGER)
            answer(a, r, slot, _TRIGGER, now, 0)
            link(a, slot, s + f.S_TAKERS)
            if a[o + f.O_TYPE] != _STOP_LIMIT or side * (a[o + f.O_PRICE] - tick) >= 0:
                room = _fill(a, r, slot, tick, False, room, now)
            settle_remainder(a, r, slot, now)
        slot = following
    return room


@kernel
def _resting(
    a: IntArray, r: FloatArray, head: int, opened: int, first: int, far: int, last: int, room: int, bar: int, now: int
) -> int:
    """Resting orders of one side; `far` is the bar's low for bids, its high for asks."""
    slot = a[head]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        side, price = a[o + f.O_SIDE], a[o + f.O_PRICE]
        fresh = a[o + f.O_TAKES] == 1
        if a[o + f.O_ARRIVED] > opened:
            if side * (price - last) > 0:
                room = _fill(a, r, slot, price, True, room, now)
            slot = following
            continue
        better = side * (price - first)
        a[o + f.O_TAKES] = 0
        if fresh and a[o + f.O_POST] == 1 and better > 0:
            end(a, r, slot, _CANCEL, now, _WOULD_TAKE)
        elif better > 0 or (better == 0 and fresh and a[o + f.O_POST] == 0):
            room = _fill(a, r, slot, first, not fresh, room, now)
        else:
            through = side * (price - far)
            if through > 0 or (through == 0 and uniform(a[f.H_SEED], a[o + f.O_ID], TOUCH + 8 * bar) < r[f.F_TOUCH]):
                room = _fill(a, r, slot, price, True, room, now)
        slot = following
    return room


@kernel
def match_bar(a: IntArray, r: FloatArray, e: IntArray, i: int, symbol: int, now: int) -> None:
    """Row `i` of the stream, a bar that ends at `now`, meets the orders of its symbol."""
    s = f.symbol_at(symbol)
    for head in (s + f.S_BIDS, s + f.S_ASKS, s + f.S_TAKERS, s + f.S_STOPS):
        slot = a[head]
        while slot != f.NONE:
            o = f.order_at(a, slot)
            if a[o + f.O_TIF] == _DAY and a[o + f.O_DAY] == f.NONE:
                a[o + f.O_DAY] = now // _DAY_NS
            slot = a[o + f.O_NEXT]
    first, high, low, last = e[f.E_A, i], e[f.E_B, i], e[f.E_C, i], e[f.E_PRICE, i]
    opened = now - a[s + f.S_BAR_NS]
    room = math.floor(float(e[f.E_LOTS, i]) * r[f.F_SHARE])
    room = _takers(a, r, s, opened, False, first, room, now)
    if e[f.E_LOTS, i] > 0:
        room = _stops(a, r, s, opened, first, high, low, last, room, now)
        room = _resting(a, r, s + f.S_BIDS, opened, first, low, last, room, i, now)
        room = _resting(a, r, s + f.S_ASKS, opened, first, high, last, room, i, now)
    _takers(a, r, s, opened, True, last, room, now)


@kernel
def place_on_bars(a: IntArray, slot: int) -> None:
    """A new order of a symbol that has bars alone waits for the next one."""
    o = f.order_at(a, slot)
    if a[o + f.O_TIF] == _IOC or a[o + f.O_TIF] == _FOK or not has_limit(a, o):
        link(a, slot, f.symbol_at(a[o + f.O_SYMBOL]) + f.S_TAKERS)
    else:
        rest(a, slot)
        a[o + f.O_TAKES] = 1
