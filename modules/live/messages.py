"""The one vocabulary of the live system: what crosses a socket, what is recorded, and what a replay reads are these.

Three groups: what is asked (of the risk core), what it answers, and what a venue says. Every message is a frozen
`msgspec` struct with a `kind`; `Wire` (MessagePack, length before each) carries them between processes, a journal keeps
them as JSON lines. Lots are signed; money is int64 micros of the currency; times are ns UTC; a price that is not given
is None, never NaN, so that equal messages have equal bytes.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

Mode = Literal["paper", "live"]
OrderType = Literal["market", "limit", "stop", "stop_limit"]
TimeInForce = Literal["day", "gtc", "ioc", "fok"]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", gc=False):
    """Base of all messages."""


# --- what is asked of the risk core ------------------------------------------------------------------


class Hello(Message, frozen=True, tag="hello"):
    """First frame of a connection. `role`: "desk" may ask for orders, "viewer" only reads, "kill" only kills."""

    role: Literal["desk", "viewer", "kill"]
    mode: Mode
    build: str
    account: str


class Ask(Message, frozen=True, tag="ask"):
    """An order that somebody wants to send. `parent_left`: lots that its parent order has left, -1 = it has none."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    mode: Mode
    build: str
    sent_ns: int
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: float | None = None
    parent: str | None = None
    parent_left: int = -1


class Cancel(Message, frozen=True, tag="cancel"):
    """Cancel one order. It is never refused by a limit."""

    client_id: str


class CancelAll(Message, frozen=True, tag="cancel_all"):
    """Cancel whatever the venue has open."""

    by: str
    reason: str


class Kill(Message, frozen=True, tag="kill"):
    """Latch the kill switch: cancel everything, close what is held if `flatten`, let nothing more out."""

    by: str
    reason: str
    flatten: bool = False


class Reset(Message, frozen=True, tag="reset"):
    """Open the latch. `by` is a named human."""

    by: str
    reason: str


class StatusAsked(Message, frozen=True, tag="status_asked"):
    """Ask for `Status`."""


class ReportAsked(Message, frozen=True, tag="report_asked"):
    """Ask for `Report`: what the venue has."""


class Proceed(Message, frozen=True, tag="proceed"):
    """Nothing more is ordered at the moment `ts_ns`: a venue that plays recorded data goes on to the next one."""

    ts_ns: int


# --- what it answers ---------------------------------------------------------------------------------


class Welcome(Message, frozen=True, tag="welcome"):
    """The connection stands. `limits` is the digest of the limits in force.

    `spins`: the risk core has a processor of its own and looks on without sleeping, so whoever asks may do so too.
    """

    mode: Mode
    build: str
    account: str
    limits: str
    deadline_ms: int
    spins: bool = False


class Turned(Message, frozen=True, tag="turned"):
    """The frame was not taken: why, and what to do. After a bad `Hello` or garbage the connection is closed."""

    reason: str


class Ruled(Message, frozen=True, tag="ruled"):
    """The ruling on an `Ask`. `answer` and `rule` are the values of `Answer` and `Rule` (`risk/rules.py`).

    APPROVE and REDUCE: an order of `allowed` lots went to the venue before this was said. `limit`, `value`: None where
    no limit spoke.
    """

    client_id: str
    answer: int
    rule: int
    allowed: int
    limit: float | None
    value: float | None
    at_ns: int


class RefusedMany(Message, frozen=True, tag="refused_many"):
    """Recorded only: `count` refusals between two times that are not told one by one, by rule; the last one's id."""

    count: int
    rules: dict[str, int]
    last_id: str
    first_ns: int
    last_ns: int


class Position(msgspec.Struct, frozen=True, gc=False):
    """What is held of an instrument, its reference price and when that was of; `open_*` lots that may still fill."""

    symbol: str
    lots: int
    price: float | None
    price_ns: int | None
    open_buy: int = 0
    open_sell: int = 0


class Use(msgspec.Struct, frozen=True, gc=False):
    """How much of a limit is used, both in the limit's unit."""

    rule: str
    used: float
    limit: float


class Status(Message, frozen=True, tag="status"):
    """Where the risk core stands. `killed`: by whom, why; `refusing`: why nothing may go out. None = it is not so.

    `least_nav_micros`, `peak_nav_micros`, `deepest_micros`: the day's lowest and highest NAV, its largest fall.
    """

    mode: Mode
    build: str
    account: str
    at_ns: int
    nav_micros: int
    cash_micros: int
    day_nav_micros: int
    day_loss: float
    killed: str | None
    refusing: str | None
    positions: tuple[Position, ...]
    uses: tuple[Use, ...]
    open_orders: tuple[str, ...]
    venues: dict[str, bool]
    least_nav_micros: int = 0
    peak_nav_micros: int = 0
    deepest_micros: int = 0


