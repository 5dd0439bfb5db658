"""The displayed book: best prices in a symbol's row, and with depth a window of levels, one lot count a tick.

`view` is where a view of the symbol begins: its row (what the exchange knows) or S_LOCAL later (what the strategy has
been told). A window holds every tick that the stream uses, so a level stands at `tick & mask`.
"""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.plain import inlined, kernel
from modules.panel import IntArray


@inlined
def side_at(a: IntArray, s: int, local: int, buy: bool) -> int:
    """Where the window of one side of one view begins."""
    return int((a[s + f.S_BOOK] + (2 * local + (0 if buy else 1)) * (a[s + f.S_BOOK_MASK] + 1)) & f.PLACES)


@kernel
def settle_best(a: IntArray, s: int, view: int, levels: int, buy: bool) -> None:
    """Move the best price of a side to its next level that displays lots."""
    mask, low = a[s + f.S_BOOK_MASK], a[s + f.S_BOOK_LOW]
    if buy:
        tick = a[view + f.S_BID]
        while tick >= low and a[levels + (tick & mask)] == 0:
            tick -= 1
        none = tick < low
        a[view + f.S_BID] = 0 if none else tick
        a[view + f.S_BID_LOTS] = 0 if none else a[levels + (tick & mask)]
    else:
        tick = a[view + f.S_ASK]
        while tick <= low + mask and a[levels + (tick & mask)] == 0:
            tick += 1
        none = tick > low + mask
        a[view + f.S_ASK] = f.NO_ASK if none else tick
        a[view + f.S_ASK_LOTS] = 0 if none else a[levels + (tick & mask)]


@inlined
def set_level(a: IntArray, s: int, view: int, levels: int, buy: bool, tick: int, lots: int) -> int:
    """Display `lots` at a tick; returns what was displayed there before."""
    at = (levels + (tick & a[s + f.S_BOOK_MASK])) & f.PLACES
    before = a[at]
    a[at] = lots
    if buy:
        best = a[view + f.S_BID]
        if tick >= best:
            if lots > 0:
                a[view + f.S_BID] = tick
                a[view + f.S_BID_LOTS] = lots
            elif tick == best:
                settle_best(a, s, view, levels, True)
    else:
        best = a[view + f.S_ASK]
        if tick <= best:
            if lots > 0:
                a[view + f.S_ASK] = tick
                a[view + f.S_ASK_LOTS] = lots
            elif tick == best:
                settle_best(a, s, view, levels, False)
    return int(before)


@kernel
def clear(a: IntArray, s: int, view: int, local: int) -> None:
    """Empty both sides: a snapshot follows."""
    a[view + f.S_BID] = 0
    a[view + f.S_BID_LOTS] = 0
    a[view + f.S_ASK] = f.NO_ASK
    a[view + f.S_ASK_LOTS] = 0
    begin = side_at(a, s, local, True)
    for k in range(begin, begin + 2 * (a[s + f.S_BOOK_MASK] + 1)):
        a[k] = 0


@kernel
def displayed(a: IntArray, s: int, buy: bool, tick: int) -> int:
    """Lots that the exchange displays at a tick of one side, where there is depth; 0 outside the window."""
    low, mask = a[s + f.S_BOOK_LOW], a[s + f.S_BOOK_MASK]
    if tick < low or tick > low + mask:
        return 0
    return int(a[side_at(a, s, 0, buy) + (tick & mask)])
