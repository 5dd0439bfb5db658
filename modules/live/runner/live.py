"""The runner on its way: what is heard is taped and taken in, a bar that closes is decided, orders go to the desk.

Everything is taped before it has an effect. So a runner that was killed goes on from its tape: it decides again what
it had decided, to the same client ids, of which the desk sends none twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modules.live.desk.collector import tidy_up
from modules.live.feeds.news import FeedNews, Quote, Trade
from modules.live.feeds.recorded import known_at
from modules.live.messages import Expired, Filled, Marked, Message, Moved, Report, Stepped, VenueNews
from modules.live.orders.order import Ticket
from modules.live.runner.account import BarClosed
from modules.live.runner.agreeing import Agreeing
from modules.live.runner.core import Runner, decided_at
from modules.live.runner.ports import Bars, Market, OrderDesk
from modules.live.runner.replay import Replayed
from modules.live.runner.tables import Tables
from modules.live.runner.tape import Kind, TapeWriter, is_begun
from modules.live.runner.taped import BarDue, Began, CashTold, Ended, Outcome
from modules.live.runner.ticks import TickRecorder
from modules.panel import iso

ASK_AGAIN_S: Final = 3.0
"""After how long without a word a venue that plays recorded data is told again to go on."""

Say = Callable[[str], None]
Open = Callable[[Runner], Began]
"""What a new tape begins with."""


@dataclass
class Live:
    """One programme on one account, a day after another. `folder`: where its tapes lie."""

    runner: Runner
    desk: OrderDesk
    bars: Bars
    folder: Path
    began: Open
    say: Say = lambda _: None
    clock_ns: Callable[[], int] = time.time_ns
    heard: list[Callable[[Message], None]] = field(default_factory=list)
    """Told of everything that goes on the tape."""
    resumed: Replayed | None = None
    is_current: Callable[[int], bool] = lambda _: True
    """Whether orders decided at a bar may still go out."""
    may_open: Callable[[Ticket], str | None] = lambda _: None
    """Why an order may not go out just now: a feed that stalls. What only reduces is never held."""
    opens_nothing: Callable[[], str | None] = lambda: None
    """Asked at each bar: why nothing may be opened, such as a demotion. What reduces, and cancels, still go."""
    shown: Callable[[BarClosed], None] = lambda _: None
    """Told of each bar once its orders are on their way."""
    day: str = ""
    _tape: TapeWriter | None = None
    _early: list[VenueNews] = field(default_factory=list)
    _tables: Tables | None = None
    _ticks: TickRecorder | None = None

    def run(self, until: Callable[[], bool] = lambda: False, timeout_s: float = 1.0) -> None:
        """Go on until the venue's recorded data end, or `until` says so. Raises TapeError: then nothing goes out."""
        self._go_on()
        asked = -math.inf
        while not until():
            if time.monotonic() - asked > ASK_AGAIN_S:  # told twice it goes on once: what it was told may be lost
                self.desk.proceed(self.last_ts_ns)
                asked = time.monotonic()
            for news in self.desk.poll(timeout_s):
                self.hear(news)
                if not isinstance(news, Stepped):
                    continue
                if news.ts_ns > self.last_ts_ns:
                    self.step(news.ts_ns)
                    if not news.is_last:
                        self.desk.proceed(news.ts_ns)
                        asked = time.monotonic()
                if news.is_last:
                    self.close("the recorded data are over")
                    return

    def follow(self, market: Market, until: Callable[[], bool], timeout_s: float = 0.02) -> None:
        """Go on by a market that is live, until `until` says so. Raises TapeError: then nothing goes out.

        An order of before the last end is never sent: its bar is over.
        """
        self.may_open = lambda ticket: market.may_open(ticket, self.runner.account.positions.get(ticket.symbol, 0))
        self.is_current = lambda _: False
        self._go_on()
        self.roll(self.clock_ns())
        agreeing = Agreeing(self.desk, self.say, self._agreed, self.clock_ns())
        while not until():
            labels = market.poll(timeout_s)
            for news in self.desk.poll(0.0):
                self.hear(news)
            agreeing.look(self.clock_ns())
            for label in labels:
                if label > self.last_ts_ns and label >= self.runner.programme.start_ns:
                    self.step(label)

    def feed_heard(self, feed: str, news: FeedNews) -> None:
        """Tape what a feed said, before it has an effect: quotes and trades as ticks."""
        self.roll(known_at(news))
        if isinstance(news, Quote | Trade):
            if self._ticks is None:
                self._ticks = TickRecorder(self._tape_now(), self.runner.account.symbols)
            if self._ticks.take(news):
                return
        self._tape_now().message(news)

    def hear(self, news: VenueNews) -> None:
        """Tape and take in what the venue said."""
        if isinstance(news, Filled | Moved | Marked | Stepped):
            self.roll(news.ts_ns)
        if self._tape is None:
            self._early.append(news)  # of no day that is known yet
            return
        self._record(news)
        self.runner.hear(news)

    def step(self, ts_ns: int) -> None:
        """Bar `ts_ns` closed: decide, and send what is to be sent."""
        self.roll(ts_ns)
        rows, known_ns = self.bars.closed(ts_ns)
        self._tape_now().rows(Kind.RECORDS, rows)
        self.runner.known(rows)
        self._record(BarDue(ts_ns, known_ns))
        decided, made = decided_at(self.runner, ts_ns, known_ns)
        self._record(decided)
        if made is None:
            self.say(f"bar {iso(ts_ns)}: nothing is ordered: {decided.failed}")
            self._tape_now().sync()
            return
        for client_id in made.cancels:
            self.desk.cancel(client_id)
        stopped = self.opens_nothing() if made.tickets else None
        for ticket in made.tickets:
            why = (stopped if self._opens(ticket) else None) or self.may_open(ticket)
            self.settle(Outcome(ticket.client_id, "held", 0, words=why) if why else self.desk.submit(ticket))
        self._tape_now().sync()  # after the orders, which do not wait for it
        self.shown(made)

    def _opens(self, ticket: Ticket) -> bool:
        """Whether a ticket does more than reduce what is held."""
        held = self.runner.account.positions.get(ticket.symbol, 0)
        return ticket.lots * held >= 0 or abs(ticket.lots) > abs(held)

    def _go_on(self) -> None:
        """Take in what was missed since the last process ended, and send what nothing says was submitted."""
        if self.resumed is None:
            return
        self.day, self._tape = self.resumed.path.stem, TapeWriter(self.resumed.path, self.clock_ns)
        self._agree(self.desk.report())
        undecided, unsent = self.resumed.undecided, list(self.resumed.unsent.values())
        if undecided is not None:
            self._record(undecided)
            unsent = list(undecided.tickets)
            for client_id in undecided.cancels:
                self.desk.cancel(client_id)
        account = self.runner.account
        for left in unsent:
            ticket = Ticket(left.client_id, account.strategy, left.symbol, left.lots, account.venue)
            self.settle(
                self.desk.submit(ticket)
                if self.is_current(self.last_ts_ns)
                else Outcome(left.client_id, "held", 0, words="its bar was over when the runner went on")
            )
        self.resumed = None

    def _agree(self, report: Report) -> None:
        """Executions and ends that nobody heard; what else came or went shows in the cash."""
        account = self.runner.account
        for order in report.orders:
            for fill in order.fills:
                if account.is_new(fill):
                    self.hear(fill)
            if order.ended is not None and order.client_id in {i for i, _ in account.working().values()}:
                self.hear(Expired(order.client_id, report.ts_ns))
        self._settle_cash(report)

    def _agreed(self, report: Report) -> None:
        """Cash as the venue has it, where nothing is on its way that one of both may have counted alone."""
        account = self.runner.account
        theirs = {s: lots for s, lots in report.positions.items() if lots and s in account.symbols}
        if not account.working() and all(o.ended for o in report.orders) and theirs == account.positions:
            self._settle_cash(report)

    def _settle_cash(self, report: Report) -> None:
        account = self.runner.account
        if report.complete and report.cash_micros != account.cash_micros:
            self._record(CashTold(account.cash_micros, report.cash_micros, report.ts_ns))
            self.say(f"cash here {account.cash_micros} micros, at the venue {report.cash_micros}: theirs counts")
            account.cash_told(report.cash_micros, report.ts_ns)

    def settle(self, outcome: Outcome) -> None:
        """Take in what became of a ticket."""
        self._record(outcome)
        self.runner.account.allowed(outcome.client_id, outcome.lots)
        if outcome.status != "sent":
            self.say(f"{outcome.client_id}: {outcome.status}, {outcome.why}")

    @property
    def last_ts_ns(self) -> int:
        """The last bar that was decided; 0 = none."""
        return self.runner.account.last_ts_ns or 0

    def roll(self, ts_ns: int) -> None:
        """Begin the tape of the day of `ts_ns`, where it is another than the last one's."""
        day = iso(ts_ns)[:10]
        if day <= self.day:
            return
        self.close(f"{self.day} is over")
        if self.day:
            if self.runner.forget():
                self._tables = None
            tidy_up()
        self.day = day
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{day}.tape"
        fresh = not is_begun(path)
        if fresh:
            path.unlink(missing_ok=True)
        self._tape = TapeWriter(path, self.clock_ns)
        if fresh:
            self._begin(self._tape)
        early, self._early = self._early, []
        for news in early:
            self._record(news)
            self.runner.hear(news)

    def _begin(self, tape: TapeWriter) -> None:
        if self._tables is None:
            self._tables = Tables.keep(self.folder, self.runner)
        tape.message(self._tables.named_in(self.began(self.runner)))
        tape.rows(Kind.RECORDS, self._tables.since(self.runner))
        tape.sync()

    def close(self, why: str) -> None:
        """End the tape in order."""
        if self._ticks is not None:
            self._ticks.flush()
            self._ticks = None
        if self._tape is not None:
            self._record(Ended(why))
            self._tape.close()
            self._tape = None

    def _record(self, message: Message) -> None:
        self._tape_now().message(message)
        for listener in self.heard:
            listener(message)

    def _tape_now(self) -> TapeWriter:
        if self._tape is None:
            self.roll(self.clock_ns())
        assert self._tape is not None
        return self._tape
