"""The children of a parent as the desk has them, for whoever goes on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from modules.live.desk.asking import Children, ChildrenAsked
from modules.live.messages import Filled, OpenAtVenue
from modules.live.orders.ids import child_of, numbers
from modules.live.orders.order import Order
from modules.live.orders.states import State
from modules.live.units import MICROS

if TYPE_CHECKING:
    from modules.live.desk.desk import Desk

MOST_ADOPTED: Final = 10_000
"""Numbers of children that are tried on an order of which only the venue told."""

_ENDED: Final[dict[State, Literal["filled", "cancelled", "rejected", "expired"]]] = {
    State.FILLED: "filled", State.CANCELLED: "cancelled", State.REJECTED: "rejected", State.EXPIRED: "expired",
}  # fmt: skip


def children_of(desk: Desk, asked: ChildrenAsked) -> Children:
    """All of a parent's, those too that the desk found at the venue after a loss of power: their ids tell."""
    orders = desk.book.orders
    if asked.ids:
        found = [orders[i] for i in asked.ids if i in orders]
    else:
        strays = [i for i, o in orders.items() if o.adopted and o.ticket.symbol == asked.symbol]
        whose = child_of(asked.strategy, asked.parent)
        ours = numbers(strays, desk.identity.account, whose, asked.symbol, MOST_ADOPTED)
        found = [o for i, o in orders.items() if o.ticket.parent == asked.parent or i in ours]
    return Children(asked.parent, tuple(map(_told, found)), desk.cancel_only)


def _told(order: Order) -> OpenAtVenue:
    ticket = order.ticket
    fills = tuple(
        Filled(
            ticket.client_id, f.exec_id, ticket.symbol, f.lots, f.price_micros / MICROS, f.value_micros, f.fee_micros, 0
        )
        for f in order.fills.values()
        if f.exec_id not in order.voided
    )  # fmt: skip
    limit = None if ticket.limit_micros is None else ticket.limit_micros / MICROS
    return OpenAtVenue(
        ticket.client_id, ticket.symbol, order.lots, fills, _ENDED.get(order.state), ticket.order_type,
        ticket.time_in_force, limit,
    )  # fmt: skip