# --- what a venue says -------------------------------------------------------------------------------


class Acknowledged(Message, frozen=True, tag="acknowledged"):
    """The venue has the order."""

    client_id: str
    venue_id: str
    ts_ns: int


class RefusedByVenue(Message, frozen=True, tag="refused"):
    """The venue says, in words that leave no doubt, that the order never worked."""

    client_id: str
    reason: str
    ts_ns: int


class Filled(Message, frozen=True, tag="filled"):
    """One execution. `value_micros`: signed money that the lots cost (above 0 for a buy), without the fee."""

    client_id: str
    exec_id: str
    symbol: str
    lots: int
    price: float
    value_micros: int
    fee_micros: int
    ts_ns: int


class Corrected(Message, frozen=True, tag="corrected"):
    """The venue corrected the execution `exec_id`: this is how it stands now."""

    client_id: str
    exec_id: str
    symbol: str
    lots: int
    price: float
    value_micros: int
    fee_micros: int
    ts_ns: int


class Busted(Message, frozen=True, tag="busted"):
    """The venue took an execution back."""

    client_id: str
    exec_id: str
    ts_ns: int


class Cancelled(Message, frozen=True, tag="cancelled"):
    """The order will not fill any further."""

    client_id: str
    ts_ns: int


class CancelRefused(Message, frozen=True, tag="cancel_refused"):
    """The cancel came too late, or the venue knows no such order."""

    client_id: str
    reason: str
    ts_ns: int


class Expired(Message, frozen=True, tag="expired"):
    """The order's time is over."""

    client_id: str
    ts_ns: int


class Lost(Message, frozen=True, tag="lost"):
    """Nobody can say what became of the order: no answer in time, or the connection went in the middle of it."""

    client_id: str
    reason: str
    ts_ns: int


class Marked(Message, frozen=True, tag="marked"):
    """A reference price."""

    symbol: str
    price: float
    ts_ns: int


class Trading(Message, frozen=True, tag="trading"):
    """Whether an instrument's market takes orders."""

    symbol: str
    is_open: bool
    ts_ns: int


class Moved(Message, frozen=True, tag="moved"):
    """Cash that came (above 0) or went without a trade: borrow, funding, a dividend, a deposit."""

    what: Literal["borrow", "funding", "dividend", "deposit", "fee", "other"]
    symbol: str | None
    micros: int
    ts_ns: int


class Restated(Message, frozen=True, tag="restated"):
    """The shares of an instrument were split, `new` for `old`, and `lots` are held now; open orders in it are restated
    alike, toward zero. `new` 0: it is delisted, and its orders have ended. Cash for what is less than a lot is `Moved`.
    """

    symbol: str
    lots: int
    new: int
    old: int
    ts_ns: int


class BuyingPower(Message, frozen=True, tag="buying_power"):
    """What the venue says may be opened."""

    micros: int
    ts_ns: int


class Connection(Message, frozen=True, tag="connection"):
    """The connection to a venue came or went. After it came back nothing is known until the venue was asked."""

    venue: str
    is_up: bool
    reason: str
    ts_ns: int


class Stepped(Message, frozen=True, tag="stepped"):
    """Everything of the moment `ts_ns` has been said; a venue that plays recorded data waits for `Proceed`.

    `is_last`: no further moment comes.
    """

    venue: str
    ts_ns: int
    is_last: bool = False


class OpenAtVenue(msgspec.Struct, frozen=True, gc=False):
    """One order of the account as the venue has it; `fills` are all its executions that stand."""

    client_id: str
    symbol: str
    lots: int
    fills: tuple[Filled, ...] = ()
    ended: Literal["filled", "cancelled", "rejected", "expired"] | None = None
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: float | None = None


class Report(Message, frozen=True, tag="report"):
    """Everything that a venue has of the account at one moment. `complete` False: no basis for anything."""

    venue: str
    orders: tuple[OpenAtVenue, ...]
    positions: dict[str, int]
    cash_micros: int
    complete: bool
    ts_ns: int


VenueNews: TypeAlias = (
    Acknowledged | RefusedByVenue | Filled | Corrected | Busted | Cancelled | CancelRefused | Expired | Lost | Marked
    | Trading | Moved | Restated | BuyingPower | Connection | Stepped
)  # fmt: skip
Asked: TypeAlias = Hello | Ask | Cancel | CancelAll | Kill | Reset | StatusAsked | ReportAsked | Proceed
Answered: TypeAlias = Welcome | Turned | Ruled | Status | Report
AnyMessage: TypeAlias = Asked | Answered | VenueNews | RefusedMany

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""A longer frame is garbage."""
