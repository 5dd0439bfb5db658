"""The loop over bars: fill, mark, check, decide. One kernel drives a backtest and a single live bar.

At bar t, in this order:

1. borrow accrues on the shorts held since the bar before, at their last marks;
2. orders decided at t-1 fill at `market.fill[t]` (see `bars.fill_prices`); an order whose price is missing, or whose bar has zero volume, expires unfilled and is decided anew;
3. positions are marked at the close (the last known one where it is missing) and NAV is taken;
4. the day's loss is checked; once reached, the account is flattened and stays closed until the UTC day ends;
5. targets become orders through the risk decision, to fill at t+1. Orders that shrink a position go first, so
   that they free room in their sector; then the others; within both, symbols in order of their names. So the
   order of columns never matters.

Desired lots are weight * NAV / (lot size * close), truncated toward zero, so a target never exceeds its weight.
"""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import (
    CASH,
    DAY_NAV,
    EXACT_LIMIT,
    FAULT_ROW,
    FAULT_SYMBOL,
    FILLS,
    MICROS,
    NAV,
    NEXT_ORDER,
    UNFILLED,
    UNPRICED,
    BarLog,
    Book,
    FillLog,
    Market,
    OrderLog,
    Terms,
    add,
    fee,
    micros,
)
from modules.engine.costs import impact_rate
from modules.engine.risk import decide
from modules.jit import kernel
from modules.panel import FloatArray, IntArray

YEAR_NS = 365.0 * 86_400.0 * 1e9


