"""Orders: submitted, shown, cancelled. They go through the desk, and so through the risk core."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from cli.api.faults import ApiError, Check, absent, fault
from cli.api.remedies import REMEDIES
from cli.api.shapes import (
    Cancelling,
    OrderAsked,
    Orders,
    OrderSeen,
    OrderTaken,
)
from cli.api.wiring import (
    DEFAULT_PAGE,
    Page,
    journal_of,
    live_of,
    mode_of,
    needs,
    unavailable,
)
from modules.live.desk.asking import ByHand, Told
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.orders.order import Order
from modules.live.risk.rules import Answer, Rule
from modules.live.units import MICROS

router = APIRouter()
ClientId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Reason = Annotated[str, Query(min_length=1, max_length=200, description="why; it is recorded")]
T = TypeVar("T")


@router.post("/v1/orders", status_code=201, dependencies=[Depends(needs("trade"))])
def submit(request: Request, response: Response, asked: OrderAsked) -> OrderTaken:
    """Submit an order: 201 it went out, 202 nobody knows yet, 403 the risk core refused it and which check failed."""
    decided = time.time_ns() if asked.decided_ns is None else asked.decided_ns
    given = asked.model_dump(exclude={"decided_ns"})
    if asked.lots == 0:
        raise ApiError(422, "lots is 0", fault("body.lots", 0, "is not 0", "give lots above 0 to buy, below 0 to sell"))
    live = live_of(request)
    try:
        live.audit.write(request.state.token.name, "order", {**given, "decided_ns": decided})
    except OSError as error:
        words = f"who asked cannot be recorded: {error.strerror}"
        raise unavailable("the log of requests", words, "free space on its disk; cancels go") from error
    told = _desk(request, lambda desk: desk.submit(ByHand(decided_ns=decided, **given)), decided)
    if told.status not in ("sent", "unknown"):
        raise _not_taken(told)
    if told.status == "unknown":
        response.status_code = 202
    return OrderTaken.model_validate(
        {
            "mode": mode_of(live.seen),
            "client_id": told.client_id,
            "status": told.status,
            "answer": None if told.answer is None else Answer(told.answer).name,
            "rule": None if told.rule is None else Rule(told.rule).name,
            "allowed_lots": told.allowed,
            "decided_ns": decided,
            "why": told.why,
        }
    )


@router.get("/v1/orders", dependencies=[Depends(needs("portfolio"))])
def list_orders(
    request: Request,
    page: Page = DEFAULT_PAGE,
    after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = None,
    state: Literal["open", "ended"] | None = None,
) -> Orders:
    """Orders: all that may be open, and the last 200 that ended."""
    seen = journal_of(request)
    every = [o for o in seen.orders if state is None or o.is_open == (state == "open")]
    if after is not None:
        names = [o.ticket.client_id for o in every]
        every = every[names.index(after) + 1 :] if after in names else []
    shown = every[:page]
    following = shown[-1].ticket.client_id if len(every) > page else None
    return Orders(mode=mode_of(seen), orders=tuple(_order(o) for o in shown), next=following)


@router.get("/v1/orders/{client_id}", dependencies=[Depends(needs("portfolio"))])
def read_order(request: Request, client_id: ClientId) -> OrderSeen:
    """One order."""
    for order in journal_of(request).orders:
        if order.ticket.client_id == client_id:
            return _order(order)
    raise absent("order", "client_id", client_id, "GET /v1/orders lists them")


@router.delete("/v1/orders/{client_id}", status_code=202, dependencies=[Depends(needs("cancel"))])
def cancel(request: Request, client_id: ClientId) -> Cancelling:
    """Cancel one order. No limit refuses a cancel."""
    with suppress(OSError):
        live_of(request).audit.write(request.state.token.name, "cancel", {"client_id": client_id})
    told = _desk(request, lambda desk: desk.cancel(client_id))
    if told.status == "bad":
        raise absent("order", "client_id", client_id, "GET /v1/orders lists them")
    if told.status != "done":
        raise _not_taken(told)
    return Cancelling(mode=mode_of(live_of(request).seen), client_id=client_id)


@router.delete("/v1/orders", status_code=202, dependencies=[Depends(needs("cancel"))])
def cancel_all(request: Request, reason: Reason) -> Cancelling:
    """Cancel whatever the venue has open."""
    by = f"api token {request.state.token.name}"
    with suppress(OSError):
        live_of(request).audit.write(request.state.token.name, "cancel all", {"reason": reason})
    told = _desk(request, lambda desk: desk.cancel_all(by, reason))
    if told.status != "done":
        raise _not_taken(told)
    return Cancelling(mode=mode_of(live_of(request).seen), client_id=None)


def _desk(request: Request, ask: Callable[[DeskClient], T], decided_ns: int | None = None) -> T:
    live = live_of(request)
    try:
        with live.desks, DeskClient(live.place.desk) as desk:
            return ask(desk)
    except DeskUnavailableError as error:
        if not error.may_be_out:
            raise unavailable("the desk", str(error), "start it: cws live") from error
        again = "send the same again with this decided_ns" if decided_ns is not None else "ask again"
        raise ApiError(
            504,
            f"the desk did not say what became of it: {error}",
            fault("decided_ns", decided_ns, "the outcome is not known", f"{again}: nothing is done twice"),
        ) from error


def _not_taken(told: Told) -> ApiError:
    why = told.why or ""
    if told.status == "bad":
        return ApiError(422, why, fault("body", None, why, "mend what the sentence names"))
    if told.status == "held":
        return ApiError(
            409, f"nothing but cancels goes out: {why}", fault("desk", None, why, "ask again once it is over")
        )
    if told.rule is None or told.answer is None:
        once = "an order is refused once and for all"
        return ApiError(
            403, f"the order was refused before: {why}", fault("order", told.client_id, once, "make a new one")
        )
    rule = Rule(told.rule)
    check = Check(
        answer=Answer(told.answer).name,
        rule=rule.name,
        limit=told.limit,
        value=told.value,
        allowed_lots=told.allowed or 0,
    )
    figures = "" if told.limit is None else f": {told.value} where {told.limit} is allowed"
    value = None if told.value is None else f"{told.value:g}"
    words = rule.name if told.limit is None else f"{rule.name}: at most {told.limit:g}"
    remedy = REMEDIES.get(rule, "docs/risk.md says when it speaks")
    return ApiError(
        403,
        f"the risk core refused the order by {rule.name}{figures}",
        fault("order", value, words, remedy),
        check=check,
    )


def _order(order: Order) -> OrderSeen:
    ticket = order.ticket
    standing = [f for e, f in order.fills.items() if e not in order.voided]
    lots = sum(abs(f.lots) for f in standing)
    mean = sum(abs(f.lots) * f.price_micros for f in standing) / lots / MICROS if lots else None
    return OrderSeen(
        client_id=ticket.client_id,
        strategy=ticket.strategy,
        symbol=ticket.symbol,
        lots=order.lots,
        venue=ticket.venue,
        order_type=ticket.order_type,
        time_in_force=ticket.time_in_force,
        limit_price=None if ticket.limit_micros is None else ticket.limit_micros / MICROS,
        parent=ticket.parent,
        state=order.state.value,
        filled_lots=order.filled,
        mean_price=mean,
        fee_usd=sum(f.fee_micros for f in standing) / MICROS,
    )
