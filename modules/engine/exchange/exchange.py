"""The exchange: requests arrive, events of the stream happen."""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.barmatch import match_bar, place_on_bars
from modules.engine.exchange.book import clear, set_level, side_at
from modules.engine.exchange.matching import (
    crosses,
    has_limit,
    is_fresh,
    match_book,
    match_trade,
    rest,
    take,
    would_take,
)
from modules.engine.exchange.orders import Event, OrderType, Reason, State, TimeInForce
from modules.engine.exchange.plain import inlined, kernel
from modules.engine.exchange.queue import level_changed
from modules.engine.exchange.venue import answer, end, link, step_state, unlink
from modules.panel import FloatArray, IntArray

_DAY_NS = 86_400_000_000_000
_STOP = int(OrderType.STOP)
_GTC, _DAY = int(TimeInForce.GTC), int(TimeInForce.DAY)
_ACCEPT, _ACCEPT_STOP, _REJECT = int(Event.ACCEPT), int(Event.ACCEPT_STOP), int(Event.REJECT)
_CANCEL, _CANCEL_REFUSED = int(Event.CANCEL), int(Event.CANCEL_REFUSED)
_REPLACE, _REPLACE_REFUSED, _EXPIRE = int(Event.REPLACE), int(Event.REPLACE_REFUSED), int(Event.EXPIRE)
_WAITING, _PARTLY = int(State.WAITING), int(State.PARTLY_FILLED)
_WOULD_TAKE, _BY_CLIENT, _TOO_LATE = int(Reason.POST_ONLY_WOULD_TAKE), int(Reason.BY_CLIENT), int(Reason.TOO_LATE)
_BELOW_FILLED, _DAY_ENDED = int(Reason.BELOW_FILLED), int(Reason.DAY_ENDED)


@kernel
def place(a: IntArray, r: FloatArray, slot: int, now: int) -> None:
    """An accepted order: it rests, takes from a book that the strategy had not seen, or waits for the next event."""
    o = f.order_at(a, slot)
    s = f.symbol_at(a[o + f.O_SYMBOL])
    source = a[s + f.S_SOURCE]
    stays = has_limit(a, o) and (a[o + f.O_TIF] == _GTC or a[o + f.O_TIF] == _DAY)
    if source == f.FROM_BARS:
        place_on_bars(a, slot)
    elif stays and (a[o + f.O_POST] == 1 or (source != f.FROM_TRADES and not crosses(a, o))):
        rest(a, slot)
    else:
        link(a, slot, s + f.S_TAKERS)
        if a[s + f.S_SEEN] > a[o + f.O_SEEN] and is_fresh(a, s, now):
            take(a, r, slot, now)


@inlined
def _enter(a: IntArray, r: FloatArray, slot: int, now: int) -> None:
    o = f.order_at(a, slot)
    s = f.symbol_at(a[o + f.O_SYMBOL])
    a[o + f.O_ARRIVED] = now
    a[o + f.O_DAY] = f.NONE if a[s + f.S_SOURCE] == f.FROM_BARS else now // _DAY_NS
    if a[o + f.O_TYPE] >= _STOP:
        step_state(a, o, f.O_STATE, _ACCEPT_STOP)
        answer(a, r, slot, _ACCEPT_STOP, now, 0)
        link(a, slot, s + f.S_STOPS)
    elif would_take(a, o):
        end(a, r, slot, _REJECT, now, _WOULD_TAKE)
    else:
        step_state(a, o, f.O_STATE, _ACCEPT)
        answer(a, r, slot, _ACCEPT, now, 0)
        place(a, r, slot, now)


@kernel
def _replace(a: IntArray, r: FloatArray, slot: int, price: int, lots: int, now: int) -> None:
    """A new price or total. The place in the queue is kept where only the total shrinks."""
    o = f.order_at(a, slot)
    if not _WAITING <= a[o + f.O_STATE] <= _PARTLY:
        answer(a, r, slot, _REPLACE_REFUSED, now, _TOO_LATE)
        return
    if lots <= a[o + f.O_FILLED]:
        answer(a, r, slot, _REPLACE_REFUSED, now, _BELOW_FILLED)
        return
    old = a[o + f.O_PRICE]
    a[o + f.O_PRICE] = price
    if a[o + f.O_STATE] != _WAITING and would_take(a, o):
        a[o + f.O_PRICE] = old
        answer(a, r, slot, _REPLACE_REFUSED, now, _WOULD_TAKE)
        return
    keeps = price == old and lots <= a[o + f.O_LOTS]
    a[o + f.O_LOTS] = lots
    step_state(a, o, f.O_STATE, _REPLACE)
    m = answer(a, r, slot, _REPLACE, now, 0)
    a[m + f.R_LOTS] = lots
    a[m + f.R_PRICE] = price
    if a[o + f.O_STATE] != _WAITING and not keeps:
        a[o + f.O_ARRIVED] = now
        unlink(a, slot)
        place(a, r, slot, now)


@kernel
def arrive(a: IntArray, r: FloatArray) -> None:
    """The oldest request under way reaches the exchange."""
    at = a[f.H_REQUESTS] + (a[f.H_REQUEST_HEAD] & (a[f.H_RING] - 1)) * f.REQUEST
    a[f.H_REQUEST_HEAD] += 1
    now, slot = a[at + f.Q_TIME], a[at + f.Q_SLOT]
    a[f.H_EXCHANGE_NOW] = now
    o = f.order_at(a, slot)
    if a[o + f.O_ID] != a[at + f.Q_ID]:
        return  # the order ended and its slot was given to another while this was under way
    kind = a[at + f.Q_KIND]
    if kind == f.REQUEST_NEW:
        _enter(a, r, slot, now)
    elif kind == f.REQUEST_CANCEL:
        if _WAITING <= a[o + f.O_STATE] <= _PARTLY:
            end(a, r, slot, _CANCEL, now, _BY_CLIENT)
        else:
            answer(a, r, slot, _CANCEL_REFUSED, now, _TOO_LATE)
    else:
        _replace(a, r, slot, a[at + f.Q_PRICE], a[at + f.Q_LOTS], now)


