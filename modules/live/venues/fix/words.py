"""Orders and what the venue says of them, between our messages and FIX tags."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from modules.live.messages import (
    Acknowledged,
    Ask,
    Busted,
    Cancelled,
    CancelRefused,
    Corrected,
    Expired,
    Filled,
    Lost,
    OpenAtVenue,
    OrderType,
    RefusedByVenue,
    TimeInForce,
    VenueNews,
)
from modules.live.venues.exact import FigureError, Listing, Listings, decimal, micros
from modules.live.venues.fix.codec import Field, Heard, moment, stamp
from modules.live.venues.port import VenueError

BUY: Final = "1"
SELLS: Final = frozenset(["2", "5", "6"])  # sell, sell short, sell short exempt
_TYPES: Final[dict[str, OrderType]] = {"1": "market", "2": "limit", "3": "stop", "4": "stop_limit"}
_TIMES: Final[dict[str, TimeInForce]] = {"0": "day", "1": "gtc", "3": "ioc", "4": "fok"}
_SENT_TYPES: Final = {"market": "1", "limit": "2"}
_SENT_TIMES: Final = {name: tag for tag, name in _TIMES.items()}
_STATUS: Final = "I"  # ExecType: an order's state, on request
_DUPLICATE: Final = "6"  # OrdRejReason: the id is in use, so there is such an order
_ABSOLUTE: Final = "3"  # CommType
ENDED: Final = {"2": "filled", "4": "cancelled", "8": "rejected", "C": "expired", "3": "expired"}
"""OrdStatus of an order that will not fill any more."""


def new_order(ask: Ask, lots: int, listing: Listing, account: str, now_ns: int) -> list[Field]:
    """NewOrderSingle. Raises VenueError for what cannot be said so."""
    kind = _SENT_TYPES.get(ask.order_type)
    if kind is None:
        raise VenueError(f"order_type {ask.order_type} has no stop price here; send market or limit")
    fields = [
        (11, ask.client_id), (1, account), (21, "1"), (55, listing.native), (54, side(lots)), (60, stamp(now_ns)),
        (38, listing.quantity(lots)), (40, kind),
    ]  # fmt: skip
    if ask.order_type == "limit":
        if ask.limit_price is None:
            raise VenueError(f"limit order {ask.client_id} has no limit_price; give one")
        fields.append((44, listing.price(ask.limit_price)))
    return [*fields, (59, _SENT_TIMES[ask.time_in_force])]


def cancel_order(client_id: str, cancel_id: str, native: str, sign: int, quantity: str, now_ns: int) -> list[Field]:
    """OrderCancelRequest."""
    return [(41, client_id), (11, cancel_id), (55, native), (54, side(sign)), (38, quantity), (60, stamp(now_ns))]


def side(lots: int) -> str:
    """Side of signed lots. Short sales are plain sells: locates are the risk core's."""
    return BUY if lots > 0 else "2"


def order_id(message: Heard) -> str:
    """Our order that a message is about: OrigClOrdID, since only cancels carry it here, else ClOrdID."""
    return message.get(41) or message.need(11)


def heard(message: Heard, listings: Listings, now_ns: int) -> list[VenueNews]:
    """News in one message of the application; [] for what says nothing of an order. Raises FigureError."""
    match message.kind:
        case "8" if message.get(150) == _STATUS:
            return []  # the answer to a question that nobody waits for any more; of an empty account it names no order
        case "8":
            return _execution(message, listings)
        case "9":
            reason = message.get(58) or f"CxlRejReason {message.get(102) or 'none'}"
            return [CancelRefused(client_id=order_id(message), reason=reason, ts_ns=now_ns)]
        case "j" if message.get(372) == "D" and message.get(379):
            reason = message.get(58) or f"BusinessRejectReason {message.get(380) or 'none'}"
            return [RefusedByVenue(client_id=message.need(379), reason=reason, ts_ns=now_ns)]
        case _:
            return []


def _execution(message: Heard, listings: Listings) -> list[VenueNews]:
    what, client_id, ts_ns = message.need(150), order_id(message), moment(message.need(60))
    match what:
        case "0":
            return [Acknowledged(client_id=client_id, venue_id=message.need(37), ts_ns=ts_ns)]
        case "F":
            return [filled(message, client_id, message.need(17), listings)]
        case "G":
            now = filled(message, client_id, message.need(19), listings)
            return [Corrected(**{f: getattr(now, f) for f in now.__struct_fields__})]
        case "H":
            return [Busted(client_id=client_id, exec_id=message.need(19), ts_ns=ts_ns)]
        case "4":
            return [Cancelled(client_id=client_id, ts_ns=ts_ns)]
        case "C" | "3":
            return [Expired(client_id=client_id, ts_ns=ts_ns)]
        case "8" if message.get(103) == _DUPLICATE:
            return [Lost(client_id=client_id, reason="refused as a duplicate: the id is in use there", ts_ns=ts_ns)]
        case "8":
            reason = message.get(58) or f"OrdRejReason {message.get(103) or 'none'}"
            return [RefusedByVenue(client_id=client_id, reason=reason, ts_ns=ts_ns)]
        case _:
            return []  # pending, suspended, restated, status: nothing that the table of orders knows


def filled(message: Heard, client_id: str, exec_id: str, listings: Listings) -> Filled:
    """An execution, of an execution report or of a trade capture report. Raises FigureError."""
    listing = listings.there(message.need(55))
    price, quantity = decimal(message.need(31), "LastPx"), decimal(message.need(32), "LastQty")
    lots = _signed(message, listing.lots(quantity))
    if lots == 0 or price < 0:
        raise FigureError(
            f"execution {exec_id}: LastQty {quantity} at LastPx {price}; there must be lots, at 0 or more"
        )
    return Filled(
        client_id=client_id, exec_id=exec_id, symbol=listing.symbol, lots=lots, price=float(price),
        value_micros=listing.value_micros(lots, price), fee_micros=_fee(message, quantity, quantity * price),
        ts_ns=moment(message.need(60)),
    )  # fmt: skip


def status(message: Heard, fills: tuple[Filled, ...], listings: Listings) -> OpenAtVenue:
    """An order as ExecutionReports of a mass status say it. Raises FigureError."""
    listing = listings.there(message.need(55))
    price = message.get(44)
    state = message.need(39)
    return OpenAtVenue(
        client_id=order_id(message), symbol=listing.symbol,
        lots=_signed(message, listing.lots(decimal(message.need(38), "OrderQty"))), fills=fills,
        ended=ENDED.get(state),  # type: ignore[arg-type]
        order_type=_TYPES.get(message.get(40) or "1", "market"),
        time_in_force=_TIMES.get(message.get(59) or "0", "day"),
        limit_price=None if price is None else float(decimal(price, "Price")),
    )  # fmt: skip


def _signed(message: Heard, lots: int) -> int:
    found = message.need(54)
    if found != BUY and found not in SELLS:
        raise FigureError(f"side {found} of message {message.number} is neither a buy nor a sell")
    return lots if found == BUY else -lots


def _fee(message: Heard, quantity: Decimal, value: Decimal) -> int:
    """Commission in micros: a unit (1), in percent (2) or absolute (3, also where no type is given)."""
    text = message.get(12)
    if text is None:
        return 0
    commission = decimal(text, "Commission")
    match message.get(13) or _ABSOLUTE:
        case "1":
            return micros(commission * quantity)
        case "2":
            return micros(commission / 100 * value)
        case "3":
            return micros(commission)
        case other:
            raise FigureError(f"CommType {other} of message {message.number} is not 1, 2 or 3")
