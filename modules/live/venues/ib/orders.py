"""What is known of each order: its numbers at broker and client, and how far it is. Without clock or socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.live.messages import Acknowledged, Cancelled, CancelRefused, Filled, OpenAtVenue, RefusedByVenue
from modules.live.venues.ib import words
from modules.live.venues.ib.report import order_name


@dataclass
class _Known:
    """An order: its number at this client (0 = another's), and what was heard of it."""

    order_id: int
    perm_id: int = 0
    done: int = 0
    acknowledged: bool = False
    ended: bool = False


class Orders:
    """Orders by our ids, those of a client by its numbers too. Used in the client's thread.

    `is_listed`: this connection has named what is open, so what has no number is not to be cancelled here.
    """

    def __init__(self, client: int) -> None:
        self._client = client
        self._known: dict[str, _Known] = {}
        self._by_order: dict[int, str] = {}
        self._by_perm: dict[int, str] = {}
        self.is_listed = False

    def __contains__(self, client_id: str) -> bool:
        return client_id in self._known

    def placed(self, client_id: str, order_id: int) -> None:
        """An order is about to be sent under a number."""
        self._known[client_id] = _Known(order_id)
        self._by_order[order_id] = client_id

    def number(self, client_id: str) -> int | str | None:
        """The number to cancel an order by, or why it cannot be; None = the list of what is open is awaited yet."""
        known = self._known.get(client_id)
        if known is not None and known.ended:
            return "ended"
        if known is not None and known.order_id:
            return known.order_id
        return "no order of this client; TWS cancels only a client's own" if self.is_listed else None

    def opened(self, order: Any) -> None:
        """An open order, as the broker names it."""
        client_id = order_name(order.orderRef, order.permId)
        known = self._known.setdefault(client_id, _Known(0))
        known.perm_id = order.permId
        self._by_perm[order.permId] = client_id
        if order.clientId == self._client and order.orderId > 0:
            known.order_id = order.orderId
            self._by_order[order.orderId] = client_id

    def status(
        self, order_id: int, status: str, perm_id: int, client: int, now_ns: int
    ) -> Acknowledged | Cancelled | None:
        """An order's state: what is new in it."""
        own = self._by_order.get(order_id) if client == self._client else None
        client_id = own or self._by_perm.get(perm_id)
        if client_id is None:
            return None
        known = self._known[client_id]
        if status in words.WORKING and not known.acknowledged:
            known.acknowledged = True
            return Acknowledged(client_id=client_id, venue_id=str(perm_id), ts_ns=now_ns)
        if status in words.CANCELLED and not known.ended:
            known.ended = True
            return Cancelled(client_id=client_id, ts_ns=now_ns)
        return None

    def is_short(self, fill: Filled, done: int) -> bool:
        """Whether an execution before this one is missing: they have no numbers, but say how much is done."""
        known = self._known.setdefault(fill.client_id, _Known(0))
        told, known.done = known.done + abs(fill.lots), max(known.done, done)
        return done > told

    def reported(self, order: OpenAtVenue) -> None:
        """An order as a report has it, with its executions."""
        self._known.setdefault(order.client_id, _Known(0)).done = abs(sum(f.lots for f in order.fills))

    def error(self, number: int, code: int, text: str, now_ns: int) -> CancelRefused | RefusedByVenue | str | None:
        """What an error says of an order; its id where it says nothing new, None where the number is no order's."""
        client_id = self._by_order.get(number)
        if client_id is None:
            return None
        known = self._known[client_id]
        if code in words.NO_CANCEL:
            return CancelRefused(client_id=client_id, reason=f"{code}: {text}", ts_ns=now_ns)
        if code in words.REFUSED and not known.acknowledged:
            known.ended = True
            return RefusedByVenue(client_id=client_id, reason=f"{code}: {text}", ts_ns=now_ns)
        return client_id

    def disconnected(self) -> None:
        """The next connection numbers anew."""
        self.is_listed = False
        self._by_order.clear()
        for known in self._known.values():
            known.order_id = 0
