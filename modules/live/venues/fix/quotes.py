"""Reference prices from the venue's own market data: the middle of best bid and offer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from modules.live.messages import Marked
from modules.live.venues.exact import FigureError, Listings, decimal
from modules.live.venues.fix.codec import Field, Heard

_BID, _OFFER = "0", "1"


class Quotes:
    """One subscription: best bid and offer of the listed instruments, full or incremental."""

    def __init__(self, listings: Listings) -> None:
        self._listings = listings
        self._sides: dict[str, dict[str, Decimal]] = {}

    def question(self, request: str) -> list[Field]:
        """MarketDataRequest: snapshot and updates of the top of the book."""
        natives = [x.native for x in self._listings]
        head = [(262, request), (263, "1"), (264, "1"), (265, "1"), (267, "2"), (269, _BID), (269, _OFFER)]
        return [*head, (146, str(len(natives))), *((55, native) for native in natives)]

    def take(self, message: Heard, now_ns: int) -> list[Marked]:
        """Marks in a snapshot (W) or an update (X); a refusal (Y) raises FigureError, as what cannot be read does."""
        if message.kind == "Y":
            raise FigureError(f"refused: {message.get(58) or message.get(281) or 'no reason given'}")
        changed: dict[str, None] = {}
        if message.kind == "W":
            self._sides[message.need(55)] = {}
        for entry in _entries(message):
            native, side = entry.get(55) or message.get(55), entry.get(269)
            if native is None:
                raise FigureError(f"an entry of message {message.number} is of no symbol")
            if side not in (_BID, _OFFER):
                continue
            sides = self._sides.setdefault(native, {})
            if entry.get(279) == "2":
                sides.pop(side, None)
            else:
                sides[side] = decimal(entry.get(270), "MDEntryPx")
            changed[native] = None
        marks = []
        for native in changed:
            bid, offer = self._sides[native].get(_BID), self._sides[native].get(_OFFER)
            if bid is not None and offer is not None and 0 < bid <= offer:
                symbol = self._listings.there(native).symbol
                marks.append(Marked(symbol=symbol, price=float((bid + offer) / 2), ts_ns=now_ns))
        return marks


def _entries(message: Heard) -> Iterator[dict[int, str]]:
    """The repeating group behind NoMDEntries; each entry begins with the tag that begins the first."""
    pairs = list(message.pairs)
    start = next((i for i, (tag, _) in enumerate(pairs) if tag == 268), len(pairs)) + 1
    first = pairs[start][0] if start < len(pairs) else None
    entry: dict[int, str] = {}
    for tag, value in pairs[start:]:
        if tag == first and entry:
            yield entry
            entry = {}
        entry[tag] = value
    if entry:
        yield entry
