"""Reference prices from Alpaca's own quotes: the middle of bid and ask, where both are there and not crossed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules.live.messages import Marked
from modules.live.venues.exact import FigureError, Listings, decimal, moment_ns
from modules.live.venues.port import Hear
from modules.live.venues.stream import Stream, Times


class Quotes:
    """The stream of quotes of the listed instruments. It comes and goes by itself: without it, prices grow stale."""

    def __init__(self, url: str, key: str, secret: str, times: Times, listings: Listings) -> None:
        self._key, self._secret, self._listings = key, secret, listings
        self._hear: Hear = lambda news: None
        self._stream = Stream(
            "alpaca-quotes", url, times, greet=self._greet, take=self._take, state=lambda is_up, reason: None
        )

    def start(self, hear: Hear) -> str | None:
        """None when it stands, else why it does not."""
        self._hear = hear
        return self._stream.start()

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def _greet(self, send: Callable[[object], None], receive: Callable[[], Any]) -> None:
        _expect(receive(), "connected")
        send({"action": "auth", "key": self._key, "secret": self._secret})
        _expect(receive(), "authenticated")
        send({"action": "subscribe", "quotes": [x.native for x in self._listings]})

    def _take(self, messages: Any) -> None:
        if not isinstance(messages, list):
            raise FigureError(f"a list of quotes is wanted, not {str(messages)[:200]}")
        for message in messages:
            kind = message.get("T") if isinstance(message, dict) else None
            if kind == "error":
                raise FigureError(f"the stream of quotes says {message.get('code')} {message.get('msg')}")
            if kind != "q":
                continue
            bid, ask = decimal(message.get("bp"), "bp"), decimal(message.get("ap"), "ap")
            if 0 < bid <= ask:
                symbol = self._listings.there(str(message.get("S"))).symbol
                price = float((bid + ask) / 2)
                self._hear(Marked(symbol=symbol, price=price, ts_ns=moment_ns(message.get("t"))))


def _expect(messages: Any, said: str) -> None:
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    if first.get("T") != "success" or first.get("msg") != said:
        raise FigureError(f"{said} was wanted, not {str(messages)[:200]}")
