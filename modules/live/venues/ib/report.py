"""What the broker has of the account: open and completed orders, today's executions, positions, cash."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modules.live.messages import Filled, OpenAtVenue, Report
from modules.live.venues.exact import Listings, decimal, micros
from modules.live.venues.ib.words import TIMES, TYPES, exact, execution_id, filled, signed

PARTS: Final = frozenset({"orders", "completed", "executions", "positions", "summary"})
TAGS: Final = "TotalCashValue,BuyingPower"
_OVER: Final = frozenset({"Filled", "Cancelled", "ApiCancelled"})
_ENDED: Final = {"Filled": "filled", "Cancelled": "cancelled", "ApiCancelled": "cancelled", "Inactive": "rejected"}


def order_name(order_ref: str, perm_id: int) -> str:
    """Our id; an order that was made elsewhere has none, and is named by the broker's."""
    return order_ref or f"perm-{perm_id}"


@dataclass
class Collected:
    """The answers to one round of questions. Filled in the client's thread until it is over, waited for in another.

    `fees_wait`: a fill came whose fee did not come yet, so that it is not as it will be told.
    """

    listings: Listings
    account: str
    broken: str | None = None
    fees_wait: bool = False
    orders: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    done: dict[int, float] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    executions: dict[str, tuple[int, Any, Any]] = field(default_factory=dict)
    fees: dict[str, float] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=lambda: {"completed": [], "positions": [], "summary": []})
    _ended: set[str] = field(default_factory=set)
    _event: threading.Event = field(default_factory=threading.Event)

    def execution(self, contract: Any, found: Any) -> None:
        """Keep the newest revision."""
        exec_id, revision = execution_id(found.execId)
        known = self.executions.get(exec_id)
        if known is None or known[0] <= revision:
            self.executions[exec_id] = (revision, contract, found)

    def begin(self, what: str) -> None:
        """A list was the answer to an earlier question; the one that was asked for comes yet."""
        if what in self.lists:
            self.lists[what].clear()
        elif what == "orders":
            self.orders.clear()

    def end(self, what: str) -> bool:
        """One list is whole; whether all are."""
        self._ended.add(what)
        return self._ended >= PARTS

    def over(self, why: str | None = None) -> None:
        """Nothing more is put in; `why` it failed, if it did."""
        self.broken = self.broken or why
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is over."""
        return self._event.wait(seconds)

    def report(self, venue: str, now_ns: int) -> Report:
        """What was said. Raises FigureError."""
        fills = self._fills()
        whole = self._ended >= PARTS and not self.fees_wait
        orders = []
        for perm_id, (contract, order) in self.orders.items():
            state = self.states.get(perm_id, "")
            ended = _ENDED[state] if state in _OVER else None  # it ended while the report was made
            orders.append(self._order(contract, order, ended, fills.pop(perm_id, ())))
            whole = whole and self._agrees(orders[-1], self.done.get(perm_id, 0.0))
        for contract, order, state in self.lists["completed"]:
            if order.permId in self.orders or order.account not in ("", self.account):
                continue
            orders.append(self._order(contract, order, _ENDED.get(state.status), fills.pop(order.permId, ())))
            whole = whole and self._agrees(orders[-1], order.filledQuantity)
        return Report(
            venue=venue, orders=tuple(orders), positions=self._positions(), cash_micros=self.money("TotalCashValue"),
            complete=whole and not fills, ts_ns=now_ns,
        )  # fmt: skip

    def _fills(self) -> dict[int, tuple[Filled, ...]]:
        found: dict[int, tuple[Filled, ...]] = {}
        for _, contract, e in self.executions.values():
            if e.acctNumber == self.account:
                name, fee = order_name(e.orderRef, e.permId), self.fees.get(e.execId)
                fill = filled(name, e, contract.symbol, fee, self.listings)
                found[e.permId] = (*found.get(e.permId, ()), fill)
        return found

    def _order(self, contract: Any, order: Any, ended: Any, fills: tuple[Filled, ...]) -> OpenAtVenue:
        listing = self.listings.there(contract.symbol)
        lots = signed(order.action, listing.lots(exact(order.totalQuantity) or exact(order.filledQuantity)))
        return OpenAtVenue(
            client_id=order_name(order.orderRef, order.permId), symbol=listing.symbol, lots=lots, fills=fills,
            ended=ended,
            order_type=TYPES.get(order.orderType, "market"), time_in_force=TIMES.get(order.tif, "day"),
            limit_price=float(order.lmtPrice) if order.orderType in ("LMT", "STP LMT") else None,
        )  # fmt: skip

    def _agrees(self, order: OpenAtVenue, done: float) -> bool:
        """Whether the executions are all; TWS lists those of the day, so those of older days may be missing."""
        lots = next(x for x in (*self.listings, None) if x is None or x.symbol == order.symbol)
        return lots is None or lots.lots(exact(done)) == abs(sum(f.lots for f in order.fills))

    def _positions(self) -> dict[str, int]:
        held: dict[str, int] = {}
        for account, contract, size in self.lists["positions"]:
            if account == self.account:
                listing = self.listings.there(contract.symbol)
                held[listing.symbol] = listing.lots(exact(size))
        return {symbol: lots for symbol, lots in held.items() if lots}

    def money(self, tag: str) -> int:
        """A figure of the account's summary in micros. Raises FigureError where it is missing."""
        return micros(decimal(_of(self.lists["summary"], self.account).get(tag), tag))


def _of(rows: Iterable[tuple[str, str, str, str]], account: str) -> Mapping[str, str]:
    return {tag: value for whose, tag, value, _ in rows if whose == account}
