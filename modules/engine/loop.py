"""The loop over bars: fill, mark, check, decide. One kernel drives a backtest and a single live bar.

At bar t, in this order:

1. borrow accrues on the shorts held since the bar before, at their last marks;
2. orders decided at t-1 fill at `market.fill[t]` (see `bars.fill_prices`); an order whose price is missing, or whose
   bar has zero volume, expires unfilled and is decided anew; with one that was to free room in its sector expire those
   that were allowed in that room;
3. positions are marked at the close (the last known one where it is missing) and NAV is taken;
4. the day's loss is checked; once reached, the account is flattened and stays closed until the UTC day ends;
5. targets become orders through the risk decision, to fill at t+1. Orders that shrink a position go first, so
   that they free room in their sector; then the others; within both, symbols in order of their names. So the
   order of columns never matters.

The phases are inlined, without reference counts, and make no array: with one symbol, counting costs ten times what a
bar does. Each answers one question: `_borrow` what time costs, `_fill` what a fill costs, `_mark` what positions are
worth, `_ask` what targets want, `_order` what risk allows.

Desired lots are weight * NAV / (lot size * close), truncated toward zero, so a target never exceeds its weight.
"""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import (
    BELOW_LOT,
    CASH,
    DAY_NAV,
    EXACT_LIMIT,
    FAULT_ROW,
    FAULT_SYMBOL,
    FILLS,
    MICROS,
    NAV,
    NEXT_ORDER,
    PENDING,
    UNFILLED,
    UNPRICED,
    BarLog,
    Book,
    FillLog,
    Market,
    OrderLog,
    Room,
    Terms,
    add,
    fee,
    micros,
    new_room,
)
from modules.engine.costs import impact_rate
from modules.engine.risk import decide
from modules.jit import inlined, uncounted
from modules.panel import FloatArray, IntArray

YEAR_NS = 365.0 * 86_400.0 * 1e9


