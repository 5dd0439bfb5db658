"""All orders by client id: each is made once, whatever is tried twice, and positions are what their fills say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modules.live.orders.order import Fill, Order, OrderError, Ticket
from modules.live.orders.states import News, Remark, State


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

    def create(self, ticket: Ticket) -> bool:
        """Whether the ticket is new. The same ticket again is the order that is there, and is not sent again.

        Raises OrderError for another ticket under a known id.
        """
        known = self.orders.get(ticket.client_id)
        if known is None:
            self.orders[ticket.client_id] = Order(ticket)
            return True
        if known.ticket != ticket:
            raise OrderError(
                f"client_id {ticket.client_id} names another order ({known.ticket}); an id is used once: make a new one"
            )
        return False

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

    def restarted(self) -> list[str]:
        """After a restart: whatever may be at the venue is UNKNOWN until it says; returns those ids, oldest first."""
        ids = [i for i, order in self.orders.items() if order.is_open]
        for client_id in ids:
            self.hear(client_id, News.LOST)
        return ids

    @property
    def positions(self) -> dict[str, int]:
        """Signed lots by symbol, those that are not 0: the sum of all fills that stand."""
        total: dict[str, int] = {}
        for order in self.orders.values():
            total[order.ticket.symbol] = total.get(order.ticket.symbol, 0) + order.filled
        return {symbol: lots for symbol, lots in sorted(total.items()) if lots}

    def open(self) -> Iterator[Order]:
        """Orders that the venue may have, oldest first."""
        return (order for order in self.orders.values() if order.is_open)

    def unknown(self) -> Iterator[Order]:
        """Orders of which nobody can say whether the venue has them."""
        return (order for order in self.orders.values() if order.state is State.UNKNOWN)

    def _take(self, client_id: str, order: Order, remark: Remark | None) -> Order:
        self.orders[client_id] = order
        if remark is not None:
            self.remarks.append(Remarked(client_id, remark))
        return order

    def _order(self, client_id: str) -> Order:
        order = self.orders.get(client_id)
        if order is None:
            raise OrderError(
                f"client_id {client_id} is no order of this book; news of unknown orders is a break with the venue: "
                "reconcile before anything is sent"
            )
        return order