@kernel
def _borrow(t: int, row: int, first: bool, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
    """Charge borrow on shorts for the time since the bar before, actual/365."""
    if first or terms.borrow_year == 0.0:
        return
    years = float(market.ts[t] - market.ts[t - 1]) / YEAR_NS
    total = 0
    for i in range(book.lots.size):
        if book.lots[i] < 0:
            total = add(total, fee(-book.value[i], terms.borrow_year * years))
    book.totals[CASH] -= total
    bars.borrow[row] = total


@kernel
def _fill(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog) -> None:
    """Fill or expire what was decided a bar ago."""
    for i in range(book.pending.size):
        quantity = book.pending[i]
        if quantity == 0:
            continue
        book.pending[i] = 0
        price = market.fill[t, i]
        if not price > 0.0:
            book.totals[UNFILLED] += 1
            continue
        book.totals[FAULT_SYMBOL] = i
        notional = micros(quantity, market.lot_size[i], price)
        size = abs(notional)
        commission = fee(size, terms.commission)
        spread = fee(size, terms.half_spread)
        shares = float(abs(quantity)) * market.lot_size[i]
        impact = fee(size, impact_rate(terms.impact_k, market.sigma[t - 1, i], shares, market.adv[t - 1, i]))
        book.totals[CASH] = add(book.totals[CASH], -notional - commission - spread - impact)
        book.lots[i] += quantity
        bars.traded[row] = add(bars.traded[row], size)
        bars.commission[row] += commission
        bars.spread[row] += spread
        bars.impact[row] += impact
        k = book.totals[FILLS]
        fills.order[k] = book.pending_id[i]
        fills.row[k] = t
        fills.symbol[k] = i
        fills.lots[k] = quantity
        fills.price[k] = price
        fills.notional[k] = notional
        fills.commission[k] = commission
        fills.spread[k] = spread
        fills.impact[k] = impact
        book.totals[FILLS] = k + 1


@kernel
def _mark(t: int, row: int, first: bool, market: Market, book: Book, bars: BarLog) -> None:
    """Value positions, take NAV, and follow the day's loss."""
    long = 0
    short = 0
    book.sector_gross[:] = 0
    sectors = market.sectors[market.segment[t]]
    for i in range(book.lots.size):
        price = market.close[t, i]
        if price > 0.0:
            book.mark[i] = price
        lots = book.lots[i]
        bars.lots[row, i] = lots
        value = 0
        if lots != 0:
            book.totals[FAULT_SYMBOL] = i
            value = micros(lots, market.lot_size[i], book.mark[i])
            if value >= 0:
                long = add(long, value)
            else:
                short = add(short, -value)
            book.sector_gross[sectors[i]] += abs(value)
        book.value[i] = value
    cash = book.totals[CASH]
    nav = add(cash, long - short)
    if first or market.day[t] != market.day[t - 1]:
        book.totals[DAY_NAV] = book.totals[NAV]
        book.day_loss[0] = 0.0
    book.totals[NAV] = nav
    start = book.totals[DAY_NAV]
    loss = 1.0 - float(nav) / float(start) if start > 0 else 0.0
    book.day_loss[0] = max(book.day_loss[0], loss)
    bars.nav[row] = nav
    bars.cash[row] = cash
    bars.positions[row] = long - short
    bars.long[row] = long
    bars.short[row] = short


@kernel
def _asked(t: int, row: int, market: Market, terms: Terms, book: Book, targets: FloatArray, out: IntArray) -> int:
    """Lots each target asks for beyond what is held; returns how many ask. Targets size at the last known price."""
    nav = float(book.totals[NAV])
    asking = 0
    for i in range(book.lots.size):
        weight = targets[row, i]
        lots = book.lots[i]
        desired = 0
        if weight != 0.0:
            mark = book.mark[i]
            if not mark > 0.0:
                book.totals[UNPRICED] += 1
                out[i] = 0
                continue
            unit = market.lot_size[i] * mark * MICROS
            wanted = weight * nav / unit
            if not abs(wanted) < EXACT_LIMIT:
                book.totals[FAULT_SYMBOL] = i
                raise OverflowError("lots outside 2**53")
            desired = int(wanted) if nav > 0.0 else 0
            if desired != 0 and float(abs(desired - lots)) * unit < terms.min_order:
                desired = lots
        out[i] = desired - lots
        if desired != lots:
            asking += 1
    return asking


@kernel
def _order(t: int, i: int, asked: int, market: Market, terms: Terms, book: Book, orders: OrderLog) -> None:
    """Put one order through the risk decision, log it, and hold what was allowed for the next bar."""
    price = market.close[t, i]
    sector = market.sectors[market.segment[t], i]
    held = abs(book.value[i])
    book.totals[FAULT_SYMBOL] = i
    decision, rule, allowed, limit, value = decide(
        price,
        book.totals[NAV],
        book.lots[i],
        asked,
        market.lot_size[i],
        book.sector_gross[sector] - held,
        market.sigma[t, i] * terms.day_scale,
        book.day_loss[0],
        terms.max_instrument,
        terms.max_sector,
        terms.max_daily_loss,
        terms.max_trade_risk,
    )
    k = book.totals[NEXT_ORDER]
    orders.row[k] = t
    orders.symbol[k] = i
    orders.asked[k] = asked
    orders.allowed[k] = allowed
    orders.decision[k] = decision
    orders.rule[k] = rule
    orders.limit[k] = limit
    orders.value[k] = value
    book.totals[NEXT_ORDER] = k + 1
    if allowed != 0:
        book.pending[i] = allowed
        book.pending_id[i] = k
        after = 0
        if book.lots[i] + allowed != 0:
            after = abs(micros(book.lots[i] + allowed, market.lot_size[i], price if price > 0.0 else book.mark[i]))
        book.sector_gross[sector] = add(book.sector_gross[sector], after - held)


@kernel
def advance(
    market: Market,
    targets: FloatArray,
    terms: Terms,
    book: Book,
    bars: BarLog,
    orders: OrderLog,
    fills: FillLog,
    begin: int,
    stop: int,
    origin: int,
) -> None:
    """Take `book` from bar `begin` to `stop - 1`. Row r of `targets` and `bars` is bar `origin + r`.

    Call it once for a backtest, or once a bar; the result is the same to the bit.
    Raises OverflowError, with the bar in `book.totals[FAULT_ROW]`, where an amount leaves its exact range.
    """
    asked = np.zeros(book.lots.size, dtype=np.int64)
    for t in range(begin, stop):
        row = t - origin
        book.totals[FAULT_ROW] = t
        _borrow(t, row, row == 0, market, terms, book, bars)
        _fill(t, row, market, terms, book, bars, fills)
        _mark(t, row, row == 0, market, book, bars)
        asking = _asked(t, row, market, terms, book, targets, asked)
        closing_all = book.day_loss[0] >= terms.max_daily_loss
        if asking == 0 and not closing_all:
            continue
        for shrinking in (True, False):
            for j in range(asked.size):
                i = market.sequence[j]
                wanted = asked[i]
                lots = book.lots[i]
                if wanted == 0 and not (closing_all and lots != 0):
                    continue
                if (abs(lots + wanted) <= abs(lots)) == shrinking:
                    _order(t, i, wanted, market, terms, book, orders)
