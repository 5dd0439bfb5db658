"""Orders: what targets ask for beyond what is held, and how much of it the risk decision allows.

Desired lots are weight * NAV / (lot size * close), truncated toward zero, so a target never exceeds its weight. Orders
that shrink a position go first, so that they free room in their sector; then the others; within both, symbols in order
of their names. So the order of columns never matters.
"""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import (
    BELOW_LOT,
    EXACT_LIMIT,
    FAULT_SYMBOL,
    MICROS,
    NAV,
    NEXT_ORDER,
    OUTSIDE,
    PENDING,
    UNPRICED,
    Book,
    Market,
    OrderLog,
    Room,
    Terms,
    add,
    micros,
    segment_at,
)
from modules.engine.estimates import estimates_at
from modules.engine.risk import decide
from modules.jit import inlined
from modules.panel import FloatArray, IntArray


@inlined
def ask(t: int, market: Market, terms: Terms, book: Book, weights: FloatArray, asked: IntArray) -> int:
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
        i = np.uint64(sequence[j])
        there = (asked[i] != 0) | ((lots[i] != 0) & closing)
        shrinks = abs(lots[i] + asked[i]) <= abs(lots[i])
        line[0, np.uint64(shrinking)] = sequence[j]
        line[1, np.uint64(growing)] = sequence[j]
        shrinking += 1 if there & shrinks else 0
        growing += 1 if there & (not shrinks) else 0
    return shrinking, growing


@inlined
def order(t: int, market: Market, terms: Terms, book: Book, orders: OrderLog, room: Room) -> None:
    """Put the orders through the risk decision, log and hold them; first those that shrink a position, then the others.

    `room.committed` is the gross of each sector as if nothing that shrinks were filled.
    """
    asked, line, committed = room.asked, room.line, room.committed
    lots, values, mark, sector_gross, totals = book.lots, book.value, book.mark, book.sector_gross, book.totals
    pending, pending_id, leans = book.pending, book.pending_id, book.pending_leans
    sigma = market.estimates.sigma[estimates_at(t, market.estimates)]
    close, lot_size, sequence = market.close[t], market.lot_size, market.sequence
    sectors = market.sectors[segment_at(t, market)]
    to_row, to_symbol, to_asked, to_allowed = orders.row, orders.symbol, orders.asked, orders.allowed
    to_decision, to_rule, to_limit, to_value = orders.decision, orders.rule, orders.limit, orders.value
    committed[:] = 0
    for c in range(values.size):
        sector = np.uint64(sectors[c])
        committed[sector] += abs(values[c])
        if pending[c] != 0 and lots[c] + pending[c] != 0:
            growth = abs(micros(lots[c] + pending[c], lot_size[c], mark[c])) - abs(values[c])
            sector_gross[sector] += max(0, growth)
            committed[sector] += max(0, growth)
    most = np.floor(terms.max_sector * float(totals[NAV]))
    loss, day_scale = book.day_loss[0], market.day_scale[t]
    closing = loss >= terms.max_daily_loss
    lined_up = _line_up(asked, lots, sequence, closing, line)
    first = totals[NEXT_ORDER]
    k = first
    for turn in range(2):
        for j in range(lined_up[turn]):
            totals[FAULT_SYMBOL] = line[turn, j]
            i, at = np.uint64(line[turn, j]), np.uint64(k)
            wanted, held = asked[i], lots[i]
            worth, sector = abs(values[i]), np.uint64(sectors[i])
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
            to_row[at] = t
            to_symbol[at] = line[turn, j]
            to_asked[at] = wanted
            to_allowed[at] = allowed
            to_decision[at] = decision
            to_rule[at] = rule
            to_limit[at] = limit
            to_value[at] = value
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
