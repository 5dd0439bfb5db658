"""One closed bar of the engine's loop, without its fills: those come from the venue."""

from __future__ import annotations

from modules.engine.accounting import BarLog, Book, Market, OrderLog, Room, Terms
from modules.engine.loop import end_bar
from modules.engine.marking import mark_positions
from modules.jit import uncounted
from modules.panel import FloatArray


@uncounted
def close_bar(
    t: int,
    row: int,
    weights: FloatArray,
    market: Market,
    terms: Terms,
    book: Book,
    bars: BarLog,
    orders: OrderLog,
    room: Room,
) -> None:
    """Mark the account at bar t and put its targets through the risk decision. `row` 0: the account's first bar.

    Raises OverflowError, with the bar in `book.totals[FAULT_ROW]`, where an amount leaves its exact range.
    """
    mark_positions(t, row, market, book, bars)
    end_bar(t, weights, market, terms, book, orders, room)
