"""What the simulated exchange and its venue say to each other: frames of 4 bytes length and MessagePack.

Of the live system's vocabulary: `Cancel`, `CancelAll`, `ReportAsked`, `Proceed` go there; `Report` (in parts, the last
of which is complete), `Turned` and the venue's news come back. News are counted, so that a gap shows and is asked for.
"""

from __future__ import annotations

from typing import TypeAlias

from modules.live.messages import (
    Cancel,
    CancelAll,
    Message,
    OrderType,
    Proceed,
    Report,
    ReportAsked,
    TimeInForce,
    Turned,
    VenueNews,
)
from modules.live.wire import FrameReader


class LogOn(Message, frozen=True, tag="log_on"):
    """First frame. `after`: the last number of news heard in `session`; -1 = none, so where things stand is said."""

    account: str
    session: str = ""
    after: int = -1


class LoggedOn(Message, frozen=True, tag="logged_on"):
    """The account is served. `number` is that of the last news said; what is missing since `after` follows."""

    session: str
    number: int
    symbols: tuple[str, ...]


class NewOrder(Message, frozen=True, tag="new_order"):
    """An order of `lots`, signed."""

    client_id: str
    symbol: str
    lots: int
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: float | None = None


class Resend(Message, frozen=True, tag="resend"):
    """Say again all news after this number."""

    after: int


class Ping(Message, frozen=True, tag="ping"):
    """Answered by the same."""


class Said(Message, frozen=True, tag="said"):
    """News and its number; -1 for what only says where things stand."""

    number: int
    news: VenueNews


ToExchange: TypeAlias = LogOn | NewOrder | Cancel | CancelAll | ReportAsked | Proceed | Resend | Ping
ToVenue: TypeAlias = LoggedOn | Said | Report | Turned | Ping


def to_exchange() -> FrameReader[ToExchange]:
    """A reader of what comes to the exchange."""
    return FrameReader(ToExchange)


def to_venue() -> FrameReader[ToVenue]:
    """A reader of what comes to the venue."""
    return FrameReader(ToVenue)
