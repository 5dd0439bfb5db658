"""The loop over bars: fill, mark, check, decide. One kernel drives a backtest and a single live bar.

At bar t, in this order:

1. borrow accrues on the shorts held since the bar before and funding on the longs, at their last marks; then corporate
   actions of the bar take place (`actions.py`);
2. orders decided at t-1 fill at `market.fill[t]` (see `bars.fill_prices`); an order whose price is missing, or whose
   bar has zero volume, expires unfilled and is decided anew; with one that was to free room in its sector expire those
   that were allowed in that room. Under a participation cap an order fills in part; what is left over expires, or works
   on for as long as it is no more than the target still asks;
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
    OUTSIDE,
    PARTIAL,
    PENDING,
    UNFILLED,
    UNPRICED,
    ActionLog,
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
from modules.engine.actions import act
from modules.engine.costs import impact_rate, most_lots, permanent_rate, scheduled
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
def _fund(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog) -> None:
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
    """Fill or expire what was decided a bar ago; PENDING is what stays. `stuck` is room for a mark a sector."""
    pending, lots, totals = book.pending, book.lots, book.totals
    prices, lot_size = market.fill[t], market.lot_size
    sigma, adv = market.sigma[t - 1], market.adv[t - 1]
    to_order, to_row, to_symbol, to_lots, to_price = fills.order, fills.row, fills.symbol, fills.lots, fills.price
    to_notional, to_commission, to_spread, to_impact = fills.notional, fills.commission, fills.spread, fills.impact
    sectors, leans = market.sectors[market.segment[t - 1]], book.pending_leans
    _find_stuck(t, market, book, stuck)
    cash, k = totals[CASH], totals[FILLS]
    capped, with_schedule = terms.participation > 0.0, terms.commission_share + terms.commission_trade > 0.0
    with_schedule = with_schedule or terms.commission_least > 0.0
    resting = 0
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
        if capped:
            most = most_lots(terms.participation, market.busy[t, i], lot_size[i])
            if abs(quantity) > most:
                if most > 0:
                    totals[PARTIAL] += 1
                elif terms.rests == 0.0:
                    totals[UNFILLED] += 1
                part = most if quantity > 0 else -most
                if terms.rests > 0.0:
                    pending[i] = quantity - part
                    resting += 1
                quantity = part
                if quantity == 0:
                    continue
        notional = micros(quantity, lot_size[i], price)
        size = abs(notional)
        shares = float(abs(quantity)) * lot_size[i]
        commission = fee(size, terms.commission)
        if with_schedule:
            commission = scheduled(
                commission, shares, terms.commission_share, terms.commission_trade, terms.commission_least
            )
        spread = fee(size, terms.half_spread)
        impact = fee(size, impact_rate(terms.impact_k, sigma[i], shares, adv[i]))
        if terms.permanent_gamma > 0.0:
            impact += fee(size, permanent_rate(terms.permanent_gamma, sigma[i], shares, adv[i]))
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
    totals[CASH], totals[FILLS], totals[PENDING] = cash, k, resting
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
    if short != 0:  # the log begins at 0, and a page that is never written costs nothing
        bars.short[row] = short


@inlined
def _ask(t: int, market: Market, terms: Terms, book: Book, weights: FloatArray, asked: IntArray) -> int:
    """Write the lots each target asks for beyond what is held, at the last known price; returns how many ask.

    A target that is NaN keeps the lots that are held; one outside the universe is 0. An order that still works goes on
    where the target asks for as much in its direction; else it is cancelled.
    """
    lots, mark, pending, totals = book.lots, book.mark, book.pending, book.totals
    closing, chosen = book.day_loss[0] >= terms.max_daily_loss, market.member.shape[0] > 0
    lot_size = market.lot_size
    nav = float(totals[NAV])
    asking = 0
    for i in range(lots.size):
        desired = 0
        weight = weights[i]
        if chosen and market.member[t, i] == 0.0 and weight != 0.0:
            totals[OUTSIDE] += 1
            weight = 0.0
        if weight != weight:
            desired = lots[i]
        elif weight != 0.0:
            if not mark[i] > 0.0:
                totals[UNPRICED] += 1
                asked[i] = 0
                continue
            unit = lot_size[i] * mark[i] * MICROS
            wanted = weight * nav / unit
            if not abs(wanted) < EXACT_LIMIT:
                totals[FAULT_SYMBOL] = i
                raise OverflowError("lots outside 2**53")
            desired = int(wanted) if nav > 0.0 else 0
            if desired == 0 and nav > 0.0:
                totals[BELOW_LOT] += 1
            if desired != 0 and float(abs(desired - lots[i])) * unit < terms.min_order:
                desired = lots[i]
        wanted_lots = desired - lots[i]
        if pending[i] != 0:
            if not closing and (pending[i] > 0) == (wanted_lots > 0) and abs(wanted_lots) >= abs(pending[i]):
                wanted_lots = 0
            else:
                pending[i] = 0
                totals[PENDING] -= 1
        asked[i] = wanted_lots
        if wanted_lots != 0:
            asking += 1
    return asking


@inlined
def _line_up(asked: IntArray, lots: IntArray, sequence: IntArray, closing: bool, line: IntArray) -> tuple[int, int]:
    """Write the columns of the orders that shrink a position to `line[0]`, of the others to `line[1]`; their numbers.

    Without a branch, which would be guessed wrong half of the time.
    """
    shrinking = 0
    growing = 0
    for j in range(sequence.size):
        i = sequence[j]
        there = (asked[i] != 0) | ((lots[i] != 0) & closing)
        shrinks = abs(lots[i] + asked[i]) <= abs(lots[i])
        line[0, shrinking] = i
        line[1, growing] = i
        shrinking += 1 if there & shrinks else 0
        growing += 1 if there & (not shrinks) else 0
    return shrinking, growing


@inlined
def _order(t: int, market: Market, terms: Terms, book: Book, orders: OrderLog, room: Room) -> None:
    """Put the orders through the risk decision, log and hold them; first those that shrink a position, then the others.

    `room.committed` is the gross of each sector as if nothing that shrinks were filled.
    """
    asked, line, committed = room.asked, room.line, room.committed
    lots, values, mark, sector_gross, totals = book.lots, book.value, book.mark, book.sector_gross, book.totals
    pending, pending_id, leans = book.pending, book.pending_id, book.pending_leans
    close, sigma, lot_size, sequence = market.close[t], market.sigma[t], market.lot_size, market.sequence
    sectors = market.sectors[market.segment[t]]
    to_row, to_symbol, to_asked, to_allowed = orders.row, orders.symbol, orders.asked, orders.allowed
    to_decision, to_rule, to_limit, to_value = orders.decision, orders.rule, orders.limit, orders.value
    committed[:] = 0
    for i in range(values.size):
        committed[sectors[i]] += abs(values[i])
        if pending[i] != 0 and lots[i] + pending[i] != 0:
            growth = abs(micros(lots[i] + pending[i], lot_size[i], mark[i])) - abs(values[i])
            sector_gross[sectors[i]] += max(0, growth)
            committed[sectors[i]] += max(0, growth)
    most = np.floor(terms.max_sector * float(totals[NAV]))
    loss, day_scale = book.day_loss[0], market.day_scale[t]
    closing = loss >= terms.max_daily_loss
    lined_up = _line_up(asked, lots, sequence, closing, line)
    first = totals[NEXT_ORDER]
    k = first
    for turn in range(2):
        for j in range(lined_up[turn]):
            i = line[turn, j]
            wanted, held = asked[i], lots[i]
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
    totals[PENDING] += k - first


@inlined
def begin_bar(
    t: int,
    row: int,
    market: Market,
    terms: Terms,
    book: Book,
    bars: BarLog,
    fills: FillLog,
    acts: ActionLog,
    room: Room,
) -> None:
    """Bar t up to where its account is known: borrow and funding, corporate actions, fills, marks."""
    totals = book.totals
    totals[FAULT_ROW] = t
    if row > 0 and bars.short[row - 1] > 0 and terms.borrow_year > 0.0:
        _borrow(t, row, market, terms, book, bars)
    if row > 0 and terms.funding_year > 0.0:
        _fund(t, row, market, terms, book, bars)
    if market.events.first[t] < market.events.first[t + 1]:
        act(t, row, market.events, market.lot_size, book, bars, acts)
    if totals[PENDING] > 0:
        _fill(t, row, market, terms, book, bars, fills, room.stuck)
    _mark(t, row, market, book, bars)


@inlined
def end_bar(
    t: int, weights: FloatArray, market: Market, terms: Terms, book: Book, orders: OrderLog, room: Room
) -> None:
    """From the targets of bar t to the orders that fill at the next."""
    asking = _ask(t, market, terms, book, weights, room.asked)
    if asking > 0 or book.day_loss[0] >= terms.max_daily_loss:
        _order(t, market, terms, book, orders, room)


@uncounted
def _advance(
    market: Market,
    targets: FloatArray,
    terms: Terms,
    book: Book,
    bars: BarLog,
    orders: OrderLog,
    fills: FillLog,
    acts: ActionLog,
    room: Room,
    begin: int,
    stop: int,
    origin: int,
) -> None:
    """`advance`, with the room that it works in."""
    for t in range(begin, stop):
        begin_bar(t, t - origin, market, terms, book, bars, fills, acts, room)
        end_bar(t, targets[t - origin], market, terms, book, orders, room)


def advance(
    market: Market,
    targets: FloatArray,
    terms: Terms,
    book: Book,
    bars: BarLog,
    orders: OrderLog,
    fills: FillLog,
    acts: ActionLog,
    begin: int,
    stop: int,
    origin: int,
) -> None:
    """Take `book` from bar `begin` to `stop - 1`. Row r of `targets` and `bars` is bar `origin + r`.

    Call it once for a backtest, or once a bar; the result is the same to the bit.
    Raises OverflowError, with the bar in `book.totals[FAULT_ROW]`, where an amount leaves its exact range.
    """
    _advance(market, targets, terms, book, bars, orders, fills, acts, new_room(book), begin, stop, origin)
