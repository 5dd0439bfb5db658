"""Fills: what was ordered a bar ago meets the prices, the volume and the costs of this one."""

from __future__ import annotations

from modules.engine.accounting import (
    CASH,
    FAULT_SYMBOL,
    FILLS,
    PARTIAL,
    PENDING,
    UNFILLED,
    BarLog,
    Book,
    FillLog,
    Market,
    Terms,
    add,
    fee,
    micros,
    segment_at,
)
from modules.engine.costs import impact_rate, most_lots, permanent_rate, scheduled
from modules.engine.estimates import estimates_at
from modules.jit import inlined
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
def fill(
    t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog, stuck: IntArray
) -> None:
    """Fill or expire what was decided a bar ago; PENDING is what stays. `stuck` is room for a mark a sector."""
    pending, lots, totals = book.pending, book.lots, book.totals
    prices, lot_size = market.fill[t], market.lot_size
    known = estimates_at(t - 1, market.estimates)
    sigma, adv = market.estimates.sigma[known], market.estimates.adv[known]
    to_order, to_row, to_symbol, to_lots, to_price = fills.order, fills.row, fills.symbol, fills.lots, fills.price
    to_notional, to_commission, to_spread, to_impact = fills.notional, fills.commission, fills.spread, fills.impact
    sectors, leans = market.sectors[segment_at(t - 1, market)], book.pending_leans
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
