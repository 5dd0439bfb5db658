"""What a report of the venue told that no news had, in the words of news, for whoever keeps an account of them."""

from __future__ import annotations

from collections.abc import Mapping

from modules.live.messages import (
    Busted,
    Cancelled,
    Corrected,
    Expired,
    RefusedByVenue,
    Report,
    VenueNews,
)
from modules.live.orders.book import OrderBook
from modules.live.orders.fold import fill_of
from modules.live.orders.order import Order
from modules.live.orders.states import State


def learned(before: Mapping[str, Order], book: OrderBook, report: Report) -> list[VenueNews]:
    """News that lead from the orders `before` the report to those of the book after it."""
    news: list[VenueNews] = []
    for told in report.orders:
        order, known = book.orders.get(told.client_id), before.get(told.client_id)
        if order is None:
            continue
        fills = known.fills if known is not None else {}
        for filled in told.fills:
            if filled.exec_id not in order.fills:
                continue  # it could not be of this order
            if filled.exec_id not in fills:
                news.append(filled)
            elif fills[filled.exec_id] != fill_of(filled):
                news.append(
                    Corrected(
                        filled.client_id, filled.exec_id, filled.symbol, filled.lots, filled.price,
                        filled.value_micros, filled.fee_micros, filled.ts_ns,
                    )
                )  # fmt: skip
    for client_id, order in book.orders.items():
        known = before.get(client_id)
        if order is known:
            continue
        voided = known.voided if known is not None else frozenset()
        news += [Busted(client_id, e, report.ts_ns) for e in sorted(order.voided - voided)]
        if order.state.is_final and (known is None or not known.state.is_final):
            news += _end(client_id, order.state, report.ts_ns)
    return news


def _end(client_id: str, state: State, ts_ns: int) -> list[VenueNews]:
    if state is State.CANCELLED:
        return [Cancelled(client_id, ts_ns)]
    if state is State.EXPIRED:
        return [Expired(client_id, ts_ns)]
    if state is State.REJECTED:
        return [RefusedByVenue(client_id, "the venue, asked, has no such order", ts_ns)]
    return []  # filled: its fills have told
