"""What the venue says beside what we know. Until both agree, orders may only be cancelled.

The venue is right about fills and open orders; we are told of every place where we had it otherwise. Positions are
compared last: they must be those that the fills of both give, or something traded outside this book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from modules.live.orders.book import OrderBook
from modules.live.orders.order import Fill, OrderError
from modules.live.orders.states import News, State

Ended = Literal["filled", "cancelled", "rejected", "expired"]
_NEWS: Mapping[str, News] = {
    "cancelled": News.CANCELLED, "rejected": News.REFUSED, "expired": News.EXPIRED,
}  # fmt: skip


@dataclass(frozen=True)
class VenueOrder:
    """One order as the venue has it. `ended` is None for an open one; `fills` all its executions that stand."""

    client_id: str
    fills: tuple[Fill, ...] = ()
    ended: Ended | None = None


@dataclass(frozen=True)
class VenueReport:
    """Everything that the venue has of the account, at one moment: complete, or no basis for anything."""

    orders: tuple[VenueOrder, ...]
    positions: Mapping[str, int]
    complete: bool = True


@dataclass(frozen=True)
class Break:
    """One place where the two disagree, that no news can explain."""

    what: Literal["incomplete", "stranger", "position", "unknown order", "impossible fill", "ended otherwise"]
    subject: str
    ours: str
    theirs: str

    @property
    def sentence(self) -> str:
        """For the log and the screen."""
        return f"{self.what} {self.subject}: here {self.ours}, at the venue {self.theirs}"


def reconcile(book: OrderBook, report: VenueReport) -> list[Break]:
    """Take in what the venue says of every order, and return what remains unexplained: empty = both agree."""
    if not report.complete:
        return [Break("incomplete", "report", f"{len(book.orders)} orders", "part of its orders: ask again")]
    breaks: list[Break] = []
    theirs = {o.client_id: o for o in report.orders}
    for client_id, told in theirs.items():
        if client_id not in book.orders:
            breaks.append(Break("stranger", client_id, "no such order", told.ended or "open"))
            continue
        breaks += _take(book, told)
    for client_id in [o.ticket.client_id for o in book.open() if o.ticket.client_id not in theirs]:
        book.hear(client_id, News.NEVER_ARRIVED)
        if book.orders[client_id].is_open:  # it was acknowledged, or may be on its way: not gone for being absent
            breaks.append(Break("unknown order", client_id, book.orders[client_id].state.value, "no such order"))
    ours = book.positions
    for symbol in sorted(ours.keys() | {s for s, lots in report.positions.items() if lots}):
        here, there = ours.get(symbol, 0), report.positions.get(symbol, 0)
        if here != there:
            breaks.append(Break("position", symbol, f"{here} lots", f"{there} lots"))
    return breaks


def _take(book: OrderBook, told: VenueOrder) -> list[Break]:
    order = book.orders[told.client_id]
    try:
        for fill in told.fills:
            if fill.exec_id in order.fills and order.fills[fill.exec_id] != fill:
                book.correct(told.client_id, fill)
            else:
                book.fill(told.client_id, fill)
    except OrderError as error:
        return [Break("impossible fill", told.client_id, str(order.ticket.lots), str(error))]
    standing = {f.exec_id for f in told.fills}
    for exec_id in [e for e in order.fills if e not in standing and e not in order.voided]:
        book.bust(told.client_id, exec_id)
    if told.ended is None:
        book.hear(told.client_id, News.STILL_OPEN)
    elif told.ended != "filled":
        book.hear(told.client_id, _NEWS[told.ended])
    found = book.orders[told.client_id]
    wanted = State(told.ended) if told.ended is not None else None
    agrees = found.state is wanted if wanted is not None else found.is_open
    said = told.ended or "open"
    return [] if agrees else [Break("ended otherwise", told.client_id, found.state.value, said)]


@dataclass
class Admission:
    """Whether new orders may go out: never before the first reconciliation, nor while a break stands."""

    breaks: tuple[Break, ...] | None = None

    def reconciled(self, breaks: list[Break]) -> None:
        """Remember what the last reconciliation found."""
        self.breaks = tuple(breaks)

    def lost(self) -> None:
        """The connection is gone: what was agreed no longer is."""
        self.breaks = None

    @property
    def cancel_only(self) -> str | None:
        """Why only cancels may go out; None = everything may."""
        if self.breaks is None:
            return "the venue was not asked yet what it has; only cancels go out"
        if self.breaks:
            more = f" and {len(self.breaks) - 1} more" if len(self.breaks) > 1 else ""
            return f"{self.breaks[0].sentence}{more}; only cancels go out until both agree"
        return None
