"""What the venue says beside what we know. Until both agree, orders may only be cancelled.

The venue is right about fills and open orders; we are told of every place where we had it otherwise. Positions are
compared last: they must be those that the fills of both give, or something traded outside this book.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from modules.live.orders.book import OrderBook
from modules.live.orders.order import Fill, OrderError, Ticket
from modules.live.orders.states import News, State

Ended = Literal["filled", "cancelled", "rejected", "expired"]
_NEWS: Mapping[str, News] = {
    "cancelled": News.CANCELLED, "rejected": News.REFUSED, "expired": News.EXPIRED,
}  # fmt: skip


@dataclass(frozen=True)
class VenueOrder:
    """One order as the venue has it. `ended` is None for an open one; `fills` all its executions that stand.

    `ticket`: what the venue says was ordered, None = it does not say; without it a stranger cannot be adopted.
    """

    client_id: str
    fills: tuple[Fill, ...] = ()
    ended: Ended | None = None
    ticket: Ticket | None = None


@dataclass(frozen=True)
class VenueReport:
    """Everything that the venue has of the account, at one moment: complete, or no basis for anything."""

    orders: tuple[VenueOrder, ...]
    positions: Mapping[str, int]
    complete: bool = True


@dataclass(frozen=True)
class Break:
    """One place where the two disagree, that no news can explain."""

    what: Literal[
        "incomplete", "missing", "stranger", "position", "unknown order", "impossible fill", "ended otherwise", "lots"
    ]
    subject: str
    ours: str
    theirs: str

    @property
    def sentence(self) -> str:
        """For the log and the screen."""
        return f"{self.what} {self.subject}: here {self.ours}, at the venue {self.theirs}"


def reconcile(
    book: OrderBook,
    report: VenueReport,
    *,
    missing: Collection[str] | None = None,
    is_ours: Callable[[str], bool] = lambda client_id: False,
    is_forgotten: Callable[[str], bool] = lambda client_id: False,
    accepted: Collection[str] = (),
) -> list[Break]:
    """Take in what the venue says of every order, and return what remains unexplained: empty = both agree.

    missing: orders of unknown outcome and executions that the report before this one did not have either. What is not
    in a report for the first time is a break "missing" and no more: a venue's lists may be behind what it said, and a
    fill taken for taken back, or an order for refused, would be traded a second time. None: one report is enough.
    is_ours: whether an order that the book does not know is the account's by its id; then
    it is adopted with its fills. is_forgotten: whether the book knew it and let go of it after its end. accepted: ended
    orders that a human has looked into, and which are left as they are.
    """
    if not report.complete:
        return [Break("incomplete", "report", f"{len(book.orders)} orders", "part of its orders: ask again")]
    breaks: list[Break] = []
    theirs = {o.client_id: o for o in report.orders}
    for client_id, told in theirs.items():
        if client_id in accepted and told.ended is not None:
            continue
        if client_id not in book.orders:
            if is_forgotten(client_id) and told.ended is not None:
                continue
            if told.ticket is None or not is_ours(client_id):
                breaks.append(Break("stranger", client_id, "no such order", told.ended or "open"))
                continue
            book.adopt(told.ticket, told.ticket.lots)
        breaks += _take(book, told, missing)
    for client_id in [o.ticket.client_id for o in book.open() if o.ticket.client_id not in theirs]:
        breaks += _absent(book, client_id, missing)
    ours = book.positions
    for symbol in sorted(ours.keys() | {s for s, lots in report.positions.items() if lots}):
        here, there = ours.get(symbol, 0), report.positions.get(symbol, 0)
        if here != there:
            breaks.append(Break("position", symbol, f"{here} lots", f"{there} lots"))
    return breaks


def _absent(book: OrderBook, client_id: str, missing: Collection[str] | None) -> list[Break]:
    """An open order that the venue does not have."""
    order = book.orders[client_id]
    if missing is not None and client_id not in missing:
        return [Break("missing", client_id, order.state.value, "not in its first report")]
    was_there = order.state is State.UNKNOWN and (order.venue_id is not None or bool(order.fills))
    # what the venue had and has no longer is over; whether it filled more before that, the positions tell
    book.hear(client_id, News.EXPIRED if was_there else News.NEVER_ARRIVED)
    if book.orders[client_id].is_open:  # it was acknowledged, or may be on its way: not gone for being absent
        return [Break("unknown order", client_id, book.orders[client_id].state.value, "no such order")]
    return []


def _take(book: OrderBook, told: VenueOrder, missing: Collection[str] | None) -> list[Break]:
    order = book.orders[told.client_id]
    if told.ticket is not None and told.ticket.symbol != order.ticket.symbol:
        return [Break("lots", told.client_id, f"in {order.ticket.symbol}", f"in {told.ticket.symbol}")]
    try:
        if told.ticket is not None:
            if abs(told.ticket.lots) > abs(order.ticket.lots) and not order.adopted:
                return [Break("lots", told.client_id, f"{order.ticket.lots} lots", f"{told.ticket.lots} lots")]
            book.size(told.client_id, told.ticket.lots)
        for fill in told.fills:
            if fill.exec_id in order.fills and order.fills[fill.exec_id] != fill:
                book.correct(told.client_id, fill)
            else:
                book.fill(told.client_id, fill)
    except OrderError as error:
        return [Break("impossible fill", told.client_id, str(order.ticket.lots), str(error))]
    standing, breaks = {f.exec_id for f in told.fills}, []
    for exec_id in [e for e in order.fills if e not in standing and e not in order.voided]:
        if missing is None or exec_id in missing:
            book.bust(told.client_id, exec_id)
        else:
            breaks.append(Break("missing", exec_id, f"a fill of {told.client_id}", "not in its first report"))
    if told.ended is None:
        book.hear(told.client_id, News.STILL_OPEN)
    elif told.ended != "filled":
        book.hear(told.client_id, _NEWS[told.ended])
    found = book.orders[told.client_id].state
    if told.ended is None:
        agrees = not found.is_final
    else:  # of two ends without a fill between them none matters; full and not full do
        agrees = found.is_final and (found is State.FILLED) == (told.ended == "filled")
    return breaks if agrees else [*breaks, Break("ended otherwise", told.client_id, found.value, told.ended or "open")]


@dataclass
class Admission:
    """Whether new orders may go out: never before the first reconciliation, nor while a break stands."""

    breaks: tuple[Break, ...] | None = None
    why: str = "the venue was not asked yet what it has"

    def reconciled(self, breaks: list[Break]) -> None:
        """Remember what the last reconciliation found."""
        self.breaks = tuple(breaks)

    def lost(self, why: str = "the venue was not asked yet what it has") -> None:
        """What was agreed no longer is: the connection is gone, or something was heard that the book cannot explain."""
        self.breaks, self.why = None, why

    @property
    def cancel_only(self) -> str | None:
        """Why only cancels may go out; None = everything may."""
        if self.breaks is None:
            return f"{self.why}; only cancels go out"
        if self.breaks:
            more = f" and {len(self.breaks) - 1} more" if len(self.breaks) > 1 else ""
            return f"{self.breaks[0].sentence}{more}; only cancels go out until both agree"
        return None
