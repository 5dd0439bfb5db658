"""The books of a market as viewers of the desk see them: the best levels, and why one is not to be believed."""

from __future__ import annotations

from typing import Final

from modules.live.desk.asking import BookSeen, Level
from modules.live.feeds.market import Line, Market

MOST_LEVELS: Final = 10
MOST_BOOKS: Final = 200


def books_shown(market: Market) -> dict[str, BookSeen]:
    """By "symbol venue". A level-2 book where its changes follow one another, else best bid and ask."""
    found: dict[str, BookSeen] = {}
    for (venue, symbol), line in list(market.lines.items())[:MOST_BOOKS]:
        bids, asks = _levels(line) if line.sync.is_live else _best(line)
        at = 0 if line.top is None else line.top.venue_ns
        found[f"{symbol} {venue}"] = BookSeen(symbol, venue, at, bids, asks, market.health.broken.get(symbol))
    return found


def _levels(line: Line) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    bids, asks = line.book.levels(True, MOST_LEVELS), line.book.levels(False, MOST_LEVELS)
    return tuple(Level(p, float(n)) for p, n in bids), tuple(Level(p, float(n)) for p, n in asks)


def _best(line: Line) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    top, lot = line.top, line.instrument.lot_size
    if top is None:
        return (), ()
    return (Level(top.bid, top.bid_size / lot),), (Level(top.ask, top.ask_size / lot),)
