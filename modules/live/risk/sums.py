"""What the decision rests on, brought up to date: values of an instrument, and the sums they are part of."""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import micros
from modules.jit import inlined, uncounted
from modules.live.risk import layout as at
from modules.panel import FloatArray, IntArray


@inlined
def _worth(lots: int, floats: FloatArray, row: int) -> int:
    price = floats[row, at.PRICE]
    return micros(lots, floats[row, at.LOT_SIZE], price) if lots != 0 and price > 0.0 else 0


@uncounted
def refresh(ints: IntArray, floats: FloatArray, strategies: IntArray, row: int) -> None:
    """Bring an instrument's values, and the sums they are part of, to its lots, open orders, price and beta.

    Raises OverflowError where an amount leaves 2**53 micros; nothing is changed then.
    """
    held = _worth(ints[row, at.LOTS], floats, row)
    long = _worth(ints[row, at.LOTS] + ints[row, at.OPEN_BUY], floats, row)
    short = _worth(ints[row, at.LOTS] - ints[row, at.OPEN_SELL], floats, row)
    worth = max(abs(long), abs(short))
    beta = floats[row, at.BETA]
    one, other = int(np.rint(beta * float(long))), int(np.rint(beta * float(short)))
    up, down = max(one, other), min(one, other)
    dollars = worth // 1_000_000
    square = dollars * dollars
    for who in range(strategies.shape[0]):
        lots = strategies[who, row, at.S_HELD]
        most = max(abs(lots + strategies[who, row, at.S_BUY]), abs(lots - strategies[who, row, at.S_SELL]))
        own = _worth(most, floats, row)
        strategies[who, 0, at.S_WORTH] += own - strategies[who, row, at.S_WORTH]
        strategies[who, row, at.S_WORTH] = own
    ints[0, at.HELD_GROSS] += abs(held) - abs(ints[row, at.VALUE])
    ints[0, at.NAV] += held - ints[row, at.VALUE]
    ints[0, at.GROSS] += worth - ints[row, at.WORTH]
    ints[0, at.LONG_SUM] += long - ints[row, at.LONG]
    ints[0, at.SHORT_SUM] += short - ints[row, at.SHORT]
    ints[0, at.BETA_UP] += up - ints[row, at.UP]
    ints[0, at.BETA_DOWN] += down - ints[row, at.DOWN]
    ints[0, at.SQUARES] += square - ints[row, at.SQUARE]
    ints[ints[row, at.SECTOR] + at.FIRST, at.SECTOR_GROSS] += worth - ints[row, at.WORTH]
    ints[row, at.VALUE], ints[row, at.WORTH], ints[row, at.LONG], ints[row, at.SHORT] = held, worth, long, short
    ints[row, at.UP], ints[row, at.DOWN], ints[row, at.SQUARE] = up, down, square


@uncounted
def follow_nav(ints: IntArray) -> None:
    """The day's lowest and highest NAV, and its deepest fall, with NAV as it is now."""
    nav = ints[0, at.NAV]
    ints[0, at.LEAST_NAV] = min(ints[0, at.LEAST_NAV], nav)
    ints[0, at.PEAK_NAV] = max(ints[0, at.PEAK_NAV], nav)
    ints[0, at.DEEPEST] = max(ints[0, at.DEEPEST], ints[0, at.PEAK_NAV] - nav)


@uncounted
def passed(ints: IntArray, floats: FloatArray, strategies: IntArray, limits: FloatArray) -> None:
    """Count what the order in row 1 was allowed: open lots, and its place in the rates."""
    row, who = ints[1, at.INSTRUMENT] + at.FIRST, ints[1, at.STRATEGY]
    allowed, now = ints[1, at.ALLOWED], ints[1, at.NOW]
    due = at.BUY_TAT if allowed > 0 else at.SELL_TAT
    ints[0, at.MESSAGE_TAT] = max(ints[0, at.MESSAGE_TAT], now) + int(limits[at.L_MESSAGE_NS])
    ints[row, due] = max(ints[row, due], now) + int(limits[at.L_REPEAT_NS])
    ints[row, at.OPEN_BUY if allowed > 0 else at.OPEN_SELL] += abs(allowed)
    strategies[who, row, at.S_BUY if allowed > 0 else at.S_SELL] += abs(allowed)
    refresh(ints, floats, strategies, row)
