"""Events as the strategy comes to see them: its view of the book, its marks."""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.account import follow_clock, take_mark
from modules.engine.exchange.book import clear, set_level, side_at
from modules.engine.exchange.booking import check_loss
from modules.engine.exchange.plain import inlined
from modules.panel import FloatArray, IntArray


@inlined
def see(a: IntArray, r: FloatArray, e: IntArray, i: int) -> int:
    """Row `i` of the stream is seen; returns the kind of callback, 0 within a message."""
    i &= f.PLACES
    now, code = e[f.E_LOCAL_NS, i], e[f.E_CODE, i]
    kind = code & 15
    symbol = code >> f.SYMBOL_SHIFT
    s = f.symbol_at(symbol)
    view = s + f.S_LOCAL
    if now >= a[f.H_NAV_NEXT] or now >= a[f.H_DAY_END]:
        follow_clock(a, r, now)
    a[f.H_NOW] = now
    if kind == f.DEPTH:
        buy = (code & f.BUY_BIT) != 0
        set_level(a, s, view, side_at(a, s, 1, buy), buy, e[f.E_PRICE, i], e[f.E_LOTS, i])
    elif kind == f.QUOTE:
        a[view + f.S_BID], a[view + f.S_BID_LOTS] = e[f.E_PRICE, i], e[f.E_LOTS, i]
        a[view + f.S_ASK], a[view + f.S_ASK_LOTS] = e[f.E_A, i], e[f.E_B, i]
    elif kind == f.TRADE:
        a[view + f.S_TRADE], a[view + f.S_TRADE_LOTS] = e[f.E_PRICE, i], e[f.E_LOTS, i]
        if a[s + f.S_SOURCE] == f.FROM_TRADES:
            take_mark(a, r, symbol, 2 * e[f.E_PRICE, i])
    elif kind == f.BAR:
        a[view + f.S_OPEN], a[view + f.S_HIGH], a[view + f.S_LOW] = e[f.E_A, i], e[f.E_B, i], e[f.E_C, i]
        a[view + f.S_CLOSE], a[view + f.S_VOLUME] = e[f.E_PRICE, i], e[f.E_LOTS, i]
        if a[s + f.S_SOURCE] == f.FROM_BARS:
            take_mark(a, r, symbol, 2 * e[f.E_PRICE, i])
    else:
        clear(a, s, view, 1)
    if not code & f.LAST_BIT:
        return 0
    a[view + f.S_SEEN] = i
    if kind == f.DEPTH or kind == f.QUOTE:
        a[view + f.S_BOOK_NS] = now
        bid, ask = a[view + f.S_BID], a[view + f.S_ASK]
        if bid != 0 and ask != f.NO_ASK:
            take_mark(a, r, symbol, bid + ask)
    if a[f.H_DAY_LOW] <= a[f.H_DAY_ALERT] and a[f.H_HALTED] == 0:
        check_loss(a, r)
    a[f.H_SYMBOL] = symbol
    a[f.H_ROW] = i
    return f.DEPTH if kind == f.CLEAR else kind
