"""The vocabulary of the desk's socket: what a screen or the API may ask, and what it is answered.

`control.py` is the desk's end, `client.py` the other.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from modules.live.messages import Message, Mode, OpenAtVenue, OrderType, TimeInForce

MOST_ASKED_BYTES: Final = 64 * 1024
"""No question is longer; what is, is garbage."""


class ByHand(Message, frozen=True, tag="by_hand"):
    """An order that a human or a program asks for. The same `decided_ns`, strategy, symbol and number again is the same
    order, and is not sent again. A child of a larger order names its `parent` and the lots that this has left."""

    strategy: str
    symbol: str
    lots: int
    venue: str
    decided_ns: int
    number: int = 0
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: float | None = None
    parent: str | None = None
    parent_left: int = -1


class CancelOne(Message, frozen=True, tag="cancel_one"):
    """Cancel one order."""

    client_id: str


class CancelEach(Message, frozen=True, tag="cancel_each"):
    """Cancel whatever the venue has open."""

    by: str
    reason: str


class ChildrenAsked(Message, frozen=True, tag="children_asked"):
    """Ask what is out of a parent, all of it or the orders `ids`. From then on only this connection may ask for more
    of it: what a dead worker's connection still holds is not taken."""

    strategy: str
    symbol: str
    parent: str
    ids: tuple[str, ...] = ()


class StandAsked(Message, frozen=True, tag="stand_asked"):
    """Ask for `Stand`."""


class Told(Message, frozen=True, tag="told"):
    """What became of an order by hand, or of a cancel: `done` = the cancel is on its way, `bad` = it cannot be (`why`).

    answer, rule, limit, value, allowed: of the ruling, where there is one.
    """

    status: Literal["sent", "refused", "unknown", "held", "done", "bad"]
    client_id: str
    why: str | None = None
    answer: int | None = None
    rule: int | None = None
    limit: float | None = None
    value: float | None = None
    allowed: int | None = None


class Children(Message, frozen=True, tag="children"):
    """What is out of a parent, oldest first, as the desk has it. `cancel_only`: why it may not be all of it."""

    parent: str
    orders: tuple[OpenAtVenue, ...]
    cancel_only: str | None


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What a strategy wants of a symbol: its signal, the weight that this gave, and the lots that it comes to."""

    symbol: str
    signal: float | None
    weight: float | None
    lots: int | None


class Decided(msgspec.Struct, frozen=True, gc=False):
    """The newest decision of a strategy; its orders have client ids of `decided_ns`."""

    strategy: str
    decided_ns: int
    wanted: tuple[Wanted, ...]


class Level(msgspec.Struct, frozen=True, gc=False):
    """Price and size (in lots) of one level."""

    price: float
    lots: float


class BookSeen(msgspec.Struct, frozen=True, gc=False):
    """The book of a symbol as the runner last believed it, best first; `stalled` why it is not to be believed."""

    symbol: str
    venue: str
    ts_ns: int
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    stalled: str | None = None


class Stand(Message, frozen=True, tag="stand"):
    """Where the desk stands. `cancel_only`: why nothing but cancels goes out; `durable`: the journal's last safe entry.

    `feeds`: why each has stalled; None = it has not. `opened_ns`: since when the market is open, None = it is closed.
    `traded`: units of each symbol that traded, as far as feeds say it, since the desk began at `born_ns`.
    """

    mode: Mode
    account: str
    build: str
    at_ns: int
    cancel_only: str | None
    breaks: tuple[str, ...]
    remarks: tuple[str, ...]
    positions: dict[str, int]
    moved_micros: int
    durable: int
    journal_fault: str | None
    decided: tuple[Decided, ...]
    books: tuple[BookSeen, ...]
    feeds: dict[str, str | None]
    opened_ns: int | None = -1
    traded: dict[str, float] = msgspec.field(default_factory=dict)
    born_ns: int = 0


ControlAsked: TypeAlias = ByHand | CancelOne | CancelEach | ChildrenAsked | StandAsked
ControlAnswered: TypeAlias = Told | Stand | Children