@inlined
def _queues(a: IntArray, r: FloatArray, head: int, sign: int, tick: int, before: int, lots: int) -> None:
    """The displayed lots at a price changed: move the queues of our orders there."""
    slot = a[head]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        gap = sign * (a[o + f.O_PRICE] - tick)
        if gap < 0:
            return
        if gap == 0:
            level_changed(a, r, o, before, lots)
        slot = a[o + f.O_NEXT]


@kernel
def _quoted(a: IntArray, r: FloatArray, head: int, sign: int, old: int, old_lots: int, best: int, lots: int) -> None:
    """A new best price of one side: queues of our orders at it move, and those at better prices are alone."""
    slot = a[head]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        gap = sign * (a[o + f.O_PRICE] - best)
        if gap < 0:
            return
        if gap > 0:
            a[o + f.O_AHEAD] = 0
        elif old == best:
            level_changed(a, r, o, old_lots, lots)
        else:
            a[o + f.O_AHEAD] = min(a[o + f.O_AHEAD], lots)
            a[o + f.O_TRADED] = 0
        slot = a[o + f.O_NEXT]


@kernel
def _expire_days(a: IntArray, r: FloatArray, s: int, day: int, now: int) -> None:
    """Day orders of a symbol end with the first event of a later UTC day."""
    for head in (s + f.S_BIDS, s + f.S_ASKS, s + f.S_TAKERS, s + f.S_STOPS):
        slot = a[head]
        while slot != f.NONE:
            o = f.order_at(a, slot)
            following = a[o + f.O_NEXT]
            if a[o + f.O_TIF] == _DAY and a[o + f.O_DAY] != f.NONE and a[o + f.O_DAY] < day:
                end(a, r, slot, _EXPIRE, now, _DAY_ENDED)
            slot = following


@inlined
def happen(a: IntArray, r: FloatArray, e: IntArray, i: int) -> None:
    """Row `i` of the stream happens at the exchange."""
    i &= f.PLACES
    now, code = e[f.E_EXCHANGE_NS, i], e[f.E_CODE, i]
    kind = code & 15
    symbol = code >> f.SYMBOL_SHIFT
    s = f.symbol_at(symbol)
    a[f.H_EXCHANGE_NOW] = now
    if now >= a[f.H_EXCHANGE_DAY_END]:
        a[f.H_EXCHANGE_DAY] = now // _DAY_NS
        a[f.H_EXCHANGE_DAY_END] = (a[f.H_EXCHANGE_DAY] + 1) * _DAY_NS
        for other in range(a[f.H_SYMBOLS]):
            _expire_days(a, r, f.symbol_at(other), a[f.H_EXCHANGE_DAY], now)
    if kind == f.DEPTH:
        buy = (code & f.BUY_BIT) != 0
        tick, lots = e[f.E_PRICE, i], e[f.E_LOTS, i]
        before = set_level(a, s, s, side_at(a, s, 0, buy), buy, tick, lots)
        head = s + (f.S_BIDS if buy else f.S_ASKS)
        if a[head] != f.NONE:
            _queues(a, r, head, 1 if buy else -1, tick, before, lots)
        a[s + f.S_BOOK_NS] = now
    elif kind == f.TRADE:
        a[s + f.S_TRADE] = e[f.E_PRICE, i]
        a[s + f.S_SEEN] = i
        if a[s + f.S_ACTIVE] == 0:
            return
        aggressor = 1 if code & f.BUY_BIT else (-1 if code & f.SELL_BIT else 0)
        match_trade(a, r, symbol, e[f.E_PRICE, i], e[f.E_LOTS, i], aggressor, now)
        return
    elif kind == f.QUOTE:
        bid, bid_lots, ask, ask_lots = a[s + f.S_BID], a[s + f.S_BID_LOTS], a[s + f.S_ASK], a[s + f.S_ASK_LOTS]
        a[s + f.S_BID], a[s + f.S_BID_LOTS] = e[f.E_PRICE, i], e[f.E_LOTS, i]
        a[s + f.S_ASK], a[s + f.S_ASK_LOTS] = e[f.E_A, i], e[f.E_B, i]
        if a[s + f.S_BIDS] != f.NONE:
            _quoted(a, r, s + f.S_BIDS, 1, bid, bid_lots, a[s + f.S_BID], a[s + f.S_BID_LOTS])
        if a[s + f.S_ASKS] != f.NONE:
            _quoted(a, r, s + f.S_ASKS, -1, ask, ask_lots, a[s + f.S_ASK], a[s + f.S_ASK_LOTS])
        a[s + f.S_BOOK_NS] = now
    elif kind == f.BAR:
        a[s + f.S_SEEN] = i
        if a[s + f.S_SOURCE] == f.FROM_BARS:
            match_bar(a, r, e, i, symbol, now)
        return
    elif kind == f.CLEAR:
        clear(a, s, s, 0)
    if code & f.LAST_BIT:
        a[s + f.S_SEEN] = i
        if a[s + f.S_ACTIVE] > 0:
            match_book(a, r, symbol, now)
