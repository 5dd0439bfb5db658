"""Binance public streams: depth as changes with a snapshot fetched apart, best prices, and trades.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams, "How to manage a local order book
correctly": changes `U`..`u` are held until the snapshot's `lastUpdateId`, of which the first to apply spans the next.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from modules.live.feeds.dialects.port import DialectError
from modules.live.feeds.news import Beat, Depth, FeedNews, Levels, Quote, Trade
from modules.live.feeds.symbols import SymbolMap
from modules.live.units import MILLI_NS

Stream = Literal["depth", "bookTicker", "trade"]
_SUFFIX: Final[dict[str, str]] = {"depth": "@depth@100ms", "bookTicker": "@bookTicker", "trade": "@trade"}


class _Depth(msgspec.Struct, gc=False):
    E: int
    s: str
    U: int
    u: int
    b: Levels
    a: Levels


class _Ticker(msgspec.Struct, gc=False):
    s: str
    b: float
    B: float
    a: float
    A: float
    E: int = 0


class _Trade(msgspec.Struct, gc=False):
    T: int
    s: str
    t: int
    p: float
    q: float
    m: bool


class _Snapshot(msgspec.Struct, gc=False):
    lastUpdateId: int  # noqa: N815  # the venue's word
    bids: Levels
    asks: Levels


class _Fault(msgspec.Struct, gc=False):
    code: int = 0
    msg: str = ""


class _Frame(msgspec.Struct, gc=False):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: _Fault | None = None


class Binance:
    """The combined streams of one connection (address ending in `/stream`)."""

    venue = "binance"

    def __init__(
        self, symbols: SymbolMap, streams: tuple[Stream, ...] = ("depth", "trade"), *, depth: int = 1000
    ) -> None:
        strange = set(streams) - _SUFFIX.keys()
        if strange or not streams:
            raise DialectError(f"streams {sorted(strange)} are not offered; use some of {', '.join(_SUFFIX)}")
        self._symbols, self._streams, self._limit = symbols, streams, depth
        self._frame = msgspec.json.Decoder(_Frame)
        self._depth = msgspec.json.Decoder(_Depth, strict=False)
        self._ticker = msgspec.json.Decoder(_Ticker, strict=False)
        self._trade = msgspec.json.Decoder(_Trade, strict=False)
        self._whole = msgspec.json.Decoder(_Snapshot, strict=False)

    def subscribe(self) -> list[str]:
        """One request for all streams."""
        names = [n.lower() + _SUFFIX[s] for n in self._symbols.natives.values() for s in self._streams]
        return [msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": 1}).decode()]

    def resync(self, symbol: str) -> list[str]:
        """Nothing: it is fetched."""
        return []

    def snapshot_path(self, symbol: str) -> str | None:
        """Its REST address of the book."""
        return f"/api/v3/depth?symbol={self._symbols.native(symbol)}&limit={self._limit}"

    def snapshot(self, symbol: str, body: bytes, seen_ns: int) -> Depth:
        """What it answered. It says no time: that of our seeing it is taken."""
        try:
            whole = self._whole.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise DialectError(f"the snapshot of {symbol}, {body[:80]!r}, cannot be read: {error}") from error
        last = whole.lastUpdateId
        return Depth(symbol, self.venue, True, last, last, whole.bids, whole.asks, seen_ns, seen_ns)

    def ping(self) -> str | None:
        """The protocol's is enough."""
        return None

    def decode(self, message: bytes, seen_ns: int) -> list[FeedNews]:
        """A change, best prices, a trade, or an answer to what was sent."""
        try:
            frame = self._frame.decode(message)
            if frame.error is not None:
                raise DialectError(f"a request was turned down: {frame.error.msg} (code {frame.error.code})")
            _, _, stream = frame.stream.partition("@")
            news = self._news(stream.partition("@")[0], frame.data, seen_ns) if stream else None
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise DialectError(f"{message[:80]!r} cannot be read: {error}") from error
        return [Beat(self.venue, seen_ns) if news is None else news]

    def _news(self, stream: str, data: msgspec.Raw, seen_ns: int) -> FeedNews | None:
        """None for an instrument that was not asked for, or a stream that means nothing here."""
        if stream == "depth":
            d = self._depth.decode(data)
            symbol, at = self._symbols.canonical(d.s), d.E * MILLI_NS
            return None if symbol is None else Depth(symbol, self.venue, False, d.U, d.u, d.b, d.a, at, seen_ns)
        if stream == "bookTicker":
            q = self._ticker.decode(data)
            symbol, at = self._symbols.canonical(q.s), q.E * MILLI_NS or seen_ns  # the spot market says no time
            return None if symbol is None else Quote(symbol, self.venue, q.b, q.a, q.B, q.A, at, seen_ns)
        if stream == "trade":
            t = self._trade.decode(data)
            symbol, at = self._symbols.canonical(t.s), t.T * MILLI_NS
            side: Literal["buy", "sell"] = "sell" if t.m else "buy"  # m: the buyer was there first
            return None if symbol is None else Trade(symbol, self.venue, t.p, t.q, side, str(t.t), at, seen_ns)
        return None