@inlined
def _borrow(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
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
def _find_stuck(t: int, market: Market, book: Book, stuck: IntArray) -> None:
    """`stuck[sectors]`: 1 where an order that was to shrink a position in it has no price at bar t."""
    pending, lots, prices = book.pending, book.lots, market.fill[t]
    sectors = market.sectors[market.segment[t - 1]]
    stuck[:] = 0
    for i in range(pending.size):
        if pending[i] != 0 and not prices[i] > 0.0 and abs(lots[i] + pending[i]) <= abs(lots[i]):
            stuck[sectors[i]] = 1


@inlined
def _fill(
    t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog, stuck: IntArray
) -> None:
    """Fill or expire what was decided a bar ago. `stuck` is room for a mark a sector."""
    pending, lots, totals = book.pending, book.lots, book.totals
    prices, lot_size = market.fill[t], market.lot_size
    sigma, adv = market.sigma[t - 1], market.adv[t - 1]
    to_order, to_row, to_symbol, to_lots, to_price = fills.order, fills.row, fills.symbol, fills.lots, fills.price
    to_notional, to_commission, to_spread, to_impact = fills.notional, fills.commission, fills.spread, fills.impact
    sectors, leans = market.sectors[market.segment[t - 1]], book.pending_leans
    _find_stuck(t, market, book, stuck)
    cash, k = totals[CASH], totals[FILLS]
    traded = 0
    commissions = 0
    spreads = 0
    impacts = 0
    for i in range(pending.size):
        quantity = pending[i]
        if quantity == 0:
            continue
        pending[i] = 0
        price = prices[i]
        if not price > 0.0 or (leans[i] == 1 and stuck[sectors[i]] == 1):
            totals[UNFILLED] += 1
            continue
        totals[FAULT_SYMBOL] = i
        notional = micros(quantity, lot_size[i], price)
        size = abs(notional)
        commission = fee(size, terms.commission)
        spread = fee(size, terms.half_spread)
        impact = fee(size, impact_rate(terms.impact_k, sigma[i], float(abs(quantity)) * lot_size[i], adv[i]))
        cash = add(cash, -notional - commission - spread - impact)
        lots[i] += quantity
        traded = add(traded, size)
        commissions += commission
        spreads += spread
        impacts += impact
        to_order[k] = book.pending_id[i]
        to_row[k] = t
        to_symbol[k] = i
        to_lots[k] = quantity
        to_price[k] = price
        to_notional[k] = notional
        to_commission[k] = commission
        to_spread[k] = spread
        to_impact[k] = impact
        k += 1
    totals[CASH], totals[FILLS] = cash, k
    bars.traded[row] = traded
    bars.commission[row], bars.spread[row], bars.impact[row] = commissions, spreads, impacts


@inlined
def _mark(t: int, row: int, market: Market, book: Book, bars: BarLog) -> None:
    """Value positions, take NAV, and follow the day's loss."""
    lots, mark, values, sector_gross, totals = book.lots, book.mark, book.value, book.sector_gross, book.totals
    close, lot_size, sectors = market.close[t], market.lot_size, market.sectors[market.segment[t]]
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
    if row == 0 or market.day[t] != market.day[t - 1]:
        totals[DAY_NAV] = totals[NAV]
        book.day_loss[0] = 0.0
    totals[NAV] = nav
    start = totals[DAY_NAV]
    if start > 0:
        book.day_loss[0] = max(book.day_loss[0], 1.0 - float(nav) / float(start))
    bars.nav[row] = nav
    bars.cash[row] = cash
    bars.positions[row] = long - short
    bars.long[row] = long
    bars.short[row] = short


@inlined
def _ask(market: Market, terms: Terms, book: Book, weights: FloatArray, asked: IntArray) -> int:
    """Write the lots each target asks for beyond what is held, at the last known price; returns how many ask.

    A target that is NaN keeps the lots that are held.
    """
    lots, mark, totals = book.lots, book.mark, book.totals
    lot_size = market.lot_size
    nav = float(totals[NAV])
    asking = 0
    for i in range(lots.size):
        desired = 0
        if weights[i] != weights[i]:
            desired = lots[i]
        elif weights[i] != 0.0:
            if not mark[i] > 0.0:
                totals[UNPRICED] += 1
                asked[i] = 0
                continue
            unit = lot_size[i] * mark[i] * MICROS
            wanted = weights[i] * nav / unit
            if not abs(wanted) < EXACT_LIMIT:
                totals[FAULT_SYMBOL] = i
                raise OverflowError("lots outside 2**53")
            desired = int(wanted) if nav > 0.0 else 0
            if desired == 0 and nav > 0.0:
                totals[BELOW_LOT] += 1
            if desired != 0 and float(abs(desired - lots[i])) * unit < terms.min_order:
                desired = lots[i]
        asked[i] = desired - lots[i]
        if desired != lots[i]:
            asking += 1
    return asking


@inlined
def _order(
    t: int,
    asking: int,
    asked: IntArray,
    market: Market,
    terms: Terms,
    book: Book,
    orders: OrderLog,
    committed: IntArray,
) -> None:
    """Put the orders through the risk decision, log and hold them; first those that shrink a position, then the others.

    `committed` is room for a sum a sector: its gross as if nothing that shrinks were filled.
    """
    lots, values, mark, sector_gross, totals = book.lots, book.value, book.mark, book.sector_gross, book.totals
    pending, pending_id, leans = book.pending, book.pending_id, book.pending_leans
    close, sigma, lot_size, sequence = market.close[t], market.sigma[t], market.lot_size, market.sequence
    sectors = market.sectors[market.segment[t]]
    to_row, to_symbol, to_asked, to_allowed = orders.row, orders.symbol, orders.asked, orders.allowed
    to_decision, to_rule, to_limit, to_value = orders.decision, orders.rule, orders.limit, orders.value
    committed[:] = 0
    for i in range(values.size):
        committed[sectors[i]] += abs(values[i])
    most = np.floor(terms.max_sector * float(totals[NAV]))
    loss, day_scale = book.day_loss[0], market.day_scale[t]
    closing = loss >= terms.max_daily_loss
    first = totals[NEXT_ORDER]
    k = first
    for turn in range(2):
        if k - first >= asking and not closing:
            break
        for j in range(sequence.size):
            i = sequence[j]
            wanted, held = asked[i], lots[i]
            if (wanted == 0 and not (held != 0 and closing)) or (abs(held + wanted) <= abs(held)) == (turn == 1):
                continue
            worth, sector = abs(values[i]), sectors[i]
            totals[FAULT_SYMBOL] = i
            decision, rule, allowed, limit, value = decide(
                close[i],
                totals[NAV],
                held,
                wanted,
                lot_size[i],
                sector_gross[sector] - worth,
                sigma[i] * day_scale,
                loss,
                terms.max_instrument,
                terms.max_sector,
                terms.max_daily_loss,
                terms.max_trade_risk,
            )
            to_row[k] = t
            to_symbol[k] = i
            to_asked[k] = wanted
            to_allowed[k] = allowed
            to_decision[k] = decision
            to_rule[k] = rule
            to_limit[k] = limit
            to_value[k] = value
            if allowed != 0:
                pending[i] = allowed
                pending_id[i] = k
                after = abs(micros(held + allowed, lot_size[i], mark[i])) if held + allowed != 0 else 0
                sector_gross[sector] = add(sector_gross[sector], after - worth)
                committed[sector] += max(0, after - worth)
                leans[i] = 1 if after > worth and float(committed[sector]) > most else 0
            k += 1
    totals[NEXT_ORDER] = k
    totals[PENDING] = k - first


@inlined
def begin_bar(
    t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog, room: Room
) -> None:
    """Bar t up to where its account is known: borrow, fills, marks."""
    totals = book.totals
    totals[FAULT_ROW] = t
    if row > 0 and bars.short[row - 1] > 0 and terms.borrow_year > 0.0:
        _borrow(t, row, market, terms, book, bars)
    if totals[PENDING] > 0:
        _fill(t, row, market, terms, book, bars, fills, room.stuck)
        totals[PENDING] = 0
    _mark(t, row, market, book, bars)


@inlined
def end_bar(
    t: int, weights: FloatArray, market: Market, terms: Terms, book: Book, orders: OrderLog, room: Room
) -> None:
    """From the targets of bar t to the orders that fill at the next."""
    asking = _ask(market, terms, book, weights, room.asked)
    if asking > 0 or book.day_loss[0] >= terms.max_daily_loss:
        _order(t, asking, room.asked, market, terms, book, orders, room.committed)


@uncounted
def _advance(
    market: Market,
    targets: FloatArray,
    terms: Terms,
    book: Book,
    bars: BarLog,
    orders: OrderLog,
    fills: FillLog,
    room: Room,
    begin: int,
    stop: int,
    origin: int,
) -> None:
    """`advance`, with the room that it works in."""
    for t in range(begin, stop):
        begin_bar(t, t - origin, market, terms, book, bars, fills, room)
        end_bar(t, targets[t - origin], market, terms, book, orders, room)


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
    _advance(market, targets, terms, book, bars, orders, fills, new_room(book), begin, stop, origin)
