"""A message of levels written into a book, compiled. The book is the backtest's (`modules/engine/exchange/book.py`)."""

from __future__ import annotations

import math
from typing import Final

from modules.engine.exchange import layout as f
from modules.engine.exchange.book import set_level, side_at
from modules.engine.exchange.plain import kernel
from modules.panel import FloatArray, IntArray

APPLIED: Final = 0
ZERO: Final = 1
OFF_TICK: Final = 2
OUTSIDE: Final = 3

TICK_SLACK: Final = 0.02  # of a tick: what a price that went through float32 may miss it by
LOT_SLACK: Final = 1e-9
MOST: Final = float(1 << 50)


@kernel
def read_levels(prices: FloatArray, sizes: FloatArray, scale: FloatArray, rows: IntArray, span: IntArray) -> int:
    """Ticks and lots of a message into `rows` [2, n]; `span` becomes its lowest and highest tick.

    `scale`: tick numerator, tick denominator, lot size. Returns APPLIED, ZERO or OFF_TICK, at the first bad level.
    """
    span[0], span[1] = f.NO_ASK, 0
    for i in range(prices.size):
        price, size = prices[i], sizes[i]
        ticks = price * scale[1] / scale[0]
        if not (ticks > 0.0 and ticks < MOST and size >= 0.0 and size / scale[2] < MOST):
            return ZERO
        whole = math.floor(ticks + 0.5)
        if abs(ticks - whole) > TICK_SLACK or whole < 1.0:
            return OFF_TICK
        rows[0, i] = int(whole)
        rows[1, i] = math.floor(size / scale[2] + LOT_SLACK)
        span[0], span[1] = min(span[0], rows[0, i]), max(span[1], rows[0, i])
    return APPLIED


@kernel
def write_levels(a: IntArray, rows: IntArray, count: int, bids: int) -> int:
    """Write `count` levels, the first `bids` of them bids; returns how many lay outside of the window and were left."""
    low, high = a[f.S_BOOK_LOW], a[f.S_BOOK_LOW] + a[f.S_BOOK_MASK]
    buy_side, sell_side = side_at(a, 0, 0, True), side_at(a, 0, 0, False)
    outside = 0
    for i in range(count):
        tick = rows[0, i]
        if tick < low or tick > high:
            outside += 1
        elif i < bids:
            set_level(a, 0, 0, buy_side, True, tick, rows[1, i])
        else:
            set_level(a, 0, 0, sell_side, False, tick, rows[1, i])
    return outside


@kernel
def copy_levels(a: IntArray, b: IntArray) -> None:
    """Every level of book `a` that lies in the window of `b`, which is empty."""
    low, mask = a[f.S_BOOK_LOW], a[f.S_BOOK_MASK]
    for tick in range(max(low, b[f.S_BOOK_LOW]), min(low + mask, b[f.S_BOOK_LOW] + b[f.S_BOOK_MASK]) + 1):
        for buy in (True, False):
            lots = a[side_at(a, 0, 0, buy) + (tick & mask)]
            if lots > 0:
                set_level(b, 0, 0, side_at(b, 0, 0, buy), buy, tick, lots)


@kernel
def top_levels(a: IntArray, buy: bool, out: IntArray) -> int:
    """The best levels of a side, `out` [2, n] ticks and lots; returns how many there are."""
    low, mask = a[f.S_BOOK_LOW], a[f.S_BOOK_MASK]
    side = side_at(a, 0, 0, buy)
    tick = a[f.S_BID] if buy else a[f.S_ASK]
    found = 0
    while found < out.shape[1] and low <= tick <= low + mask:
        lots = a[side + (tick & mask)]
        if lots > 0:
            out[0, found], out[1, found] = tick, lots
            found += 1
        tick += -1 if buy else 1
    return found
