"""What a position costs to hold, and what it is worth.

Borrow accrues on shorts and funding on longs, for the time since the bar before, at their last marks. Positions are
marked at the close, the last known one where it is missing; so NAV is taken, and the day's loss followed.
"""

from __future__ import annotations

from typing import Final

from modules.engine.accounting import (
    CASH,
    DAY_NAV,
    FAULT_SYMBOL,
    NAV,
    BarLog,
    Book,
    Market,
    Terms,
    add,
    fee,
    micros,
    segment_at,
)
from modules.jit import inlined

DAY_NS: Final = 86_400_000_000_000
YEAR_NS: Final = 365.0 * 86_400.0 * 1e9


@inlined
def borrow(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
    """Charge borrow on shorts for the time since the bar before, actual/365."""
    lots, value = book.lots, book.value
    rate = terms.borrow_year * float(market.ts[t] - market.ts[t - 1]) / YEAR_NS
    total = 0
    for i in range(lots.size):
        if lots[i] < 0:
            total = add(total, fee(-value[i], rate))
    book.totals[CASH] -= total
    bars.borrow[row] = total


@inlined
def fund(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
    """Charge funding on longs for the time since the bar before, actual/365."""
    lots, value = book.lots, book.value
    rate = terms.funding_year * float(market.ts[t] - market.ts[t - 1]) / YEAR_NS
    total = 0
    for i in range(lots.size):
        if lots[i] > 0:
            total = add(total, fee(value[i], rate))
    book.totals[CASH] -= total
    bars.funding[row] = total


@inlined
def mark_positions(t: int, row: int, market: Market, book: Book, bars: BarLog) -> None:
    """Value positions, take NAV, and follow the day's loss."""
    lots, mark, values, sector_gross, totals = book.lots, book.mark, book.value, book.sector_gross, book.totals
    close, lot_size, sectors = market.close[t], market.lot_size, market.sectors[segment_at(t, market)]
    held = bars.lots[row]
    long = 0
    short = 0
    sector_gross[:] = 0
    for i in range(lots.size):
        if close[i] > 0.0:
            mark[i] = close[i]
        held[i] = lots[i]
        value = 0
        if lots[i] != 0:
            totals[FAULT_SYMBOL] = i
            value = micros(lots[i], lot_size[i], mark[i])
            if value >= 0:
                long = add(long, value)
            else:
                short = add(short, -value)
            sector_gross[sectors[i]] += abs(value)
        values[i] = value
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
