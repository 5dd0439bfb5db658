"""Orders and executions between our messages and TWS's words.

ib_async's decoder makes floats of the figures' texts; the shortest text of such a float is that text again, up to 15
digits, so that `exact` loses nothing. The protocol has no client id that the broker keeps unique: ours is its
`orderRef`, and `venue.py` sends none twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ib_async.contract import Contract, Stock
from ib_async.order import Order

from modules.live.feeds.symbols import split
from modules.live.messages import Ask, Filled, OrderType, TimeInForce
from modules.live.venues.exact import FigureError, Listing, Listings, micros
from modules.live.venues.port import VenueError

TYPES: Final[dict[str, OrderType]] = {"MKT": "market", "LMT": "limit", "STP": "stop", "STP LMT": "stop_limit"}
TIMES: Final[dict[str, TimeInForce]] = {"DAY": "day", "GTC": "gtc", "IOC": "ioc", "FOK": "fok"}
_SENT: Final = {"market": "MKT", "limit": "LMT"}

WORKING: Final = frozenset({"PreSubmitted", "Submitted", "PendingCancel", "Filled"})
"""`orderStatus` of an order that the broker has. ApiPending and PendingSubmit say that it is on its way."""

CANCELLED: Final = frozenset({"Cancelled", "ApiCancelled"})

REFUSED: Final = frozenset(
    {
        106, 107, 109, 110, 111, 113, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 129, 131, 132, 133, 140, 141,
        144, 146, 152, 153, 154, 155, 157, 163, 164, 167, 168, 200, 201, 203, 320, 321, 328, 329, 382, 383, 387, 388,
        391, 392, 434, 435, 436, 439, 441, 460, 461, 10_052, 10_268, 10_269,
    }
)  # fmt: skip
"""Errors after which an order never worked. Any other leaves it open what became of it."""

NO_CANCEL: Final = frozenset({135, 136, 161, 10_147, 10_148})
"""Errors upon a cancel: no such order, or not in this state."""

DOWN: Final = frozenset({1100, 2110})
UP_WITHOUT_DATA: Final = 1101
UP: Final = frozenset({UP_WITHOUT_DATA, 1102})
"""Between TWS and the broker; the socket stands all the while."""


def contract(listing: Listing) -> Contract:
    """A US stock or fund, routed by the broker, named with the place that lists it."""
    place = split(listing.symbol).place
    return Stock(listing.native, "SMART", "USD", primaryExchange=place)


def new_order(ask: Ask, lots: int, listing: Listing, account: str) -> Order:
    """An order. Raises VenueError for what cannot be said so."""
    kind = _SENT.get(ask.order_type)
    if kind is None:
        raise VenueError(f"order_type {ask.order_type} has no stop price here; send market or limit")
    fields: dict[str, Any] = {
        "action": "BUY" if lots > 0 else "SELL", "totalQuantity": listing.quantity(lots), "orderType": kind,
        "tif": ask.time_in_force.upper(), "orderRef": ask.client_id, "account": account, "transmit": True,
    }  # fmt: skip
    if kind == "LMT":
        if ask.limit_price is None:
            raise VenueError(f"limit order {ask.client_id} has no limit_price; give one")
        fields["lmtPrice"] = listing.price(ask.limit_price)  # as text: the client sends it as it is
    return Order(**fields)


def exact(figure: float) -> Decimal:
    """The text of which the decoder made a float."""
    found = Decimal(repr(float(figure)))
    if not found.is_finite():
        raise FigureError(f"{figure!r} is no figure")
    return found


def execution_id(exec_id: str) -> tuple[str, int]:
    """An execution's lasting id and its revision: a correction differs in the digits behind the last dot alone."""
    base, _, revision = exec_id.rpartition(".")
    if not base or not (revision.isascii() and revision.isdigit()):
        raise FigureError(f"execution id {exec_id!r} has no revision behind its last dot")
    return base, int(revision)


def filled(client_id: str, found: Any, native: str, fee: float | None, listings: Listings) -> Filled:
    """An `ib_async` Execution. Raises FigureError."""
    listing, (exec_id, _) = listings.there(native), execution_id(found.execId)
    price, lots = exact(found.price), listing.lots(exact(found.shares))
    if found.side not in ("BOT", "SLD") or lots <= 0 or price < 0:
        raise FigureError(f"execution {found.execId}: {found.side} {found.shares} at {found.price} cannot be")
    lots = lots if found.side == "BOT" else -lots
    return Filled(
        client_id=client_id, exec_id=exec_id, symbol=listing.symbol, lots=lots, price=float(price),
        value_micros=listing.value_micros(lots, price), fee_micros=0 if fee is None else micros(exact(fee)),
        ts_ns=int(found.time.timestamp()) * 1_000_000_000,
    )  # fmt: skip


def signed(action: str, lots: int) -> int:
    """Lots with the order's side. Raises FigureError."""
    if action not in ("BUY", "SELL"):
        raise FigureError(f"action is {action!r}: neither BUY nor SELL")
    return lots if action == "BUY" else -lots
