"""Matching against a book and against trades.

An order is matched first at the first event of its symbol that the strategy had not seen when it sent it, and never
before it reached the exchange. Lots that our orders take are gone from the displayed book until the data display the
level again.
"""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.book import displayed, settle_best, side_at
from modules.engine.exchange.orders import Event, OrderType, Reason, TimeInForce
from modules.engine.exchange.plain import inlined, kernel
from modules.engine.exchange.queue import traded_at
from modules.engine.exchange.venue import answer, end, execute, leaves, link, step_state, unlink
from modules.panel import FloatArray, IntArray

_MARKET, _LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_IOC, _FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)
_EXPIRE, _TRIGGER = int(Event.EXPIRE), int(Event.TRIGGER)
_FOK_UNFILLABLE, _IOC_REMAINDER = int(Reason.FOK_UNFILLABLE), int(Reason.IOC_REMAINDER)


@inlined
def has_limit(a: IntArray, o: int) -> bool:
    """Whether an order's price binds."""
    return bool(a[o + f.O_TYPE] == _LIMIT or a[o + f.O_TYPE] == _STOP_LIMIT)


@inlined
def crosses(a: IntArray, o: int) -> bool:
    """Whether an order would trade against the best price of the other side."""
    s = f.symbol_at(a[o + f.O_SYMBOL])
    if a[o + f.O_SIDE] > 0:
        ask = a[s + f.S_ASK]
        return ask != f.NO_ASK and (not has_limit(a, o) or a[o + f.O_PRICE] >= ask)
    bid = a[s + f.S_BID]
    return bid != 0 and (not has_limit(a, o) or a[o + f.O_PRICE] <= bid)


@kernel
def rest(a: IntArray, slot: int) -> None:
    """Join the queue at an order's price: behind all that is displayed there."""
    o = f.order_at(a, slot)
    s = f.symbol_at(a[o + f.O_SYMBOL])
    buy = a[o + f.O_SIDE] > 0
    price = a[o + f.O_PRICE]
    source = a[s + f.S_SOURCE]
    ahead = f.UNSEEN
    if source == f.FROM_DEPTH:
        ahead = displayed(a, s, buy, price)
    elif source == f.FROM_QUOTES:
        best, lots = (a[s + f.S_BID], a[s + f.S_BID_LOTS]) if buy else (a[s + f.S_ASK], a[s + f.S_ASK_LOTS])
        if price == best:
            ahead = lots
        elif (price > best) == buy:
            ahead = 0
    a[o + f.O_AHEAD] = ahead
    a[o + f.O_TRADED] = 0
    a[o + f.O_TAKES] = 0
    unlink(a, slot)
    link(a, slot, s + (f.S_BIDS if buy else f.S_ASKS))


@kernel
def available(a: IntArray, o: int, enough: int) -> int:
    """Displayed lots that an order could take, counted until they are enough."""
    s = f.symbol_at(a[o + f.O_SYMBOL])
    if not crosses(a, o):
        return 0
    buy = a[o + f.O_SIDE] > 0
    if a[s + f.S_SOURCE] != f.FROM_DEPTH:
        return int(a[s + (f.S_ASK_LOTS if buy else f.S_BID_LOTS)])
    low, mask = a[s + f.S_BOOK_LOW], a[s + f.S_BOOK_MASK]
    levels = side_at(a, s, 0, not buy)
    step = 1 if buy else -1
    tick = a[s + f.S_ASK] if buy else a[s + f.S_BID]
    last = (low + mask) if buy else low
    if has_limit(a, o):
        last = min(last, a[o + f.O_PRICE]) if buy else max(last, a[o + f.O_PRICE])
    total = 0
    while step * tick <= step * last and total < enough:
        total += a[levels + (tick & mask)]
        tick += step
    return total


