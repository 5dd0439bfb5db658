"""What a feed may say. Recorded on the tape as it stands, so a replay sees what was seen.

Prices in currency, sizes in units of the instrument (shares, coins); a side that is not there is None. `venue_ns` is
the venue's own time of the event, `seen_ns` ours when its bytes came in.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from modules.live.messages import Message

Levels: TypeAlias = tuple[tuple[float, float], ...]
"""Price and size displayed there from now on; size 0 = the level is gone."""


class Quote(Message, frozen=True, tag="quote"):
    """Best bid and ask."""

    symbol: str
    venue: str
    bid: float | None
    ask: float | None
    bid_size: float
    ask_size: float
    venue_ns: int
    seen_ns: int


class Trade(Message, frozen=True, tag="trade"):
    """A trade of others; `side` of the aggressor where the venue says it."""

    symbol: str
    venue: str
    price: float
    size: float
    side: Literal["buy", "sell"] | None
    trade_id: str
    venue_ns: int
    seen_ns: int


class Depth(Message, frozen=True, tag="depth"):
    """Levels of a book: all of them (`is_snapshot`), or those that changed.

    `first` and `last`: the venue's numbers of the changes that the message covers, 0 = the venue numbers nothing. A
    snapshot stands after change `last`.
    """

    symbol: str
    venue: str
    is_snapshot: bool
    first: int
    last: int
    bids: Levels
    asks: Levels
    venue_ns: int
    seen_ns: int


class Bar(Message, frozen=True, tag="bar"):
    """A closed bar. `ts_ns` is its label, `known_ns` the moment from which it can be known."""

    symbol: str
    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    known_ns: int


class Beat(Message, frozen=True, tag="beat"):
    """The feed lives, and had nothing else to say."""

    feed: str
    ts_ns: int


class Link(Message, frozen=True, tag="link"):
    """A feed's connection came or went. While it was gone anything may have been missed: no book stands."""

    feed: str
    is_up: bool
    reason: str
    ts_ns: int


FeedNews: TypeAlias = Quote | Trade | Depth | Bar | Beat | Link
