"""Reference prices from the broker's ticks: the middle of bid and ask."""

from __future__ import annotations

from typing import Any, Final

from modules.live.messages import Marked
from modules.live.venues.exact import Listings
from modules.live.venues.ib import words

_BID: Final = frozenset({1, 66})  # the second of each is of delayed data
_ASK: Final = frozenset({2, 67})


class Quotes:
    """Ticks of the listed instruments, by the number of the question. Used in the client's thread."""

    def __init__(self, listings: Listings) -> None:
        self._listings = listings
        self._sides: dict[int, tuple[str, dict[str, float]]] = {}

    def __contains__(self, request: int) -> bool:
        return request in self._sides

    def subscribe(self, client: Any) -> None:
        """Ask anew, through a connection that just came up. Raises ConnectionError."""
        self._sides.clear()
        for listing in self._listings:
            number = client.getReqId()
            self._sides[number] = (listing.symbol, {})
            client.reqMktData(number, words.contract(listing), "", False, False, [])

    def take(self, request: int, kind: int, price: float, now_ns: int) -> Marked | None:
        """A tick; a price where it makes one. Raises FigureError."""
        found = self._sides.get(request)
        side = "bid" if kind in _BID else "ask" if kind in _ASK else None
        if found is None or side is None:
            return None
        symbol, sides = found
        sides[side] = price
        bid, ask = sides.get("bid", 0.0), sides.get("ask", 0.0)
        if not 0.0 < bid <= ask:
            return None
        return Marked(symbol=symbol, price=float((words.exact(bid) + words.exact(ask)) / 2), ts_ns=now_ns)
