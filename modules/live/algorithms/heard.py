"""What an algorithm is told beside the news of its orders, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Corrected,
    Expired,
    Filled,
    Lost,
    RefusedByVenue,
    Ruled,
)
from modules.live.orders.order import Ticket

Level: TypeAlias = tuple[int, int]
"""Price in micros, lots displayed there."""


class Shown(msgspec.Struct, frozen=True, gc=False, tag="shown", tag_field="kind"):
    """What a venue displays, best price first; level 1 is one level a side, an empty side has none."""

    venue: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_ns: int


class Traded(msgspec.Struct, frozen=True, gc=False, tag="traded", tag_field="kind"):
    """What the market traded: one trade, or the volume of a bar that has closed."""

    venue: str
    price_micros: int
    lots: int
    ts_ns: int


class NotSent(msgspec.Struct, frozen=True, gc=False, tag="not_sent", tag_field="kind"):
    """The order never was at a venue and never will be: held back here, or the venue, asked, has no such order."""

    client_id: str
    reason: str
    ts_ns: int


OrderNews: TypeAlias = (
    Ruled | NotSent | Acknowledged | RefusedByVenue | Filled | Corrected | Busted | Cancelled | CancelRefused | Expired
    | Lost
)  # fmt: skip
Event: TypeAlias = Shown | Traded | OrderNews


@dataclass(frozen=True)
class Send:
    """Send this child. `parent_left`: lots that the parent has left for it, for the risk core's own check."""

    ticket: Ticket
    parent_left: int


@dataclass(frozen=True)
class Withdraw:
    """Cancel this child."""

    client_id: str


Action: TypeAlias = Send | Withdraw
