"""What the venue has of the account: orders, executions, positions and cash, each asked for by its own FIX message."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from modules.live.messages import Filled, OpenAtVenue, Report
from modules.live.venues.exact import Listings, decimal, micros
from modules.live.venues.fix.codec import Field, Heard, stamp
from modules.live.venues.fix.words import filled, order_id, status

_REQUEST_TAGS: Final = {"8": 584, "AQ": 568, "AE": 568, "AO": 710, "AP": 710, "BG": 909, "BA": 909}
_ORDERS, _TRADES, _POSITIONS, _CASH = "orders", "trades", "positions", "cash"
_OF: Final = {
    "8": _ORDERS, "AQ": _TRADES, "AE": _TRADES, "AO": _POSITIONS, "AP": _POSITIONS, "BG": _CASH, "BA": _CASH,
}  # fmt: skip
_TOTALS: Final = {"8": 911, "AQ": 748, "AE": 748, "AO": 727, "AP": 727, "BA": 911}
_NO_POSITIONS: Final = "2"  # PosReqResult


def questions(request_id: str, account: str, now_ns: int) -> list[tuple[str, list[Field]]]:
    """OrderMassStatusRequest, TradeCaptureReportRequest, RequestForPositions and CollateralInquiry."""
    at = stamp(now_ns)
    return [
        ("AF", [(584, request_id), (585, "7")]),
        ("AD", [(568, request_id), (569, "0"), (263, "0")]),
        ("AN", [(710, request_id), (724, "0"), (263, "0"), (1, account), (581, "1"), (715, at[:8]), (60, at)]),
        ("BB", [(909, request_id), (263, "0"), (1, account)]),
    ]


@dataclass
class Answers:
    """The answers to one set of questions, in whatever order they come. `take` and `wait` are for different threads."""

    request_id: str
    listings: Listings
    broken: str | None = None
    _got: dict[str, list[Heard]] = field(default_factory=lambda: {k: [] for k in set(_OF.values())})
    _total: dict[str, int] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _event: threading.Event = field(default_factory=threading.Event)

    def take(self, message: Heard) -> bool:
        """Whether the message answers one of the questions."""
        tag = _REQUEST_TAGS.get(message.kind)
        if tag is None or message.get(tag) != self.request_id:
            return False
        which, total = _OF[message.kind], message.get(_TOTALS.get(message.kind, 911))
        if total is not None:
            self._total[which] = int(total)
        if message.kind == "AQ" and message.get(749) not in (None, "0"):
            return self._end(f"TradeCaptureReportRequest refused: {message.get(58) or message.get(749)}")
        if message.kind == "AO" and message.get(728) not in (None, "0", _NO_POSITIONS):
            return self._end(f"RequestForPositions refused: {message.get(58) or message.get(728)}")
        if message.kind == "AO" and message.get(728) == _NO_POSITIONS:
            self._total[which] = 0
        if message.kind in ("8", "AE", "AP", "BA") and total != "0":
            self._got[which].append(message)
        count = self._total.get(which)
        if message.get(912) == "Y" or (count is not None and len(self._got[which]) >= count):
            self._done.add(which)
        if len(self._done) == len(self._got):
            self._event.set()
        return True

    def fail(self, why: str) -> None:
        """Nothing more comes."""
        self._end(why)

    def _end(self, why: str) -> bool:
        self.broken = self.broken or why
        self._event.set()
        return True

    def wait(self, seconds: float) -> bool:
        """Whether everything came."""
        return self._event.wait(seconds) and self.broken is None

    def report(self, venue: str, now_ns: int) -> Report:
        """What was said, `complete` only where nothing is missing. Raises FigureError."""
        fills = self._fills()
        orders: list[OpenAtVenue] = []
        agrees = len(self._done) == len(self._got) and self.broken is None
        for message in self._got[_ORDERS]:
            of_order = fills.pop(order_id(message), {})
            orders.append(status(message, tuple(of_order.values()), self.listings))
            executed = decimal(message.need(14), "CumQty")
            listing = self.listings.there(message.need(55))
            agrees = agrees and listing.lots(executed) == abs(sum(f.lots for f in of_order.values()))
        return Report(
            venue=venue, orders=tuple(orders), positions=self._positions(), cash_micros=self._cash(),
            complete=agrees and not fills, ts_ns=now_ns,
        )  # fmt: skip

    def _fills(self) -> dict[str, dict[str, Filled]]:
        """Executions that stand, by order and id; a cancelled one is taken out, a replaced one replaced."""
        found: dict[str, dict[str, Filled]] = {}
        for message in self._got[_TRADES]:
            exec_id = message.get(19) or message.need(17)
            of_order = found.setdefault(order_id(message), {})
            if message.get(487) == "1":
                of_order.pop(exec_id, None)
            else:
                of_order[exec_id] = filled(message, order_id(message), exec_id, self.listings)
        return {client_id: fills for client_id, fills in found.items() if fills}

    def _positions(self) -> dict[str, int]:
        held: dict[str, int] = {}
        for message in self._got[_POSITIONS]:
            listing = self.listings.there(message.need(55))
            lots = listing.lots(
                decimal(message.get(704) or "0", "LongQty") - decimal(message.get(705) or "0", "ShortQty")
            )
            held[listing.symbol] = held.get(listing.symbol, 0) + lots
        return {symbol: lots for symbol, lots in held.items() if lots}

    def _cash(self) -> int:
        return sum(micros(decimal(m.need(901), "CashOutstanding")) for m in self._got[_CASH])