@kernel
def walk(a: IntArray, r: FloatArray, slot: int, maker: bool, now: int) -> None:
    """Take what the other side displays, best price first. A maker's fills are at its own price."""
    o = f.order_at(a, slot)
    symbol = a[o + f.O_SYMBOL]
    s = f.symbol_at(symbol)
    buy = a[o + f.O_SIDE] > 0
    best, best_lots = (f.S_ASK, f.S_ASK_LOTS) if buy else (f.S_BID, f.S_BID_LOTS)
    deep = a[s + f.S_SOURCE] == f.FROM_DEPTH
    while leaves(a, o) > 0 and crosses(a, o):
        shown = a[s + best_lots]
        tick = a[s + best]
        lots = min(leaves(a, o), shown)
        beyond = 0
        if not deep and not maker and a[f.H_IMPACT_BEYOND] == 1 and not has_limit(a, o):
            lots = leaves(a, o)
            beyond = max(0, lots - shown)
        if lots == 0:
            break
        execute(a, r, slot, lots, a[o + f.O_PRICE] if maker else tick, maker, beyond, False, now)
        left = max(0, shown - lots)
        a[s + best_lots] = left
        if deep:
            levels = side_at(a, s, 0, not buy)
            a[levels + (tick & a[s + f.S_BOOK_MASK])] = left
            if left == 0:
                settle_best(a, s, s, levels, not buy)
        elif left == 0:
            break


@kernel
def settle_remainder(a: IntArray, r: FloatArray, slot: int, now: int) -> None:
    """What a taker did not get: ends (IOC, FOK), rests at its limit, or waits for the next event."""
    o = f.order_at(a, slot)
    if leaves(a, o) == 0:
        return
    if a[o + f.O_TIF] == _IOC:
        end(a, r, slot, _EXPIRE, now, _IOC_REMAINDER)
    elif a[o + f.O_TIF] == _FOK:
        end(a, r, slot, _EXPIRE, now, _FOK_UNFILLABLE)
    elif has_limit(a, o):
        rest(a, slot)


@kernel
def take(a: IntArray, r: FloatArray, slot: int, now: int) -> None:
    """Match a taker against the book as it stands."""
    o = f.order_at(a, slot)
    if a[o + f.O_TIF] != _FOK or a[f.H_IMPACT_BEYOND] == 1 or available(a, o, leaves(a, o)) >= leaves(a, o):
        walk(a, r, slot, False, now)
    settle_remainder(a, r, slot, now)


@kernel
def is_fresh(a: IntArray, s: int, now: int) -> bool:
    """Whether there is a book, and it is not older than the setting allows."""
    known = a[s + f.S_SOURCE] >= f.FROM_QUOTES and a[s + f.S_BOOK_NS] > 0
    return bool(known and now - a[s + f.S_BOOK_NS] <= a[f.H_MAX_AGE])


@kernel
def trigger_stops(a: IntArray, r: FloatArray, symbol: int, low: int, high: int, now: int) -> None:
    """Turn stops into takers where the market has reached them: buys at or below `high`, sells at or above `low`."""
    s = f.symbol_at(symbol)
    slot = a[s + f.S_STOPS]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        stop = a[o + f.O_STOP]
        if (a[o + f.O_SIDE] > 0 and stop <= high) or (a[o + f.O_SIDE] < 0 and stop >= low):
            unlink(a, slot)
            step_state(a, o, f.O_STATE, _TRIGGER)
            answer(a, r, slot, _TRIGGER, now, 0)
            a[o + f.O_TAKES] = 1
            link(a, slot, s + f.S_TAKERS)
        slot = following


