"""What became of a ticket, and what counts as an answer to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from modules.live.messages import Corrected, Filled, Ruled
from modules.live.orders.fold import GOES_OUT
from modules.live.orders.order import Ticket
from modules.live.orders.states import State
from modules.live.risk.rules import Answer
from modules.live.units import MICROS

_ANSWERS: Final = frozenset(map(int, Answer))

Status = Literal["sent", "refused", "unknown", "held"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a ticket.

    sent: the risk core let it out (`ruled.allowed` lots). refused: it never went out. unknown: it may be at the venue;
    news will tell, and it is never sent again. held: it was not asked for, and may be submitted again later (`why`).
    `is_new` False: the ticket was submitted before, and this is where its order stands. `seq`: the journal's number of
    the outcome; tell it to others once that is durable.
    """

    status: Status
    client_id: str
    ruled: Ruled | None = None
    why: str | None = None
    is_new: bool = True
    seq: int = -1


STATUS: Final[dict[State, Status]] = {
    State.CREATED: "unknown", State.UNKNOWN: "unknown", State.REJECTED: "refused", State.SENT: "sent",
    State.WORKING: "sent", State.CANCELLING: "sent", State.FILLED: "sent", State.CANCELLED: "sent",
    State.EXPIRED: "sent",
}  # fmt: skip
"""What an order's state says of its ticket."""


def is_ruling(ruled: Ruled, ticket: Ticket) -> bool:
    """Whether it can be an answer to the ticket; what cannot leaves the outcome unknown."""
    if type(ruled) is not Ruled or ruled.client_id != ticket.client_id or ruled.answer not in _ANSWERS:
        return False
    if ruled.answer not in GOES_OUT or not ruled.allowed:
        return ruled.allowed == 0
    return ruled.allowed * ticket.lots > 0 and abs(ruled.allowed) <= abs(ticket.lots)


def finite(ruled: Ruled) -> Ruled:
    """A ruling with limit and value that a journal can hold."""
    for name in ("limit", "value"):
        value = getattr(ruled, name)
        if value is not None and not math.isfinite(value):
            ruled = msgspec.structs.replace(ruled, **{name: None})
    return ruled


def sound(told: Filled | Corrected) -> Filled | Corrected:
    """An execution with a price that is one: its lots count, whatever the venue says that they cost."""
    if math.isfinite(told.price) and told.price >= 0.0:
        return told
    return msgspec.structs.replace(told, price=abs(told.value_micros / (told.lots or 1)) / MICROS)
