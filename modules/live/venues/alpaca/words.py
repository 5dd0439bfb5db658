"""Orders and updates between our messages and Alpaca's JSON.

An execution is named by its order and the quantity done with it: that is in the stream's updates and in the account's
activities, so that what was heard live and what is asked for later agree. Both write figures as texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from modules.live.messages import (
    Acknowledged,
    Ask,
    Cancelled,
    CancelRefused,
    Expired,
    Filled,
    OpenAtVenue,
    RefusedByVenue,
    VenueNews,
)
from modules.live.venues.exact import FigureError, Listing, Listings, decimal, moment_ns
from modules.live.venues.port import VenueError

Json = Mapping[str, Any]
_ENDED: Final = {
    "filled": "filled", "canceled": "cancelled", "rejected": "rejected", "expired": "expired",
    "done_for_day": "expired", "replaced": "cancelled",
}  # fmt: skip
TIMES: Final = frozenset({"day", "gtc", "ioc", "fok"})
TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit"})


def new_order(ask: Ask, lots: int, listing: Listing) -> dict[str, str]:
    """The body of POST /v2/orders. Raises VenueError for what cannot be said so."""
    if ask.order_type not in ("market", "limit"):
        raise VenueError(f"order_type {ask.order_type} has no stop price here; send market or limit")
    body = {
        "symbol": listing.native, "qty": listing.quantity(lots), "side": "buy" if lots > 0 else "sell",
        "type": ask.order_type, "time_in_force": ask.time_in_force, "client_order_id": ask.client_id,
    }  # fmt: skip
    if ask.order_type == "limit":
        if ask.limit_price is None:
            raise VenueError(f"limit order {ask.client_id} has no limit_price; give one")
        body["limit_price"] = listing.price(ask.limit_price)
    return body


def update(data: Json, listings: Listings) -> list[VenueNews]:
    """News in the data of one `trade_updates` message. Raises FigureError."""
    order, event = _object(data, "order"), text(data, "event")
    client_id = text(order, "client_order_id")
    ts_ns = moment_ns(data.get("timestamp") or order.get("updated_at"))
    match event:
        case "new" | "accepted":
            return [Acknowledged(client_id=client_id, venue_id=text(order, "id"), ts_ns=ts_ns)]
        case "fill" | "partial_fill":
            done = decimal(order.get("filled_qty"), "filled_qty")
            return [_filled(client_id, text(order, "id"), order, data, done, ts_ns, listings)]
        case "canceled" | "replaced":
            return [Cancelled(client_id=client_id, ts_ns=ts_ns)]
        case "expired" | "done_for_day":
            return [Expired(client_id=client_id, ts_ns=ts_ns)]
        case "rejected":
            reason = str(data.get("reason") or order.get("reject_reason") or "rejected, no reason given")
            return [RefusedByVenue(client_id=client_id, reason=reason, ts_ns=ts_ns)]
        case "order_cancel_rejected":
            return [CancelRefused(client_id=client_id, reason="the cancel was rejected", ts_ns=ts_ns)]
        case "trade_bust" | "trade_correct":
            raise FigureError(f"{event} of {client_id}: which execution is told by a report only")
        case _:
            return []  # pending, held, stopped, suspended, calculated: nothing that the table of orders knows


def reported(row: Json, fills: Iterable[Json], listings: Listings) -> tuple[OpenAtVenue, bool]:
    """An order with its executions, and whether these are all of them. Raises FigureError."""
    listing, client_id, order_id = listings.there(text(row, "symbol")), text(row, "client_order_id"), text(row, "id")
    found = tuple(
        _filled(client_id, order_id, row, fill, decimal(fill.get("cum_qty"), "cum_qty"),
                moment_ns(fill.get("transaction_time")), listings)
        for fill in fills
    )  # fmt: skip
    kind, time, price = text(row, "type"), text(row, "time_in_force"), row.get("limit_price")
    if kind not in TYPES or time not in TIMES:
        raise FigureError(
            f"order {client_id} is of type {kind}, {time}: none that is known here; cancel it at the venue"
        )
    done = listing.lots(decimal(row.get("filled_qty"), "filled_qty"))
    order = OpenAtVenue(
        client_id=client_id, symbol=listing.symbol, lots=_signed(row, listing.lots(decimal(row.get("qty"), "qty"))),
        fills=found, ended=_ENDED.get(text(row, "status")),  # type: ignore[arg-type]
        order_type=kind, time_in_force=time,  # type: ignore[arg-type]
        limit_price=None if price is None else float(decimal(price, "limit_price")),
    )  # fmt: skip
    return order, done == abs(sum(f.lots for f in found))


def held(rows: Iterable[Json], listings: Listings) -> dict[str, int]:
    """Positions by our symbols; quantities are signed there. Raises FigureError."""
    found: dict[str, int] = {}
    for row in rows:
        listing = listings.there(text(row, "symbol"))
        quantity = abs(decimal(row.get("qty"), "qty"))
        found[listing.symbol] = listing.lots(-quantity if row.get("side") == "short" else quantity)
    return {symbol: lots for symbol, lots in found.items() if lots}


def text(data: Json, field: str) -> str:
    """A field that must be a text. Raises FigureError."""
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise FigureError(f"{field} is {value!r}: a text is wanted")
    return value


def _object(data: Json, field: str) -> Json:
    value = data.get(field)
    if not isinstance(value, dict):
        raise FigureError(f"{field} is {str(value)[:100]!r}: an object is wanted")
    return value


def _filled(
    client_id: str, order_id: str, order: Json, data: Json, done: Decimal, ts_ns: int, listings: Listings
) -> Filled:
    listing = listings.there(text(order, "symbol"))
    price, quantity = decimal(data.get("price"), "price"), decimal(data.get("qty"), "qty")
    lots = _signed(order, listing.lots(quantity))
    if lots == 0 or price < 0 or done < quantity:
        raise FigureError(f"execution of {client_id}: {quantity} of {done} done at {price} cannot be")
    return Filled(
        client_id=client_id, exec_id=f"{order_id}:{done.normalize():f}", symbol=listing.symbol, lots=lots,
        price=float(price), value_micros=listing.value_micros(lots, price), fee_micros=0, ts_ns=ts_ns,
    )  # fmt: skip


def _signed(order: Json, lots: int) -> int:
    side = order.get("side")
    if side not in ("buy", "sell"):
        raise FigureError(f"side is {side!r}: neither buy nor sell")
    return lots if side == "buy" else -lots
