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
bar does. `marking.py` says what time costs and what positions are worth, `filling.py` what a fill costs, `ordering.py`
what targets want and risk allows, `actions.py` what splits, dividends and delistings do. What indexes without being
counted by a `range` is unsigned, so that nothing asks whether it counts from the end.
"""

from __future__ import annotations

from modules.engine.accounting import (
    FAULT_ROW,
    PENDING,
    ActionLog,
    BarLog,
    Book,
    FillLog,
    Market,
    OrderLog,
    Room,
    Terms,
    new_room,
)
from modules.engine.actions import act
from modules.engine.filling import fill
from modules.engine.marking import borrow, fund, mark_positions
from modules.engine.ordering import ask, order
from modules.jit import inlined, uncounted
from modules.panel import FloatArray


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
        borrow(t, row, market, terms, book, bars)
    if row > 0 and terms.funding_year > 0.0:
        fund(t, row, market, terms, book, bars)
    if market.events.first[t] < market.events.first[t + 1]:
        act(t, row, market.events, market.lot_size, book, bars, acts)
    if totals[PENDING] > 0:
        fill(t, row, market, terms, book, bars, fills, room)
    mark_positions(t, row, market, book, bars)


@inlined
def end_bar(
    t: int, weights: FloatArray, market: Market, terms: Terms, book: Book, orders: OrderLog, room: Room
) -> None:
    """From the targets of bar t to the orders that fill at the next."""
    asking = ask(t, market, terms, book, weights, room.asked)
    if asking > 0 or book.day_loss[0] >= terms.max_daily_loss:
        order(t, market, terms, book, orders, room)


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
