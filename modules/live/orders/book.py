"""All orders by client id: each is made once, whatever is tried twice, and positions are what their fills say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modules.live.orders.order import Fill, Order, OrderError, Ticket
from modules.live.orders.states import FINAL, News, Remark, State

MOST_REMARKS = 10_000
"""Remarks that are kept; the oldest go first (the journal has what they are of)."""


@dataclass(frozen=True)
class Remarked:
    """Something about an order that a human should hear of."""

    client_id: str
    remark: Remark


@dataclass
class OrderBook:
    """The orders of one account. `remarks` are kept, in order, for the log and the screen."""

    orders: dict[str, Order] = field(default_factory=dict)
    remarks: list[Remarked] = field(default_factory=list)
    paid_micros: int = 0
    """Money that all fills that stand cost, fees included; below 0 where more came in than went out."""
    _lots: dict[str, int] = field(default_factory=dict)
    _open: dict[str, None] = field(default_factory=dict)

    def create(self, ticket: Ticket) -> bool:
        """Whether the ticket is new. The same ticket again is the order that is there, and is not sent again.

        An adopted order becomes the ticket's. Raises OrderError for another ticket under a known id.
        """
        known = self.orders.get(ticket.client_id)
        if known is None:
            self._put(ticket.client_id, Order(ticket))
            return True
        if known.adopted:
            self._put(ticket.client_id, known.claimed(ticket))
        elif known.ticket != ticket:
            raise OrderError(
                f"client_id {ticket.client_id} names another order ({known.ticket}); an id is used once: make a new one"
            )
        return False

    def adopt(self, ticket: Ticket, lots: int | None) -> Order:
        """Take in an order that was found at the venue; `lots`: what it is for, None = only its fills are known."""
        return self._take(ticket.client_id, Order(ticket, allowed=lots, adopted=True), Remark.ADOPTED)

    def size(self, client_id: str, lots: int) -> Order:
        """Take in how many lots of an order went out. Raises OrderError."""
        return self._take(client_id, self._order(client_id).sized(lots), None)

    def hear(self, client_id: str, news: News, venue_id: str | None = None) -> Order:
        """Take in news of an order. Raises OrderError for an unknown id, TransitionError."""
        return self._take(client_id, *self._order(client_id).hear(news, venue_id))

    def fill(self, client_id: str, fill: Fill) -> Order:
        """Take in an execution. Raises OrderError for an unknown id or an execution that cannot be."""
        return self._take(client_id, *self._order(client_id).fill(fill))

    def bust(self, client_id: str, exec_id: str) -> Order:
        """Take in that the venue took an execution back."""
        return self._take(client_id, *self._order(client_id).bust(exec_id))

    def correct(self, client_id: str, fill: Fill) -> Order:
        """Take in that the venue corrected an execution."""
        return self._take(client_id, *self._order(client_id).correct(fill))

    def carry(self, symbol: str, lots: int) -> None:
        """Take in lots that no order here brought: what the account held before, or what a human accepted."""
        self._lots[symbol] = self._lots.get(symbol, 0) + lots

    def remark(self, client_id: str, remark: Remark) -> None:
        """Keep what a human should hear of."""
        self.remarks.append(Remarked(client_id, remark))
        if len(self.remarks) > MOST_REMARKS:
            del self.remarks[: MOST_REMARKS // 2]

    def restarted(self) -> list[str]:
        """After a restart: whatever may be at the venue is UNKNOWN until it says; returns those ids, oldest first."""
        ids = list(self._open)
        for client_id in ids:
            self.hear(client_id, News.LOST)
        return ids

    @property
    def positions(self) -> dict[str, int]:
        """Signed lots by symbol, those that are not 0: the sum of all fills that stand, and of what was carried."""
        return {symbol: lots for symbol, lots in sorted(self._lots.items()) if lots}

    def open(self) -> Iterator[Order]:
        """Orders that the venue may have, oldest first."""
        return (self.orders[client_id] for client_id in list(self._open))

    def unknown(self) -> Iterator[Order]:
        """Orders of which nobody can say whether the venue has them."""
        return (order for order in self.open() if order.state is State.UNKNOWN)

    def forget(self, client_id: str) -> None:
        """Let go of an order that has ended; its lots and money stay. Raises OrderError for one that is open."""
        if self._order(client_id).is_open:
            raise OrderError(f"order {client_id} is {self.orders[client_id].state.value}: only what has ended goes")
        del self.orders[client_id]

    def _take(self, client_id: str, order: Order, remark: Remark | None) -> Order:
        self._put(client_id, order)
        if remark is not None:
            self.remark(client_id, remark)
        return order

    def _put(self, client_id: str, order: Order) -> None:
        before = self.orders.get(client_id)
        self.orders[client_id] = order
        if order.state in FINAL:
            self._open.pop(client_id, None)
        elif before is None:
            self._open[client_id] = None
        if before is None and not order.fills:
            return
        if before is None or before.fills is not order.fills or before.voided is not order.voided:
            symbol = order.ticket.symbol
            lots, paid = (before.filled, before.paid_micros) if before is not None else (0, 0)
            self._lots[symbol] = self._lots.get(symbol, 0) + order.filled - lots
            self.paid_micros += order.paid_micros - paid

    def _order(self, client_id: str) -> Order:
        order = self.orders.get(client_id)
        if order is None:
            raise OrderError(
                f"client_id {client_id} is no order of this book; news of unknown orders is a break with the venue: "
                "reconcile before anything is sent"
            )
        return order
