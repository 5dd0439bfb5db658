"""What a position costs to hold, and what it is worth.

Borrow accrues on shorts and funding on longs, for the time since the bar before, at their last marks. Positions are
marked at the close, the last known one where it is missing; so NAV is taken, and the day's loss followed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.accounting import (
    CASH,
    DAY_NAV,
    EXACT_LIMIT,
    EXACT_SUMS,
    FAULT_SYMBOL,
    FEW,
    MICROS,
    NAV,
    BarLog,
    Book,
    Market,
    Terms,
    add,
    micros,
    segment_at,
)
from modules.jit import inlined, uncounted
from modules.panel import FloatArray, IntArray

DAY_NS: Final = 86_400_000_000_000
YEAR_NS: Final = 365.0 * 86_400.0 * 1e9


@uncounted
def _charge(lots: IntArray, value: IntArray, rate: float, side: int) -> int:
    """The sum of the fees on the worth of what is held on one side; several symbols are worked out at once."""
    total = 0
    for begin in range(0, lots.size, EXACT_SUMS):
        exact = True
        part = 0
        for i in range(begin, min(begin + EXACT_SUMS, lots.size)):
            charged = np.rint(float(side * value[i] if side * lots[i] > 0 else 0) * rate)
            exact &= charged < EXACT_LIMIT
            part += int(min(charged, EXACT_LIMIT))
        if not exact:
            raise OverflowError("fee outside 2**53 micro-units")
        total = add(total, part)
    return total


@inlined
def value_each(close: FloatArray, lot_size: FloatArray, book: Book, held: IntArray) -> None:
    """Take over the last known prices, and write what positions are worth and what is held.

    Raises OverflowError for the first amount that is not exact, with its symbol in `totals`.
    """
    lots, mark, values = book.lots, book.mark, book.value
    for i in range(lots.size):
        if close[i] > 0.0:
            mark[i] = close[i]
        held[i] = lots[i]
        book.totals[FAULT_SYMBOL] = i
        values[i] = micros(lots[i], lot_size[i], mark[i]) if lots[i] != 0 else 0


@uncounted
def value_many(close: FloatArray, lot_size: FloatArray, book: Book, held: IntArray) -> bool:
    """As `value_each`, a column at a time and without branches, so that several symbols are worked out at once.

    Returns whether every amount is exact; where one is not, no value counts.
    """
    lots, mark, values = book.lots, book.mark, book.value
    exact = True
    for i in range(lots.size):
        mark[i] = close[i] if close[i] > 0.0 else mark[i]
    for i in range(lots.size):
        held[i] = lots[i]
    for i in range(lots.size):
        amount = np.rint(float(lots[i]) * lot_size[i] * mark[i] * MICROS) if lots[i] != 0 else 0.0
        fits = abs(amount) < EXACT_LIMIT
        exact &= fits
        values[i] = int(amount if fits else 0.0)
    return exact


@inlined
def borrow(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
    """Charge borrow on shorts for the time since the bar before, actual/365."""
    lots, value = book.lots, book.value
    rate = terms.borrow_year * float(market.ts[t] - market.ts[t - 1]) / YEAR_NS
    total = _charge(lots, value, rate, -1)
    book.totals[CASH] -= total
    bars.borrow[row] = total


@inlined
def fund(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
    """Charge funding on longs for the time since the bar before, actual/365."""
    lots, value = book.lots, book.value
    rate = terms.funding_year * float(market.ts[t] - market.ts[t - 1]) / YEAR_NS
    total = _charge(lots, value, rate, 1)
    book.totals[CASH] -= total
    bars.funding[row] = total


@inlined
def mark_positions(t: int, row: int, market: Market, book: Book, bars: BarLog) -> None:
    """Value positions, take NAV, and follow the day's loss."""
    values, sector_gross, totals = book.value, book.sector_gross, book.totals
    close, held, sectors = market.close[t], bars.lots[row], market.sectors[segment_at(t, market)]
    if values.size < FEW or not value_many(close, market.lot_size, book, held):
        value_each(close, market.lot_size, book, held)
    long = 0
    short = 0
    sector_gross[:] = 0
    for begin in range(0, values.size, EXACT_SUMS):
        above, below = 0, 0
        for i in range(begin, min(begin + EXACT_SUMS, values.size)):
            above += max(0, values[i])
            below += max(0, -values[i])
        long, short = add(long, above), add(short, below)
    for i in range(values.size):
        sector_gross[np.uint64(sectors[i])] += abs(values[i])
    cash = totals[CASH]
    nav = add(cash, long - short)
    if row == 0 or market.ts[t] // DAY_NS != market.ts[t - 1] // DAY_NS:
        totals[DAY_NAV] = totals[NAV]
        book.day_loss[0] = 0.0
    totals[NAV] = nav
    start = totals[DAY_NAV]
    if start > 0:
        book.day_loss[0] = max(book.day_loss[0], 1.0 - float(nav) / float(start))
    bars.nav[row] = nav
    bars.cash[row] = cash
    bars.long[row] = long
    if short != 0:  # the log begins at 0, and a page that is never written costs nothing
        bars.short[row] = short
