"""Fills: what was ordered a bar ago meets the prices, the volume and the costs of this one."""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import (
    CASH,
    EXACT_LIMIT,
    EXACT_SUMS,
    FAULT_SYMBOL,
    FEW,
    FILLS,
    MICROS,
    PARTIAL,
    PENDING,
    UNFILLED,
    BarLog,
    Book,
    FillLog,
    Market,
    Room,
    Terms,
    add,
    fee,
    micros,
    segment_at,
)
from modules.engine.costs import impact_rate, most_lots, permanent_rate, scheduled
from modules.engine.estimates import estimates_at
from modules.jit import inlined, uncounted
from modules.panel import IntArray


@inlined
def _find_stuck(t: int, market: Market, book: Book, stuck: IntArray) -> None:
    """`stuck[sectors]`: 1 where an order that was to shrink a position in it has no price at bar t."""
    pending, lots, prices = book.pending, book.lots, market.fill[t]
    sectors = market.sectors[segment_at(t - 1, market)]
    stuck[:] = 0
    for i in range(pending.size):
        if pending[i] != 0 and not prices[i] > 0.0 and abs(lots[i] + pending[i]) <= abs(lots[i]):
            stuck[sectors[i]] = 1


@inlined
def _take(t: int, market: Market, terms: Terms, book: Book, fills: FillLog, room: Room) -> tuple[int, int]:
    """Write what fills at bar t to the log, money apart, and to `room` what its costs are made of.

    Returns where the log ends, and the number of orders that stay.
    """
    pending, lots, totals = book.pending, book.lots, book.totals
    prices, lot_size = market.fill[t], market.lot_size
    known = estimates_at(t - 1, market.estimates)
    sigma, adv = market.estimates.sigma[known], market.estimates.adv[known]
    to_order, to_row, to_symbol, to_lots, to_price = fills.order, fills.row, fills.symbol, fills.lots, fills.price
    to_shares, to_sigma, to_adv = room.shares, room.sigma, room.adv
    sectors, leans = market.sectors[segment_at(t - 1, market)], book.pending_leans
    first = totals[FILLS]
    taken = 0
    resting = 0
    for i in range(pending.size):
        quantity = pending[i]
        if quantity == 0:
            continue
        pending[i] = 0
        if not prices[i] > 0.0 or (leans[i] == 1 and room.stuck[sectors[i]] == 1):
            totals[UNFILLED] += 1
            continue
        if terms.participation > 0.0:
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
        lots[i] += quantity
        k, at = np.uint64(first + taken), np.uint64(taken)
        to_order[k], to_row[k], to_symbol[k] = book.pending_id[i], t, i
        to_lots[k], to_price[k] = quantity, prices[i]
        to_shares[at], to_sigma[at], to_adv[at] = float(abs(quantity)) * lot_size[i], sigma[i], adv[i]
        taken += 1
    return first + taken, resting


@inlined
def charge_each(begin: int, end: int, terms: Terms, fills: FillLog, room: Room, skip: int, totals: IntArray) -> None:
    """Write the money of the fills `begin` to `end - 1` of the log, the first of which is `skip` in `room`.

    Raises OverflowError for the first amount that is not exact, with its symbol in `totals`.
    """
    with_schedule = terms.commission_share + terms.commission_trade > 0.0 or terms.commission_least > 0.0
    for k in range(begin, end):
        totals[FAULT_SYMBOL] = fills.symbol[k]
        j = skip + k - begin
        shares, sigma, adv = room.shares[j], room.sigma[j], room.adv[j]
        size = micros(1, shares, fills.price[k])
        commission, impact = fee(size, terms.commission), fee(size, impact_rate(terms.impact_k, sigma, shares, adv))
        if with_schedule:
            commission = scheduled(
                commission, shares, terms.commission_share, terms.commission_trade, terms.commission_least
            )
        if terms.permanent_gamma > 0.0:
            impact += fee(size, permanent_rate(terms.permanent_gamma, sigma, shares, adv))
        fills.notional[k] = size if fills.lots[k] > 0 else -size
        fills.commission[k], fills.spread[k], fills.impact[k] = commission, fee(size, terms.half_spread), impact


@inlined
def _is_plain(terms: Terms) -> bool:
    """Whether fills cost spread, commission by value and passing impact alone, as `charge_many` takes for granted."""
    return terms.commission_share + terms.commission_trade + terms.commission_least + terms.permanent_gamma == 0.0


@uncounted
def charge_many(begin: int, end: int, terms: Terms, fills: FillLog, room: Room, skip: int) -> bool:
    """As `charge_each` for plain costs, a column at a time and without branches: several fills are worked out at once.

    Returns whether every amount is exact; where one is not, nothing that was written counts.
    """
    lots, price, notional = fills.lots[begin:end], fills.price[begin:end], fills.notional[begin:end]
    commission, spread, impact = fills.commission[begin:end], fills.spread[begin:end], fills.impact[begin:end]
    shares, sigma, adv = room.shares[skip:], room.sigma[skip:], room.adv[skip:]
    exact = True
    for j in range(end - begin):
        amount = np.rint(shares[j] * price[j] * MICROS)
        exact &= amount < EXACT_LIMIT
        size = int(min(amount, EXACT_LIMIT))
        notional[j] = size if lots[j] > 0 else -size
    for j in range(end - begin):
        size = abs(notional[j])
        charged, halved = np.rint(float(size) * terms.commission), np.rint(float(size) * terms.half_spread)
        exact &= (charged < EXACT_LIMIT) & (halved < EXACT_LIMIT)
        commission[j], spread[j] = int(min(charged, EXACT_LIMIT)), int(min(halved, EXACT_LIMIT))
    for j in range(end - begin):
        rate = impact_rate(terms.impact_k, sigma[j], shares[j], adv[j])
        pushed = np.rint(float(abs(notional[j])) * rate)
        exact &= pushed < EXACT_LIMIT
        impact[j] = int(min(pushed, EXACT_LIMIT))
    return exact


@inlined
def fill(t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog, room: Room) -> None:
    """Fill or expire what was decided a bar ago; PENDING is what stays."""
    totals = book.totals
    _find_stuck(t, market, book, room.stuck)
    begin = totals[FILLS]
    end, totals[PENDING] = _take(t, market, terms, book, fills, room)
    cash = totals[CASH]
    traded = 0
    commissions = 0
    spreads = 0
    impacts = 0
    for part in range(begin, end, EXACT_SUMS):
        stop, skip = min(end, part + EXACT_SUMS), part - begin
        many = stop - part >= FEW and _is_plain(terms)
        if not (many and charge_many(part, stop, terms, fills, room, skip)):
            charge_each(part, stop, terms, fills, room, skip, totals)
        paid = 0
        moved = 0
        for k in range(part, stop):
            paid += fills.notional[k] + fills.commission[k] + fills.spread[k] + fills.impact[k]
            moved += abs(fills.notional[k])
            commissions += fills.commission[k]
            spreads += fills.spread[k]
            impacts += fills.impact[k]
        totals[FAULT_SYMBOL] = fills.symbol[stop - 1]
        cash, traded = add(cash, -paid), add(traded, moved)
    totals[CASH], totals[FILLS] = cash, end
    bars.traded[row] = traded
    bars.commission[row], bars.spread[row], bars.impact[row] = commissions, spreads, impacts
