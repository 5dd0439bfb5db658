"""Orders, executions and positions between our messages and Bybit's JSON. Figures are texts there, and exact here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from modules.live.messages import (
    Acknowledged,
    Ask,
    Cancelled,
    Filled,
    Moved,
    OpenAtVenue,
    RefusedByVenue,
    TimeInForce,
    VenueNews,
)
from modules.live.venues.crypto.rest import CATEGORY
from modules.live.venues.exact import FigureError, Listing, Listings, decimal, micros
from modules.live.venues.port import VenueError

Json = Mapping[str, Any]
MOST_ID: Final = 36
TRADES: Final = frozenset({"Trade", "AdlTrade", "BustTrade", "Delivery", "Settle"})
"""`execType` of what changes a position; funding changes cash only."""

_TIMES: Final[dict[str, str]] = {"day": "GTC", "gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
_BACK: Final[dict[str, TimeInForce]] = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok", "PostOnly": "gtc"}
_ENDED: Final = {
    "Filled": "filled", "Cancelled": "cancelled", "PartiallyFilledCanceled": "cancelled", "Deactivated": "cancelled",
    "Rejected": "rejected",
}  # fmt: skip


def new_order(ask: Ask, lots: int, listing: Listing) -> dict[str, str]:
    """The body of an order. A day order is sent as good till cancelled: the exchange has no day, `venue.py` ends it."""
    if ask.order_type not in ("market", "limit"):
        raise VenueError(f"order_type {ask.order_type} has no stop price here; send market or limit")
    if len(ask.client_id) > MOST_ID:
        raise VenueError(f"client_id {ask.client_id} has more than the {MOST_ID} characters that Bybit takes")
    body = {
        "category": CATEGORY, "symbol": listing.native, "side": "Buy" if lots > 0 else "Sell",
        "orderType": ask.order_type.capitalize(), "qty": listing.quantity(lots), "orderLinkId": ask.client_id,
        "positionIdx": "0",
    }  # fmt: skip
    if ask.order_type == "limit":
        if ask.limit_price is None:
            raise VenueError(f"limit order {ask.client_id} has no limit_price; give one")
        body |= {"price": listing.price(ask.limit_price), "timeInForce": _TIMES[ask.time_in_force]}
    return body


def order_news(row: Json) -> list[VenueNews]:
    """News in one row of the topic `order`. Fills come by the topic `execution`."""
    client_id, ts_ns = client_of(row), millis_ns(row, "updatedTime")
    match row.get("orderStatus"):
        case "New" | "PartiallyFilled" | "Untriggered" | "Triggered":
            return [Acknowledged(client_id=client_id, venue_id=text(row, "orderId"), ts_ns=ts_ns)]
        case "Cancelled" | "PartiallyFilledCanceled" | "Deactivated":
            return [Cancelled(client_id=client_id, ts_ns=ts_ns)]
        case "Rejected":
            return [
                RefusedByVenue(client_id=client_id, reason=str(row.get("rejectReason") or "no reason"), ts_ns=ts_ns)
            ]
        case _:
            return []


def execution(row: Json, listings: Listings) -> Filled:
    """One row of the topic or the list of executions. Raises FigureError."""
    listing = listings.there(text(row, "symbol"))
    price, quantity = decimal(row.get("execPrice"), "execPrice"), decimal(row.get("execQty"), "execQty")
    lots = signed(row, listing.lots(quantity))
    if lots == 0 or price < 0:
        raise FigureError(f"execution {row.get('execId')}: {quantity} at {price} cannot be")
    return Filled(
        client_id=client_of(row), exec_id=text(row, "execId"), symbol=listing.symbol, lots=lots, price=float(price),
        value_micros=listing.value_micros(lots, price), fee_micros=micros(decimal(row.get("execFee"), "execFee")),
        ts_ns=millis_ns(row, "execTime"),
    )  # fmt: skip


def lots_done(row: Json, listings: Listings) -> int:
    """Lots of the order that are done with this execution, as the exchange says it."""
    listing = listings.there(text(row, "symbol"))
    return listing.lots(decimal(row.get("orderQty"), "orderQty") - decimal(row.get("leavesQty"), "leavesQty"))


def funding(row: Json, listings: Listings) -> Moved:
    """A funding payment: the fee is what was paid."""
    symbol = listings.there(text(row, "symbol")).symbol
    paid = micros(decimal(row.get("execFee"), "execFee"))
    return Moved(what="funding", symbol=symbol, micros=-paid, ts_ns=millis_ns(row, "execTime"))


def reported(row: Json, fills: Iterable[Filled], listings: Listings) -> tuple[OpenAtVenue, bool]:
    """An order with its executions, and whether these are all. Raises FigureError."""
    listing, found = listings.there(text(row, "symbol")), tuple(fills)
    price = decimal(row.get("price") or "0", "price")
    order = OpenAtVenue(
        client_id=client_of(row), symbol=listing.symbol,
        lots=signed(row, listing.lots(decimal(row.get("qty"), "qty"))), fills=found,
        ended=_ENDED.get(text(row, "orderStatus")),  # type: ignore[arg-type]
        order_type="limit" if row.get("orderType") == "Limit" else "market",
        time_in_force=_BACK.get(str(row.get("timeInForce")), "gtc"),
        limit_price=float(price) if row.get("orderType") == "Limit" else None,
    )  # fmt: skip
    done = listing.lots(decimal(row.get("cumExecQty"), "cumExecQty"))
    return order, done == abs(sum(f.lots for f in found))


def held(rows: Iterable[Json], listings: Listings) -> tuple[dict[str, int], Decimal]:
    """Positions, and what they cost to enter: a perpetual leaves the wallet as it is, so this is taken off it.

    Cash less the cost, plus positions at their marks, is wallet plus profit not taken: the account's worth.
    """
    found: dict[str, int] = {}
    cost = Decimal(0)
    for row in rows:
        size = decimal(row.get("size"), "size")
        if not size:
            continue
        if str(row.get("positionIdx", "0")) != "0":
            raise FigureError(f"{row.get('symbol')} is held both ways; set the account to one-way mode")
        listing = listings.there(text(row, "symbol"))
        lots = signed(row, listing.lots(size))
        found[listing.symbol] = lots
        cost += lots * listing.lot * decimal(row.get("avgPrice"), "avgPrice")
    return found, cost


def client_of(row: Json) -> str:
    """Our id; an order that was made elsewhere has none, and keeps the exchange's."""
    return str(row.get("orderLinkId") or "") or text(row, "orderId")


def text(row: Json, field: str) -> str:
    """A field that must be a text. Raises FigureError."""
    value = row.get(field)
    if not isinstance(value, str) or not value:
        raise FigureError(f"{field} is {value!r}: a text is wanted")
    return value


def millis_ns(row: Json, field: str) -> int:
    """A time in ms as ns. Raises FigureError."""
    return int(decimal(row.get(field), field)) * 1_000_000


def signed(row: Json, lots: int) -> int:
    """Lots with the side's sign. Raises FigureError."""
    side = row.get("side")
    if side not in ("Buy", "Sell"):
        raise FigureError(f"side is {side!r}: neither Buy nor Sell")
    return lots if side == "Buy" else -lots
