"""What is done with whatever is asked, and with what the venue says: no connections, no waiting but for the venue.

Nothing goes to the venue that was not ruled on by the risk core and recorded before. Where the process does not know
where it stands (`refusing`), orders are refused and cancels go out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, Protocol, cast, runtime_checkable

import msgspec

from modules.live.journal.port import Journal, JournalError
from modules.live.messages import (
    AnyMessage,
    Ask,
    Cancel,
    CancelAll,
    CancelRefused,
    Connection,
    Kill,
    Lost,
    Marked,
    Moved,
    Proceed,
    RefusedByVenue,
    Report,
    Reset,
    Ruled,
    Status,
    Stepped,
    VenueNews,
)
from modules.live.risk.core import Day, RiskCore, RiskCoreError
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.account import Account, intent_of
from modules.live.riskd.flatten import STRATEGY, Flattening
from modules.live.riskd.latch import Latch, Latched, LatchError
from modules.live.riskd.state import day_of, status_of
from modules.live.venues.port import Venue, VenueError

DAY_NS: Final = 86_400_000_000_000
_MILLI_NS: Final = 1_000_000
_LOOK_AGAIN_NS: Final = 1_000_000_000
_LOOKS: Final = 3
"""How often the venue is asked before what it lacks is believed."""
_SAVE_NS: Final = 1_000_000_000
UNANSWERED_NS: Final = 10_000_000_000
"""After this an order of which the venue said nothing is `Lost`."""

Say = Callable[[VenueNews], None]


@runtime_checkable
class Steps(Protocol):
    """A venue that plays recorded data, and waits to be told to go on."""

    def proceed(self, ts_ns: int) -> None:
        """Go on to the moment after `ts_ns`."""


class Rulings:
    """One account at one venue. Used by one thread; `say` is called with every news, in order."""

    def __init__(
        self,
        core: RiskCore,
        venue: Venue,
        journal: Journal,
        latch: Latch,
        name: str,
        *,
        is_recorded: bool = False,
        say: Say = lambda _news: None,
    ) -> None:
        self.core, self.account, self._venue, self._journal, self._latch = core, Account(core), venue, journal, latch
        self.name, self.say = name, say
        self._is_recorded = is_recorded
        self._venue_ns = 0
        self._deadline_ns = core.limits.deadline_ms * _MILLI_NS
        self._day = -1
        self._day_begun = False
        self._state = latch.read()
        self._flattening: Flattening | None = None
        self._closed_for: Rule = Rule.KILLED
        self.unanswered: dict[str, int] = {}
        # why nothing may go out, each on its own
        self._asking: str | None = "the venue was not asked yet what it has"
        self._breaks: list[str] = []
        self._down: str | None = None
        self._fault: str | None = None
        self._is_blind = False
        self._refusing: str | None = self._asking
        self._looks, self._look_ns = 0, 0
        self._saved_ns, self._saved = 0, (0, 0, 0, 0)
        self._restored: tuple[int, Day] | None = None

    # --- orders --------------------------------------------------------------------------------------

    def now(self) -> int:
        """The time by which is ruled."""
        return self._venue_ns if self._is_recorded else time.time_ns()

    def ask(self, ask: Ask) -> Ruled:
        """Rule on an order; recorded, and sent where the ruling allows it, when this returns."""
        wall = time.time_ns()
        now = self._venue_ns if self._is_recorded else wall
        if self._latch.changed():
            self._obey_latch()
        if now // DAY_NS > self._day:  # a clock that steps back begins no day anew
            self._turn_day(now)
        core = self.core
        if self._refusing is not None and not self._state.killed:
            return self._refused(ask, Rule.CANCEL_ONLY, now)
        age = wall - ask.sent_ns
        if not -self._deadline_ns <= age <= self._deadline_ns:
            return self._refused(ask, Rule.DEADLINE, now, float(self._deadline_ns), float(age))
        ruling = core.ask(intent_of(ask, core, now))
        limit = ruling.limit if math.isfinite(ruling.limit) else None
        value = ruling.value if math.isfinite(ruling.value) else None
        allowed = ruling.allowed_lots
        ruled = Ruled(ask.client_id, int(ruling.answer), int(ruling.rule), allowed, limit, value, now)
        if not ruling.goes_out:
            self._record(ask, ruled)
            if ruling.answer is Answer.FLATTEN:
                self._flatten(ruling.rule)
            return ruled
        try:
            self._journal.append(ask, ruled)
        except JournalError as error:
            core.withdraw(ask.client_id)
            self._journal_failed(error)
            return self._refused(ask, Rule.CANCEL_ONLY, now)
        self.account.sent(ask, allowed)
        self.unanswered[ask.client_id] = time.monotonic_ns()
        self._submit(ask, allowed)
        return ruled

    def _submit(self, ask: Ask, lots: int) -> None:
        try:
            self._venue.submit(ask, lots)
        except VenueError as error:
            self.hear(RefusedByVenue(ask.client_id, f"not sent: {error}", self.now()))
        except Exception as error:  # noqa: BLE001 - whatever broke in an adapter: bytes may have left
            self.hear(Lost(ask.client_id, f"{type(error).__name__} while sending: {error}", self.now()))

    def _refused(self, ask: Ask, rule: Rule, now: int, limit: float | None = None, value: float | None = None) -> Ruled:
        ruled = Ruled(ask.client_id, int(Answer.REJECT), int(rule), 0, limit, value, now)
        self._record(ask, ruled)
        return ruled

    def _close_position(self, ask: Ask, lots: int) -> None:
        """A closing order of our own: recorded and counted like any other."""
        rule = self._closed_for
        # sent also where it cannot be recorded: a full disk is no reason to stay exposed, and the venue's report has it
        self._record(ask, Ruled(ask.client_id, int(Answer.FLATTEN), int(rule), lots, None, None, self.now()))
        self.account.resumed(ask, lots, self.now())
        self.unanswered[ask.client_id] = time.monotonic_ns()
        self._submit(ask, lots)

    def cancel(self, message: Cancel) -> None:
        """Cancels go out whatever the state; one that could not be sent is told."""
        self._record(message)
        try:
            self._venue.cancel(message.client_id)
        except Exception as error:  # noqa: BLE001 - a cancel that fails must not end the process
            self.hear(CancelRefused(message.client_id, f"not sent: {error}", self.now()))

    def cancel_all(self, message: CancelAll | Kill) -> str | None:
        """Ask for a cancel of everything; returns why it could not be sent."""
        self._record(message)
        try:
            self._venue.cancel_all()
        except Exception as error:  # noqa: BLE001 - as above
            return f"cancel of everything was not sent: {error}"
        return None

    def proceed(self, message: Proceed) -> None:
        """Pass on that nothing more is ordered at this moment."""
        if isinstance(self._venue, Steps):
            try:
                self._venue.proceed(message.ts_ns)
            except VenueError as error:
                self.hear(Connection(self._venue.name, False, f"not told to go on: {error}", self.now()))

    # --- the switch ----------------------------------------------------------------------------------

    def kill(self, message: Kill) -> Status:
        """Latch, durably; cancel everything; close everything where asked. Works where the disk does not."""
        trouble = None
        try:
            self._latch.kill(message.by, message.reason, time.time_ns(), flatten=message.flatten)
            self._obey_latch(recorded=True)
        except LatchError as error:
            self._state = Latched(True, message.by, message.reason, time.time_ns(), message.flatten)
            self.core.kill(True)
            trouble = f"the latch holds in this process only: {error}"
            if message.flatten:
                self._flatten(Rule.KILLED)
        trouble = self.cancel_all(message) or trouble
        status = self.status()
        return status if trouble is None else _with_trouble(status, trouble)

    def reset(self, message: Reset) -> Status:
        """Open the latch and take the account as the venue has it. Raises LatchError, VenueError: it stays shut."""
        report = self._report()
        if not report.complete:
            raise VenueError("the venue told only a part of what it has; ask again")
        try:
            self.account.take_over(report)
        except (RiskCoreError, OverflowError) as error:
            raise VenueError(f"the venue's account cannot be taken over: {error}") from error
        self._latch.open(message.by, message.reason, time.time_ns())
        self._record(message, report)
        self._breaks, self._asking, self._flattening = [], None, None
        self._state = self._latch.read()
        self.core.kill(self._state.killed)
        self._begin_day_if_known()
        self._stand()
        return self.status()

    def _obey_latch(self, *, recorded: bool = False) -> None:
        """The latch is another than it was: obey it. Only `reset` opens what this process holds killed."""
        before, self._state = self._state, self._latch.read()
        if self._state.killed:
            self.core.kill(True)
            if not recorded and before != self._state:
                self.cancel_all(Kill(self._state.by, self._state.reason, self._state.flatten))
            if self._state.flatten:
                self._flatten(Rule.KILLED)
        elif before.killed:  # opened from outside, while no process answered, or past this one
            self.core.kill(False)
            self._record(Reset(self._state.by, self._state.reason))
            self._flattening = None
            self._ask_venue("the latch was opened")

    def _flatten(self, rule: Rule) -> None:
        if self._flattening is None:
            self._closed_for = rule
            self._flattening = Flattening(self._venue, self.name, self.core.mode, self.core.build, self._close_position)

    # --- news ----------------------------------------------------------------------------------------

    def hear(self, news: VenueNews) -> None:
        """Take in, record and pass on what the venue said."""
        if not isinstance(news, Marked):
            if not isinstance(news, Moved | Connection | Stepped) and self.unanswered:
                self.unanswered.pop(getattr(news, "client_id", ""), None)
            self._record(news)
        # only the market of a recording has its time: what else is said is said now
        if self._is_recorded and isinstance(news, Marked | Moved | Stepped) and news.ts_ns > self._venue_ns:
            self._venue_ns = news.ts_ns
            if news.ts_ns // DAY_NS > self._day:
                self._turn_day(news.ts_ns)
        if isinstance(news, Connection):
            self._connection(news)
        else:
            self.account.hear(news)
            if self.account.doubts:
                self._ask_venue("; ".join(self.account.doubts))
                self.account.doubts.clear()
            if self._is_blind:
                self._begin_day_if_known()
        self.say(news)

    def after_news(self) -> None:
        """Once a batch of news was heard: whether the day's loss asks for a flat account."""
        if not self._is_blind and self._day_begun and self._flattening is None and self.core.must_flatten():
            day = self.core.day
            loss = 1.0 - day.least_micros / day.first_micros if day.first_micros > 0 else 0.0
            self._flatten(Rule.DAILY_LOSS if loss >= self.core.limits.max_daily_loss else Rule.DRAWDOWN)

    def _connection(self, news: Connection) -> None:
        self._down = None if news.is_up else f"no connection to {news.venue}: {news.reason}"
        if news.is_up:
            self._ask_venue("the connection came back")
        self._stand()

    def _ask_venue(self, why: str) -> None:
        if self._asking is None:
            self._look_ns = 0
        self._looks = 0  # what is new was not looked for yet
        self._asking = f"asking the venue what it has: {why}"
        self._stand()

    # --- where it stands -----------------------------------------------------------------------------

    def _stand(self) -> None:
        """Put together why nothing may go out; None = orders may."""
        blind = "no price yet of " + ", ".join(self.core.unmarked()[:5]) if self._is_blind else None
        more = f" and {len(self._breaks) - 1} more" if len(self._breaks) > 1 else ""
        broken = f"{self._breaks[0]}{more}; a human accepts the venue's account by a reset" if self._breaks else None
        self._refusing = self._fault or self._down or self._asking or broken or blind

    @property
    def refusing(self) -> str | None:
        """Why nothing but cancels may go out; None = orders may."""
        return self._refusing

    @property
    def killed(self) -> str | None:
        """By whom and why the latch is shut; None = it is open."""
        return self._state.sentence if self._state.killed else None

    def status(self) -> Status:
        """Where the risk core stands."""
        refusing = self._refusing
        if self._flattening is not None and not self._flattening.is_flat:
            closing = self._flattening.sentence
            refusing = f"{refusing}; {closing}" if refusing else closing
        return status_of(
            self.core, self.name, self.now(), killed=self.killed, refusing=refusing,
            venues={self._venue.name: self._down is None},
        )  # fmt: skip

    def report(self) -> Report:
        """What the venue has; not complete where it cannot say."""
        try:
            return self._report()
        except VenueError:
            return Report(self._venue.name, (), {}, 0, False, self.now())

    def _report(self) -> Report:
        """Raises VenueError. While an order has no answer yet, a report cannot be complete."""
        try:
            report = self._venue.report()
        except VenueError:
            raise
        except Exception as error:
            raise VenueError(f"the adapter broke while it asked: {type(error).__name__}: {error}") from error
        if self.unanswered and report.complete:
            told = {o.client_id for o in report.orders}
            if any(i not in told for i in self.unanswered):
                return Report(report.venue, report.orders, report.positions, report.cash_micros, False, report.ts_ns)
        return report

    # --- time ----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """What is due: the latch, the day, the venue's word, closing, the day's figures. Some times a second."""
        mono, now = time.monotonic_ns(), self.now()
        if self._latch.changed():
            self._obey_latch()
        if now // DAY_NS > self._day:
            self._turn_day(now)
        if self.unanswered:
            for client_id in [i for i, since in self.unanswered.items() if mono - since > UNANSWERED_NS]:
                self.hear(Lost(client_id, f"no answer in {UNANSWERED_NS // 10**9} s", now))
        if self._asking is not None and self._down is None and mono >= self._look_ns:
            self._look(mono)
        if self._flattening is not None:
            self._flattening.step(mono, now)
        if mono - self._saved_ns >= _SAVE_NS:
            self._save(mono)

    def _look(self, mono: int) -> None:
        """Ask the venue, and compare; what it lacks is believed after some looks."""
        self._look_ns = mono + _LOOK_AGAIN_NS
        try:
            report = self._report()
        except VenueError as error:
            self._asking = f"the venue does not say what it has: {error}"
            self._stand()
            return
        self._looks += 1
        open_ = self.account.compare(report, is_final=self._looks >= _LOOKS)
        self.account.doubts.clear()  # they were the reason to ask
        if open_ and (self._looks < _LOOKS or not report.complete):
            self._asking = f"asking the venue what it has: {open_[0]}"
            self._stand()
            return
        if open_:
            self._breaks = open_
            self._record(self._short_status())
        else:
            self.account.settle_cash(report)
            self._breaks = []
        self._asking = None
        self._begin_day_if_known()
        self._stand()

    def start(self) -> None:
        """The first look, once the venue is open. An account without a past is taken as the venue has it, if flat."""
        if self._state.killed:
            self.core.kill(True)
            self.cancel_all(Kill(self._state.by, self._state.reason, self._state.flatten))
            if self._state.flatten:
                self._flatten(Rule.KILLED)
        self._is_blind = True
        self._look(time.monotonic_ns())

    def _begin_day_if_known(self) -> None:
        """The day's figures count from a NAV that is known: with a price for everything that is held."""
        self._is_blind = bool(self.core.unmarked())
        if self._is_blind or self._asking is not None:
            return
        if not self._day_begun:
            self._day_begun = True
            self._begin_figures()
        self._stand()

    def _begin_figures(self) -> None:
        if self._restored is not None and self._restored[0] == self._day:
            self.core.set_day(self._restored[1])
        else:
            self.core.begin_day()
        if not self.account.buying_power_said:
            self.core.buying_power(max(0, self.core.nav_micros))

    def _turn_day(self, now: int) -> None:
        self._day = now // DAY_NS
        self.account.new_day(self._day)
        if self._flattening is not None and not self._state.killed:
            self._flattening = None

    # --- the past ------------------------------------------------------------------------------------

    def recall(self) -> int:
        """Fold the journal into the account, before the venue is opened; returns the entries read. Raises JournalError.

        What went out counts as open until the venue says otherwise, ids that passed today are remembered, and so are
        the day's figures.
        """
        asked: dict[str, Ask] = {}
        passed: dict[str, int] = {}
        count = 0
        for entry in self._journal.read():
            count += 1
            message = entry.message
            if isinstance(message, Ask):
                asked = {message.client_id: message}
            elif isinstance(message, Ruled):
                ask = asked.get(message.client_id)
                if ask is None or message.allowed == 0 or message.rule == Rule.CANCEL_ONLY:
                    continue
                if message.answer != Answer.FLATTEN or ask.strategy == STRATEGY:
                    self.account.today = message.at_ns // DAY_NS
                    passed[message.client_id] = self.account.today
                    self.account.resumed(ask, message.allowed, message.at_ns)
            elif isinstance(message, Report):
                self.account.take_over(message)
            elif isinstance(message, Status):
                self._restored = (message.at_ns // DAY_NS, day_of(message))
                self._day = max(self._day, message.at_ns // DAY_NS)
            elif not isinstance(message, Connection | Stepped | Marked):
                self.account.hear(cast(VenueNews, message))
        self.account.doubts.clear()  # the venue is asked anyway
        if not self._is_recorded:
            self._day = self.now() // DAY_NS
        self.account.begin(self._day)
        self.core.forget()
        self.core.remember(i for i, day in passed.items() if day == self._day)
        self.core.remember(self.core.open_orders)
        return count

    # --- the record ----------------------------------------------------------------------------------

    def _record(self, *messages: AnyMessage) -> bool:
        """Whether it was recorded; where not, orders are refused until the journal works again."""
        try:
            self._journal.append(*messages)
        except JournalError as error:
            self._journal_failed(error)
            return False
        return True

    def _journal_failed(self, error: JournalError) -> None:
        self._fault = f"the journal cannot be written: {error}"
        self._stand()

    def _save(self, mono: int) -> None:
        """The day's figures, where they moved; and whether a journal that failed works again."""
        self._saved_ns = mono
        day = self.core.day
        figures = (self._day, day.first_micros, day.least_micros, day.deepest_micros)
        if not self._day_begun or (self._fault is None and figures == self._saved):
            return
        if self._record(self._short_status()):
            self._saved = figures
            if self._fault is not None:
                self._fault = None
                self._ask_venue("the journal works again")

    def _short_status(self) -> Status:
        return status_of(
            self.core, self.name, self.now(), killed=self.killed, refusing=self._refusing,
            venues={self._venue.name: self._down is None}, is_short=True,
        )  # fmt: skip

    def close(self) -> None:
        """Write what must not be forgotten; orders stay where they are."""
        if self._day_begun:
            self._record(self._short_status())


def _with_trouble(status: Status, trouble: str) -> Status:
    refusing = f"{status.refusing}; {trouble}" if status.refusing else trouble
    return msgspec.structs.replace(status, refusing=refusing)
