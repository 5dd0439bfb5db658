"""Order management of one account: recorded before it is sent, recorded before it is told.

An order is asked for once in its life. Where its outcome is not known it is UNKNOWN until the venue was asked, and
nothing but cancels goes out meanwhile; the same holds after a start, after a lost connection, while the journal does
not take what happens, and while the venue has it otherwise than the book.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from modules.live.desk.acceptance import Acceptance
from modules.live.desk.learned import learned
from modules.live.desk.outcome import STATUS, Outcome, finite, is_ruling, sound
from modules.live.desk.port import RiskLink
from modules.live.desk.record import Record
from modules.live.journal.port import Journal
from modules.live.messages import (
    AnyMessage,
    Ask,
    Cancel,
    CancelAll,
    Corrected,
    Filled,
    Hello,
    Lost,
    Mode,
    Report,
    Reset,
    Ruled,
    VenueNews,
)
from modules.live.orders import ids
from modules.live.orders.book import OrderBook
from modules.live.orders.fold import RECORDED, Fold
from modules.live.orders.order import Order, OrderError, Ticket
from modules.live.orders.reconcile import Admission, Break
from modules.live.units import DAY_NS, MICROS

LONGEST_S: Final = 8.0
"""How long a venue that has it otherwise is left alone between two questions: each costs it several requests."""
REHEARSE_NS: Final = 200_000
KEPT_DAYS: Final = 3
"""Days for which ended orders are kept in memory. The journal keeps them all."""


@dataclass(frozen=True)
class Identity:
    """For whom the desk trades, and with what."""

    account: str
    mode: Mode
    build: str


@dataclass
class Desk:
    """One account. Used from one thread. `connect` makes a new connection to the risk core; it raises OSError.

    Opening reads the journal; nothing goes out before `recover` found that the venue agrees.
    Raises JournalError for a journal that cannot be read.
    """

    identity: Identity
    connect: Callable[[], RiskLink]
    journal: Journal
    clock_ns: Callable[[], int] = time.time_ns
    listeners: list[Callable[[VenueNews], None]] = field(default_factory=list)
    accepted: Callable[[], Acceptance | None] = lambda: None
    """The last time that a human accepted the account as the venue has it."""
    settle_s: float = 0.2
    """How long a venue's lists may be behind what it said: where its report breaks with the book it is asked again."""
    retry_s: float = 1.0

    def __post_init__(self) -> None:
        self._fold = Fold(self.identity.account)
        self._link: RiskLink | None = None
        self._learned: list[VenueNews] = []
        self.last_report: Report | None = None
        self._record = Record(self.journal)
        self._retry_at, self._pause_s, self._day, self._rehearse_at = 0.0, self.retry_s, -1, 0
        self._accepted_ns = self.clock_ns()
        for entry in self.journal.read():
            self._fold.take(entry.message)
            self._record.seq, self._accepted_ns = entry.seq, entry.ts_ns
        self._take(self._hello())

    # --- what stands --------------------------------------------------------------------------------

    @property
    def book(self) -> OrderBook:
        """All orders, and the positions that their fills give."""
        return self._fold.book

    @property
    def admission(self) -> Admission:
        """Whether the venue agrees with the book."""
        return self._fold.admission

    @property
    def moved_micros(self) -> int:
        """Money that came or went without a trade."""
        return self._fold.moved_micros

    @property
    def cancel_only(self) -> str | None:
        """Why only cancels may go out; None = orders may."""
        if self._record.fault is not None:
            return self._record.fault
        return self._fold.admission.cancel_only

    # --- orders -------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, parent_left: int = -1) -> Outcome:
        """Ask for an order, once: the same ticket again tells where its order stands.

        parent_left: lots that its parent order has left, -1 = it has none.
        Raises OrderError for another ticket under a known id, or an id that is not of this account.
        """
        client_id = ticket.client_id
        known = self.book.orders.get(client_id)
        if known is not None:
            return self._again(known, ticket)
        if not ids.is_of(self.identity.account, client_id):
            raise OrderError(
                f"client_id {client_id!r} is not of account {self.identity.account}: after a loss of power it would "
                "not be known as ours; make it with modules.live.orders.ids.client_id"
            )
        if self._fold.horizon_ns and self._fold.is_forgotten(client_id):
            raise OrderError(
                f"client_id {client_id} was decided on before {self._fold.horizon_ns} ns, where ended orders are "
                "forgotten: it may have been one of them; decide anew"
            )
        why = self.cancel_only
        link = self._link
        if why is not None or link is None:
            return Outcome("held", client_id, why=why or "there is no connection to the risk core")
        ask = self._ask(ticket, parent_left)
        if not self._record.holds(ask):
            return Outcome("held", client_id, why=self._record.fault)
        self.book.create(ticket)  # what taking in the recorded asking does
        try:
            ruled = link.ask(ask)
        except OSError as error:
            return self._silent(client_id, str(error))
        return self._ruled(client_id, ruled)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel of an order, known here or not. Raises OSError where there is no connection."""
        self._take(Cancel(client_id))
        self._linked(lambda link: link.cancel(client_id))

    def cancel_all(self, by: str, reason: str) -> None:
        """Ask for a cancel of everything that the venue has open. Raises OSError where there is no connection."""
        self._take(CancelAll(by, reason))
        self._linked(lambda link: link.cancel_all(by, reason))

    # --- news ---------------------------------------------------------------------------------------

    def poll(self, timeout_s: float) -> list[VenueNews]:
        """Take in what the venue said: recorded, then in the book, then told to the listeners, then returned.

        What `recover` learned, which no news had told, comes first.
        """
        self._record.retry()
        if self._learned:
            news, self._learned = self._learned, []
            return news
        if self._link is None:
            return []
        try:
            news = self._link.news(timeout_s)
        except OSError as error:
            self._hung_up(str(error))
            return []
        return self._heard(news)

    def recover(self) -> tuple[Break, ...]:
        """Ask the venue what it has, and take that in; connects where there is no connection. Empty = both agree.

        To be called at the start and whenever `cancel_only` says why, until it says None; `tend` does that.
        """
        try:
            if self._link is None:
                self._link = self.connect()
                self._take(self._hello())
            word = self.accepted()
            if word is not None and word.at_ns > self._accepted_ns:
                self._accepted_ns = word.at_ns
                self._take(Reset(word.by, word.reason))
            self._reconcile(self._link)
            if self.admission.breaks:
                self._heard(self._link.news(self.settle_s))
                self._reconcile(self._link)
        except OSError as error:
            self._hung_up(str(error))
            return (Break("incomplete", "report", f"{len(self.book.orders)} orders", str(error)),)
        return self.admission.breaks or ()

    def tend(self) -> None:
        """Recover where that is needed and was not tried for `retry_s`; let go of what ended days ago.

        To be called beside `poll`, again and again.
        """
        self._forget()
        if self._fold.admission.cancel_only is not None and time.monotonic() >= self._retry_at:
            self.recover()
            differs = self._link is not None and self._fold.admission.cancel_only is not None
            self._pause_s = min(2.0 * self._pause_s, LONGEST_S) if differs else self.retry_s
            self._retry_at = time.monotonic() + self._pause_s

    def _forget(self) -> None:
        """Ended orders of days before yesterday go, by the days of decisions, once a day."""
        newest = next(reversed(self.book.orders), None)
        if newest is None or not ids.is_of(self.identity.account, newest):
            return
        day = ids.decided_ns(newest) // DAY_NS
        if day > self._day:
            self._day = day
            self._fold.forget((day - KEPT_DAYS) * DAY_NS)

    def rehearse(self) -> None:
        """Go an order's way with nothing recorded and nothing asked, at most every `REHEARSE_NS`.

        For whoever waits without sleeping: what does not run leaves the processor's caches, and the next order would
        take half as long again.
        """
        now = time.perf_counter_ns()
        if now < self._rehearse_at or self._link is None:
            return
        self._rehearse_at = now + REHEARSE_NS
        account = self.identity.account
        made = ids.client_id(account, "rehearsal", self.clock_ns(), "none")
        if made not in self.book.orders and ids.is_of(account, made):
            ask = self._ask(Ticket(made, "rehearsal", "none", 1, "none"))
            self.journal.rehearse(ask)
            self._link.rehearse(ask)

    def close(self) -> None:
        """Hang up. The journal stays with whoever opened it."""
        if self._link is not None:
            self._link.close()
            self._link = None

    # --- inside -------------------------------------------------------------------------------------

    def _reconcile(self, link: RiskLink) -> None:
        self._heard(link.news(0.0))
        report = link.report()
        self._heard(link.news(0.0))
        before, news = dict(self.book.orders), self._fold.news_in(report)
        self._take(news)
        self.last_report = report
        self._learned += self._heard(learned(before, self.book, news))

    def _hello(self) -> Hello:
        return Hello("desk", self.identity.mode, self.identity.build, self.identity.account)

    def _ask(self, ticket: Ticket, parent_left: int = -1) -> Ask:
        limit = None if ticket.limit_micros is None else ticket.limit_micros / MICROS
        return Ask(
            ticket.client_id, ticket.strategy, ticket.symbol, ticket.lots, ticket.venue, self.identity.mode,
            self.identity.build, self.clock_ns(), ticket.order_type, ticket.time_in_force,
            limit, ticket.parent, parent_left,
        )  # fmt: skip

    def _ruled(self, client_id: str, ruled: Ruled) -> Outcome:
        if not is_ruling(ruled, self.book.orders[client_id].ticket):
            return self._silent(client_id, f"the risk core answers what is no ruling on {client_id}: {ruled}")
        self._take(finite(ruled))
        status = STATUS[self.book.orders[client_id].state]
        return Outcome(status, client_id, ruled, seq=self._record.seq)

    def _silent(self, client_id: str, why: str) -> Outcome:
        """No ruling came: the order may be at the venue."""
        self._hung_up(why)
        self._take(Lost(client_id, why, self.clock_ns()))
        return Outcome("unknown", client_id, why=why, seq=self._record.seq)

    def _again(self, known: Order, ticket: Ticket) -> Outcome:
        if known.adopted:
            known.claimed(ticket)  # raises where it cannot be this one
            self._take(self._ask(ticket))
        else:
            self.book.create(ticket)  # raises where it is another one
        return Outcome(STATUS[known.state], ticket.client_id, why=known.state.value, is_new=False, seq=self._record.seq)

    def _heard(self, news: Iterable[VenueNews]) -> list[VenueNews]:
        news = [sound(n) if type(n) is Filled or type(n) is Corrected else n for n in news]
        self._take(*[n for n in news if type(n) in RECORDED])
        for listener in self.listeners:
            for told in news:
                listener(told)
        return news

    def _take(self, *messages: AnyMessage) -> None:
        """Record, then take in: what happened is taken in whether or not the journal can hold it now."""
        if messages:
            if not self._record.take(*messages):
                self._fold.admission.lost("the journal missed messages; the venue is asked instead")
            for message in messages:
                self._fold.take(message)

    def _linked(self, what: Callable[[RiskLink], None]) -> None:
        if self._link is None:
            raise ConnectionError("there is no connection to the risk core: cancel with `cws kill`, or recover first")
        try:
            what(self._link)
        except OSError as error:
            self._hung_up(str(error))
            raise

    def _hung_up(self, why: str) -> None:
        self.close()
        self._fold.admission.lost(f"the connection to the risk core is gone ({why})")
