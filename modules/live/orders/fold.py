"""What the recorded messages add up to: the book, whether the venue agrees with it, the money that moved.

The desk takes every message in through here after it was recorded, and after a restart the journal's entries are taken
in the same way: what was recorded is what is known. No clock, no disk, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from modules.live.messages import (
    Acknowledged,
    AnyMessage,
    Ask,
    Busted,
    Cancel,
    CancelAll,
    Cancelled,
    CancelRefused,
    Connection,
    Corrected,
    Expired,
    Filled,
    Hello,
    Lost,
    Moved,
    OpenAtVenue,
    RefusedByVenue,
    Report,
    Reset,
    Ruled,
)
from modules.live.orders import ids
from modules.live.orders.book import OrderBook
from modules.live.orders.order import Fill, OrderError, Ticket
from modules.live.orders.reconcile import Admission, Break, VenueOrder, VenueReport, reconcile
from modules.live.orders.states import News, Remark, State
from modules.live.risk.rules import Answer, Rule
from modules.live.units import MICROS

_DUPLICATE: Final = int(Rule.DUPLICATE)
GOES_OUT: Final = (int(Answer.APPROVE), int(Answer.REDUCE))
_NEWS: Final[dict[type, News]] = {
    Cancelled: News.CANCELLED, CancelRefused: News.CANCEL_REFUSED, Expired: News.EXPIRED, Lost: News.LOST,
    RefusedByVenue: News.REFUSED,
}  # fmt: skip

RECORDED: Final = frozenset(
    {
        Hello, Ask, Ruled, Cancel, CancelAll, Reset, Report, Acknowledged, RefusedByVenue, Filled, Corrected,
        Busted, Cancelled, CancelRefused, Expired, Lost, Moved, Connection,
    }
)  # fmt: skip
"""Kinds that move what is known of orders and money. Prices are not among them: the tape has those."""


def ticket_of(ask: Ask) -> Ticket:
    """The ticket that an `Ask` was made of."""
    limit = None if ask.limit_price is None else round(ask.limit_price * MICROS)
    return Ticket(
        ask.client_id, ask.strategy, ask.symbol, ask.lots, ask.venue, ask.order_type, ask.time_in_force, limit,
        ask.parent,
    )  # fmt: skip


def fill_of(told: Filled | Corrected) -> Fill:
    """The execution that the venue told."""
    return Fill(told.exec_id, told.lots, round(told.price * MICROS), told.fee_micros, told.value_micros)


@dataclass
class Fold:
    """The state of one account's orders. `moved_micros`: money that came or went without a trade."""

    account: str
    book: OrderBook = field(default_factory=OrderBook)
    admission: Admission = field(default_factory=Admission)
    moved_micros: int = 0
    horizon_ns: int = 0
    """Orders decided before it that have ended are forgotten; a ticket from before it is too old to be one."""
    is_begun: bool = False
    """Whether a venue's report was ever taken as the beginning."""
    _missing: frozenset[str] = frozenset()
    """What the last report did not have, see `reconcile`."""
    _accepts: bool = True
    """Whether what the venue says is to be taken as it is: at the very beginning, and after a human's word."""
    _accepted: frozenset[str] = frozenset()

    def take(self, message: AnyMessage) -> None:
        """Take in a message. Whatever a venue says is taken; what cannot be is remarked, and ends the admission."""
        kind = type(message)
        if kind is Ask:
            self.book.create(ticket_of(message))  # type: ignore[arg-type]
        elif kind is Ruled:
            self._ruled(message)  # type: ignore[arg-type]
        elif kind is Filled or kind is Corrected:
            self._filled(message)  # type: ignore[arg-type]
        elif kind is Acknowledged:
            self._hear(message.client_id, News.ACKNOWLEDGED, message.venue_id)  # type: ignore[union-attr]
        elif kind in _NEWS:
            self._hear(message.client_id, _NEWS[kind])  # type: ignore[union-attr]
        else:
            self._seldom(message)

    def forget(self, before_ns: int) -> int:
        """Let go of ended orders that were decided on before a time; returns how many. Their lots and money stay."""
        old = [
            i for i, order in self.book.orders.items()
            if not order.is_open and ids.is_of(self.account, i) and ids.decided_ns(i) < before_ns
        ]  # fmt: skip
        for client_id in old:
            self.book.forget(client_id)
        self.horizon_ns = max(self.horizon_ns, before_ns)
        return len(old)

    def is_forgotten(self, client_id: str) -> bool:
        """Whether an order of this account that the book does not know is from before the horizon."""
        return ids.is_of(self.account, client_id) and ids.decided_ns(client_id) < self.horizon_ns

    def news_in(self, report: Report) -> Report:
        """The report without the ended orders that the book has just so: what is to be recorded of it and taken in."""
        orders = tuple(o for o in report.orders if not self._has(o))
        return report if len(orders) == len(report.orders) else msgspec.structs.replace(report, orders=orders)

    def _has(self, told: OpenAtVenue) -> bool:
        known = self.book.orders.get(told.client_id)
        if known is None or known.is_open or told.ended is None or known.lots != told.lots:
            return False
        if (known.state is State.FILLED) != (told.ended == "filled") or known.ticket.symbol != told.symbol:
            return False
        standing = {e: f for e, f in known.fills.items() if e not in known.voided}
        return standing == {f.exec_id: fill_of(f) for f in told.fills}

    def _ruled(self, ruled: Ruled) -> None:
        client_id = ruled.client_id
        if ruled.answer in GOES_OUT and ruled.allowed:
            self.book.hear(client_id, News.SENT)
            if ruled.allowed != self.book.orders[client_id].ticket.lots:
                self.book.size(client_id, ruled.allowed)
        elif ruled.rule == _DUPLICATE:  # it let this id out before, so that the venue may have it: no refusal
            self.book.hear(client_id, News.LOST)
            self.admission.lost(f"the risk core let {client_id} out before; the venue is asked what became of it")
        else:
            self.book.hear(client_id, News.REFUSED)

    def _filled(self, told: Filled | Corrected) -> None:
        order = self.book.orders.get(told.client_id)
        if order is None:
            if self.is_forgotten(told.client_id):  # whether its lots are counted already, the positions tell
                self.admission.lost(f"an execution of {told.client_id}, which ended long ago; the venue is asked")
            elif not self._is_stranger(told.client_id):
                self._adopt(told)
            return
        if order.ticket.symbol != told.symbol:
            return self._impossible(told)
        try:
            if type(told) is Filled:
                self.book.fill(told.client_id, fill_of(told))
            else:
                self.book.correct(told.client_id, fill_of(told))
        except OrderError:
            self._impossible(told)

    def _adopt(self, told: Filled | Corrected) -> None:
        if told.lots == 0:
            return self._impossible(told)
        self.book.adopt(Ticket(told.client_id, "", told.symbol, told.lots, ""), None)
        self.book.fill(told.client_id, fill_of(told))
        self.admission.lost(f"order {told.client_id} of this account filled and was not known; the venue is asked")

    def _impossible(self, told: Filled | Corrected) -> None:
        self.book.remark(told.client_id, Remark.IMPOSSIBLE_FILL)
        self.admission.lost(
            f"execution {told.exec_id} of {told.lots} lots of {told.symbol} cannot be of order {told.client_id}"
        )

    def _hear(self, client_id: str, news: News, venue_id: str | None = None) -> None:
        if client_id in self.book.orders:
            before = len(self.book.remarks)
            self.book.hear(client_id, news, venue_id)
            if news is News.LOST:
                self.admission.lost(f"nobody can say what became of order {client_id}; the venue is asked")
            elif len(self.book.remarks) != before:
                self.admission.lost(f"news of order {client_id} contradict what was said before; the venue is asked")
        elif not self._is_stranger(client_id) and news is not News.REFUSED:
            self.admission.lost(f"order {client_id} of this account is at the venue and was not known; it is asked")

    def _is_stranger(self, client_id: str) -> bool:
        """Whether it is nobody's here; then the account is traded from elsewhere."""
        if ids.is_of(self.account, client_id):
            return False
        self.admission.lost(f"order {client_id} is at the venue and not of account {self.account}")
        return True

    def _seldom(self, message: AnyMessage) -> None:
        match message:
            case Busted():
                if message.client_id in self.book.orders:
                    self.book.bust(message.client_id, message.exec_id)
                else:
                    self._hear(message.client_id, News.LOST)
            case Cancel():
                if message.client_id in self.book.orders:
                    self.book.hear(message.client_id, News.CANCEL_SENT)
            case CancelAll():
                for order in self.book.open():
                    if order.state is not State.CREATED:
                        self.book.hear(order.ticket.client_id, News.CANCEL_SENT)
            case Moved():
                self.moved_micros += message.micros
            case Connection():
                how = "is back, and it was not asked since" if message.is_up else f"is gone ({message.reason})"
                self.admission.lost(f"the connection to {message.venue} {how}")
            case Reset():
                self._accepts = True
                self.admission.lost(f"{message.by} accepts the account as the venue has it; it is asked")
            case Hello():
                self.book.restarted()
                self.admission.lost()
            case Report():
                self._reconcile(message)
            case _:
                pass  # what moves nothing here

    def _reconcile(self, told: Report) -> None:
        orders = tuple(
            VenueOrder(
                o.client_id, tuple(map(fill_of, o.fills)), o.ended,
                Ticket(o.client_id, "", o.symbol, o.lots, told.venue, o.order_type, o.time_in_force,
                       None if o.limit_price is None else round(o.limit_price * MICROS)) if o.lots else None,
            )
            for o in told.orders
        )  # fmt: skip
        report = VenueReport(orders, told.positions, told.complete)
        found = reconcile(
            self.book, report, missing=self._missing, is_forgotten=self.is_forgotten,
            is_ours=lambda client_id: ids.is_of(self.account, client_id), accepted=self._accepted,
        )  # fmt: skip
        if self._accepts and told.complete:
            found = self._accept(found, told)
        self._missing = frozenset(b.subject for b in found if b.what == "missing")
        self.admission.reconciled(found)

    def _accept(self, found: list[Break], told: Report) -> list[Break]:
        """What is left of the breaks once what the venue has is accepted: it must have said the same twice.

        At the beginning that is what the account held before; after a human's word also orders of others that have
        ended, and orders that ended otherwise. What is open or missing stays a break.
        """
        settled = [b for b in found if b.what in ("position", "stranger", "impossible fill", "ended otherwise", "lots")]
        if self.is_begun is False:
            settled = [b for b in settled if b.what == "position"]
        before = self.admission.breaks or ()
        if any(b not in before for b in settled) or any(b.what in ("missing", "unknown order") for b in found):
            return found
        open_there = {o.client_id for o in told.orders if o.ended is None}
        self._accepted |= {b.subject for b in settled if b.what != "position" and b.subject not in open_there}
        ours = self.book.positions
        for symbol in sorted(ours.keys() | told.positions.keys()):
            self.book.carry(symbol, told.positions.get(symbol, 0) - ours.get(symbol, 0))
        self._accepts, self.is_begun = False, True
        return [b for b in found if b not in settled or b.subject in open_there]
