"""The account's orders as the exchange has them: client ids are seen once, fills kept, ended ones forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Corrected,
    Expired,
    Filled,
    OpenAtVenue,
    RefusedByVenue,
    VenueNews,
)
from modules.live.units import DAY_NS
from modules.live.venues.sim.protocol import NewOrder

Ended = Literal["filled", "cancelled", "rejected", "expired"]
KEPT_DAYS: Final = 2
MOST_OPEN: Final = 100_000


@dataclass
class SimOrder:
    """One order. `lots` and `left` are signed; `number` is its place in the order of arrival."""

    sent: NewOrder
    number: int
    lots: int
    left: int
    since_ns: int
    leans: bool = False
    ended: Ended | None = None
    ended_ns: int = 0
    fills: dict[str, Filled] = field(default_factory=dict)

    def told(self) -> OpenAtVenue:
        """As a report has it."""
        s = self.sent
        return OpenAtVenue(
            s.client_id, s.symbol, s.lots, tuple(self.fills.values()), self.ended,
            s.order_type, s.time_in_force, s.limit_price,
        )  # fmt: skip


def _standing(order: SimOrder, ts_ns: int) -> VenueNews:
    """Where an order stands, in the words that were said of it before."""
    client_id = order.sent.client_id
    if order.ended == "rejected":
        return RefusedByVenue(client_id, "it was refused before", ts_ns)
    if order.ended == "cancelled":
        return Cancelled(client_id, ts_ns)
    if order.ended == "expired":
        return Expired(client_id, ts_ns)
    return Acknowledged(client_id, f"sim-{order.number}", ts_ns)


class SimOrders:
    """All orders of the account by client id."""

    def __init__(self) -> None:
        self.by_id: dict[str, SimOrder] = {}
        self.working: dict[str, SimOrder] = {}
        self._count = 0
        self._day = -1

    def take(self, order: NewOrder, refusal: str | None, ts_ns: int) -> tuple[SimOrder | None, VenueNews]:
        """An order that arrived, with what speaks against it.

        A client id that was seen makes no second order; the answer is where the first one stands, since a refusal would
        be taken for one of the first.
        """
        known = self.by_id.get(order.client_id)
        if known is not None:
            return None, _standing(known, ts_ns)
        if refusal is None and not -(2**53) < order.lots < 2**53:
            refusal = f"{order.lots} lots; at most 2**53 are exact"
        if refusal is None and order.lots == 0:
            refusal = "no lots"
        if refusal is None and len(self.working) >= MOST_OPEN:
            refusal = f"{MOST_OPEN} orders are open already"
        self._count += 1
        taken = SimOrder(order, self._count, order.lots, order.lots, ts_ns)
        self.by_id[order.client_id] = taken
        if refusal is not None:
            taken.ended, taken.ended_ns, taken.left = "rejected", ts_ns, 0
            return None, RefusedByVenue(order.client_id, refusal, ts_ns)
        self.working[order.client_id] = taken
        return taken, Acknowledged(order.client_id, f"sim-{self._count}", ts_ns)

    def fill(self, order: SimOrder, lots: int, price: float, value: int, fee: int, ts_ns: int) -> Filled:
        """Execute a part of an order, or the rest of it. Execution ids are unique for ever, like client ids."""
        exec_id = f"{order.sent.client_id}/{len(order.fills) + 1}"
        filled = Filled(order.sent.client_id, exec_id, order.sent.symbol, lots, price, value, fee, ts_ns)
        order.fills[exec_id] = filled
        order.left -= lots
        if order.left == 0:
            self.end(order, "filled", ts_ns)
        return filled

    def end(self, order: SimOrder, how: Ended, ts_ns: int) -> None:
        """The order works no longer."""
        order.ended, order.ended_ns, order.left = how, ts_ns, 0
        self.working.pop(order.sent.client_id, None)

    def expire(self, order: SimOrder, ts_ns: int) -> Expired:
        """Its time is over."""
        self.end(order, "expired", ts_ns)
        return Expired(order.sent.client_id, ts_ns)

    def cancel(self, client_id: str, ts_ns: int) -> VenueNews:
        """Cancel an order, or say why not."""
        order = self.by_id.get(client_id)
        if order is None:
            return CancelRefused(client_id, "no such order", ts_ns)
        if order.ended is not None:
            return CancelRefused(client_id, f"too late: it is {order.ended}", ts_ns)
        self.end(order, "cancelled", ts_ns)
        return Cancelled(client_id, ts_ns)

    def cancel_all(self, ts_ns: int) -> list[VenueNews]:
        """Cancel whatever works, oldest first."""
        return [self.cancel(client_id, ts_ns) for client_id in list(self.working)]

    def bust(self, client_id: str, exec_id: str, ts_ns: int) -> Busted:
        """Take an execution back; its lots do not work again."""
        del self.by_id[client_id].fills[exec_id]
        return Busted(client_id, exec_id, ts_ns)

    def correct(self, corrected: Corrected) -> None:
        """An execution as it stands now."""
        c = corrected
        self.by_id[c.client_id].fills[c.exec_id] = Filled(
            c.client_id, c.exec_id, c.symbol, c.lots, c.price, c.value_micros, c.fee_micros, c.ts_ns
        )

    def report(self) -> Iterator[OpenAtVenue]:
        """Every order that is remembered."""
        return (order.told() for order in self.by_id.values())

    def forget(self, now_ns: int) -> None:
        """Drop what ended more than `KEPT_DAYS` ago, once a day: an exchange's report is of recent days."""
        if now_ns // DAY_NS == self._day:
            return
        self._day = now_ns // DAY_NS
        oldest = now_ns - KEPT_DAYS * DAY_NS
        self.by_id = {i: o for i, o in self.by_id.items() if o.ended is None or o.ended_ns >= oldest}
