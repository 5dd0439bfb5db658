"""Reference prices from Bybit's public stream of tickers: the middle of best bid and ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules.live.messages import Marked
from modules.live.venues.exact import FigureError, Listings, decimal
from modules.live.venues.port import Hear
from modules.live.venues.stream import Stream, Times


class Quotes:
    """Tickers of the listed instruments: a snapshot, then what changed. Without the stream, prices grow stale."""

    def __init__(self, url: str, times: Times, listings: Listings) -> None:
        self._listings = listings
        self._sides: dict[str, dict[str, object]] = {}
        self._hear: Hear = lambda news: None
        self._stream = Stream(
            "ccxt-quotes", url, times, greet=self._greet, take=self._take, state=lambda is_up, reason: None,
            beat=lambda: {"op": "ping"},
        )  # fmt: skip

    def start(self, hear: Hear) -> str | None:
        """None when it stands, else why it does not."""
        self._hear = hear
        return self._stream.start()

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def _greet(self, send: Callable[[object], None], receive: Callable[[], Any]) -> None:
        self._sides.clear()
        send({"op": "subscribe", "args": [f"tickers.{x.native}" for x in self._listings]})

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("success") is False:
            raise FigureError(f"the stream of tickers says {str(message)[:200]}")
        data = message.get("data")
        if not str(message.get("topic", "")).startswith("tickers.") or not isinstance(data, dict):
            return
        native = str(data.get("symbol"))
        sides = self._sides.setdefault(native, {})
        if message.get("type") == "snapshot":
            sides.clear()
        sides.update({side: data[side] for side in ("bid1Price", "ask1Price") if data.get(side)})
        if len(sides) < 2:
            return
        bid, ask = (decimal(sides[side], side) for side in ("bid1Price", "ask1Price"))
        if 0 < bid <= ask:
            symbol, at = self._listings.there(native).symbol, decimal(message.get("ts"), "ts")
            self._hear(Marked(symbol=symbol, price=float((bid + ask) / 2), ts_ns=int(at) * 1_000_000))
