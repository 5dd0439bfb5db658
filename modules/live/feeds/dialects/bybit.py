"""Bybit v5 public streams: order book with snapshot and deltas in the stream, and trades.

https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook: `u` numbers the messages of a topic without a gap;
a snapshot may come at any time (`u` = 1 after a restart of the service) and replaces the book.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from modules.live.feeds.dialects.port import DialectError
from modules.live.feeds.news import Beat, Depth, FeedNews, Levels, Trade
from modules.live.feeds.symbols import SymbolMap
from modules.live.units import MILLI_NS

DEPTHS: Final = (1, 50, 200, 500, 1000)


class _Book(msgspec.Struct, gc=False):
    s: str
    b: Levels
    a: Levels
    u: int


class _Trade(msgspec.Struct, gc=False):
    T: int
    s: str
    S: Literal["Buy", "Sell"]
    v: float
    p: float
    i: str


class _Frame(msgspec.Struct, gc=False):
    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    data: msgspec.Raw = msgspec.Raw(b"null")
    success: bool = True
    ret_msg: str = ""
    op: str = ""


class Bybit:
    """One connection's topics."""

    venue = "bybit"

    def __init__(self, symbols: SymbolMap, *, depth: int = 50, trades: bool = True) -> None:
        if depth not in DEPTHS:
            raise DialectError(f"depth = {depth} is not offered; use one of {', '.join(map(str, DEPTHS))}")
        self._symbols, self._depth, self._trades = symbols, depth, trades
        self._frame = msgspec.json.Decoder(_Frame)
        # the venue writes numbers as text: read as numbers
        self._book = msgspec.json.Decoder(_Book, strict=False)
        self._deals = msgspec.json.Decoder(list[_Trade], strict=False)

    def subscribe(self) -> list[str]:
        """One request for all topics."""
        names = self._symbols.natives.values()
        topics = [self._book_topic(n) for n in names]
        topics += [f"publicTrade.{n}" for n in names] if self._trades else []
        return [_words("subscribe", topics)]

    def resync(self, symbol: str) -> list[str]:
        """Unsubscribe and subscribe: the first message of a topic is a snapshot."""
        topic = [self._book_topic(self._symbols.native(symbol))]
        return [_words("unsubscribe", topic), _words("subscribe", topic)]

    def snapshot_path(self, symbol: str) -> str | None:
        """The stream brings it."""
        return None

    def snapshot(self, symbol: str, body: bytes, seen_ns: int) -> Depth:
        """Never fetched."""
        raise DialectError("bybit sends snapshots in its stream")

    def ping(self) -> str | None:
        """Its heartbeat, which it asks for every 20 seconds."""
        return '{"op":"ping"}'

    def decode(self, message: bytes, seen_ns: int) -> list[FeedNews]:
        """A book, trades, or an answer to what was sent."""
        try:
            frame = self._frame.decode(message)
            if not frame.topic:
                return self._answer(frame, seen_ns)
            kind, _, _ = frame.topic.partition(".")
            if kind == "orderbook":
                return self._depth_of(frame, seen_ns)
            if kind == "publicTrade":
                return self._trades_of(frame, seen_ns)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise DialectError(f"{message[:80]!r} cannot be read: {error}") from error
        return [Beat(self.venue, seen_ns)]

    def _answer(self, frame: _Frame, seen_ns: int) -> list[FeedNews]:
        if not frame.success:
            raise DialectError(f"{frame.op or 'a request'} was turned down: {frame.ret_msg or 'no reason given'}")
        return [Beat(self.venue, seen_ns)]

    def _depth_of(self, frame: _Frame, seen_ns: int) -> list[FeedNews]:
        book = self._book.decode(frame.data)
        symbol = self._symbols.canonical(book.s)
        if symbol is None:
            return [Beat(self.venue, seen_ns)]
        if frame.type not in ("snapshot", "delta"):
            raise DialectError(f"type {frame.type!r} of {frame.topic} is neither snapshot nor delta")
        at = (frame.cts or frame.ts) * MILLI_NS
        whole = frame.type == "snapshot"
        return [Depth(symbol, self.venue, whole, book.u, book.u, book.b, book.a, at, seen_ns)]

    def _trades_of(self, frame: _Frame, seen_ns: int) -> list[FeedNews]:
        found: list[FeedNews] = []
        for deal in self._deals.decode(frame.data):
            symbol = self._symbols.canonical(deal.s)
            if symbol is not None:
                side: Literal["buy", "sell"] = "buy" if deal.S == "Buy" else "sell"
                found.append(Trade(symbol, self.venue, deal.p, deal.v, side, deal.i, deal.T * MILLI_NS, seen_ns))
        return found or [Beat(self.venue, seen_ns)]

    def _book_topic(self, native: str) -> str:
        return f"orderbook.{self._depth}.{native}"


def _words(op: str, topics: list[str]) -> str:
    return msgspec.json.encode({"op": op, "args": topics}).decode()