@inlined
def match_book(a: IntArray, r: FloatArray, symbol: int, now: int) -> None:
    """After a message changed the book: stops, takers, then resting orders that the other side has come to."""
    s = f.symbol_at(symbol)
    if a[s + f.S_STOPS] != f.NONE:
        # a buy stop is reached by the ask, a sell stop by the bid
        high = a[s + f.S_ASK] if a[s + f.S_ASK] != f.NO_ASK else 0
        low = a[s + f.S_BID] if a[s + f.S_BID] != 0 else f.NO_ASK
        trigger_stops(a, r, symbol, low, high, now)
    if a[s + f.S_TAKERS] != f.NONE:
        match_takers(a, r, symbol, now)
    slot = a[s + f.S_BIDS]
    while slot != f.NONE and a[f.order_at(a, slot) + f.O_PRICE] >= a[s + f.S_ASK]:
        following = a[f.order_at(a, slot) + f.O_NEXT]
        walk(a, r, slot, True, now)
        slot = following
    slot = a[s + f.S_ASKS]
    while slot != f.NONE and a[f.order_at(a, slot) + f.O_PRICE] <= a[s + f.S_BID]:
        following = a[f.order_at(a, slot) + f.O_NEXT]
        walk(a, r, slot, True, now)
        slot = following


@kernel
def match_takers(a: IntArray, r: FloatArray, symbol: int, now: int) -> None:
    """Takers that waited for an event of their symbol."""
    s = f.symbol_at(symbol)
    if not is_fresh(a, s, now):
        return
    slot = a[s + f.S_TAKERS]
    while slot != f.NONE:
        following = a[f.order_at(a, slot) + f.O_NEXT]
        take(a, r, slot, now)
        slot = following


@kernel
def match_trade(a: IntArray, r: FloatArray, symbol: int, tick: int, lots: int, aggressor: int, now: int) -> None:
    """A trade of others: it triggers stops, moves queues, and fills what it reaches, up to its own size.

    `aggressor` 1 bought, -1 sold, 0 unknown. Where trades are all that is known, a taker fills at the trade's price.
    """
    s = f.symbol_at(symbol)
    if a[s + f.S_STOPS] != f.NONE:
        trigger_stops(a, r, symbol, tick, tick, now)
    if a[s + f.S_TAKERS] != f.NONE:
        if a[s + f.S_SOURCE] == f.FROM_TRADES:
            lots = take_from_trade(a, r, symbol, tick, lots, now)
        else:
            match_takers(a, r, symbol, now)
    if aggressor <= 0:
        reach_resting(a, r, s + f.S_BIDS, 1, tick, lots, now)
    if aggressor >= 0:
        reach_resting(a, r, s + f.S_ASKS, -1, tick, lots, now)


@kernel
def take_from_trade(a: IntArray, r: FloatArray, symbol: int, tick: int, lots: int, now: int) -> int:
    """Fill takers at a trade's price, up to its size; returns what is left of it."""
    slot = a[f.symbol_at(symbol) + f.S_TAKERS]
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        side, price = a[o + f.O_SIDE], a[o + f.O_PRICE]
        good = not has_limit(a, o) or side * price >= side * tick
        got = min(leaves(a, o), lots)
        if good and got > 0 and (a[o + f.O_TIF] != _FOK or got == leaves(a, o)):
            execute(a, r, slot, got, tick, False, 0, True, now)
            lots -= got
        settle_remainder(a, r, slot, now)
        slot = following
    return lots


@kernel
def reach_resting(a: IntArray, r: FloatArray, head: int, sign: int, tick: int, lots: int, now: int) -> None:
    """Let a trade reach the resting orders of one side: all at better prices, and its own price's queue."""
    slot = a[head]
    ours = 0
    while slot != f.NONE:
        o = f.order_at(a, slot)
        following = a[o + f.O_NEXT]
        gap = sign * (a[o + f.O_PRICE] - tick)
        if gap < 0:
            return
        if gap > 0:
            a[o + f.O_AHEAD] = 0
            reach = lots
        else:
            reach = traded_at(a, o, lots)
        got = min(leaves(a, o), reach - ours)
        if got > 0:
            ours += got
            execute(a, r, slot, got, a[o + f.O_PRICE], True, 0, False, now)
        slot = following


@inlined
def would_take(a: IntArray, o: int) -> bool:
    """Whether a post-only order has to be refused as it arrives."""
    return bool(a[o + f.O_POST] == 1 and crosses(a, o))
