"""What is done with whatever is asked, and with what the venue says: no connections, no waiting but for the venue.

Nothing goes to the venue that was not ruled on by the risk core and recorded before. Where the process does not know
where it stands (`refusing`), orders are refused and cancels go out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

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
from modules.live.risk.core import RiskCore, RiskCoreError, Ruling
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.account import Account, intent_of
from modules.live.riskd.days import Days
from modules.live.riskd.flatten import Flattening
from modules.live.riskd.latch import Latch, Latched, LatchError
from modules.live.riskd.recall import recall
from modules.live.riskd.refusals import Refusals
from modules.live.riskd.standing import Standing
from modules.live.riskd.state import status_of
from modules.live.units import MILLI_NS
from modules.live.venues.port import Venue, VenueError

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
        self.standing = Standing(self.account, venue)
        self.days = Days(self.account, is_recorded=is_recorded)
        self._deadline_ns = core.limits.deadline_ms * MILLI_NS
        self._state = latch.read()
        self._flattening: Flattening | None = None
        self._closed_for: Rule = Rule.KILLED
        self._saved_ns = 0
        self._refusals = Refusals()
        self.last: Ask | None = None
        """The last order that the risk core ruled on."""

    def recall(self) -> int:
        """Fold the journal into the account, before the venue is opened; returns the entries read."""
        return recall(self._journal, self.account, self.days)

    def start(self) -> None:
        """The first look, once the venue is open. An account without a past is taken as the venue has it, if flat."""
        if self._state.killed:
            self.core.kill(True)
            self.cancel_all(Kill(self._state.by, self._state.reason, self._state.flatten))
            if self._state.flatten:
                self._flatten(Rule.KILLED)
        self.standing.is_blind = True
        self._look(time.monotonic_ns())

    # --- orders --------------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> Ruled:
        """Rule on an order; recorded, and sent where the ruling allows it, when this returns."""
        wall, now = time.time_ns(), self.days.now()
        if self._latch.changed():
            self._obey_latch()
        if self.days.turn(now):
            self._day_turned()
        core = self.core
        if self.standing.refusing is not None and not self._state.killed:
            return self._refused(ask, Rule.CANCEL_ONLY, now)
        age = wall - ask.sent_ns
        if not -self._deadline_ns <= age <= self._deadline_ns:
            return self._refused(ask, Rule.DEADLINE, now, float(self._deadline_ns), float(age))
        ruling = core.ask(intent_of(ask, core, now))
        ruled, allowed, self.last = _told(ask, ruling, now), ruling.allowed_lots, ask
        if not ruling.goes_out:
            self._record_refusal(ask, ruled)
            if ruling.answer is Answer.FLATTEN:
                self._flatten(ruling.rule)
            return ruled
        try:
            self._journal.append(ask, ruled)
        except JournalError as error:
            core.withdraw(ask.client_id)
            self.standing.failed(str(error))
            return self._refused(ask, Rule.CANCEL_ONLY, now)
        self.account.sent(ask, allowed)
        self.standing.unanswered[ask.client_id] = time.monotonic_ns()
        self._submit(ask, allowed)
        return ruled

    def rehearse(self, ask: Ask) -> None:
        """Rule on an order with nothing counted, recorded or sent: see `Desk.rehearse`."""
        now = self.days.now()
        self.look_at_latch()
        self._journal.rehearse(ask, _told(ask, self.core.look(intent_of(ask, self.core, now)), now))

    def _submit(self, ask: Ask, lots: int) -> None:
        try:
            self._venue.submit(ask, lots)
        except VenueError as error:
            self.hear(RefusedByVenue(ask.client_id, f"not sent: {error}", self.days.now()))
        except Exception as error:  # noqa: BLE001 - whatever broke in an adapter: bytes may have left
            self.hear(Lost(ask.client_id, f"{type(error).__name__} while sending: {error}", self.days.now()))

    def _refused(self, ask: Ask, rule: Rule, now: int, limit: float | None = None, value: float | None = None) -> Ruled:
        ruled = Ruled(ask.client_id, int(Answer.REJECT), int(rule), 0, limit, value, now)
        self._record_refusal(ask, ruled)
        return ruled

    def _close_position(self, ask: Ask, lots: int) -> None:
        """A closing order of our own: recorded and counted like any other."""
        rule = self._closed_for
        # sent also where it cannot be recorded: a full disk is no reason to stay exposed, and the venue's report has it
        self._record(ask, Ruled(ask.client_id, int(Answer.FLATTEN), int(rule), lots, None, None, self.days.now()))
        self.account.resumed(ask, lots, self.days.now())
        self.standing.unanswered[ask.client_id] = time.monotonic_ns()
        self._submit(ask, lots)

    def cancel(self, message: Cancel) -> None:
        """Cancels go out whatever the state; one that could not be sent is told."""
        self._record(message)
        try:
            self._venue.cancel(message.client_id)
        except Exception as error:  # noqa: BLE001 - a cancel that fails must not end the process
            self.hear(CancelRefused(message.client_id, f"not sent: {error}", self.days.now()))

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
                self.hear(Connection(self._venue.name, False, f"not told to go on: {error}", self.days.now()))

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
        before = self._state
        report = self.standing.report()
        self.look_at_latch()
        if self._state != before:
            raise LatchError(
                f"the latch was moved while the venue was asked: {self._state.sentence}; look, and ask again"
            )
        if not report.complete:
            raise VenueError("the venue told only a part of what it has; ask again")
        try:
            self.account.take_over(report)
        except (RiskCoreError, OverflowError) as error:
            raise VenueError(f"the venue's account cannot be taken over: {error}") from error
        self._latch.open(message.by, message.reason, time.time_ns())
        self._record(message, report)
        self._flattening = None
        self._state = self._latch.read()
        self.core.kill(self._state.killed)
        self.standing.settled([])
        self._see()
        return self.status()

    def look_at_latch(self) -> None:
        """Obey the latch where it is another than it was: whoever moved it may be another process."""
        if self._latch.changed():
            self._obey_latch()

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
            self.standing.doubt("the latch was opened")

    def _flatten(self, rule: Rule) -> None:
        if self._flattening is None:
            self._closed_for = rule
            self._flattening = Flattening(
                self._venue, self.name, self.core.mode, self.core.build, self._close_position,
                self.standing.venue_asked.report,
            )  # fmt: skip

    # --- news ----------------------------------------------------------------------------------------

    def hear(self, news: VenueNews) -> None:
        """Take in, record and pass on what the venue said."""
        standing = self.standing
        if not isinstance(news, Marked):
            if standing.unanswered and not isinstance(news, Moved | Connection | Stepped):
                standing.unanswered.pop(getattr(news, "client_id", ""), None)
            self._record(news)
        if self.days.hear(news):
            self._day_turned()
        if isinstance(news, Connection):
            standing.connection(news)
        else:
            self.account.hear(news)
            if self.account.doubts:
                standing.doubt("; ".join(self.account.doubts))
                self.account.doubts.clear()
            if standing.is_blind:
                self._see()
        self.say(news)

    def after_news(self) -> None:
        """Once a batch of news was heard: whether the day's loss asks for a flat account."""
        if not self.standing.is_blind and self.days.has_begun and self._flattening is None and self.core.must_flatten():
            day = self.core.day
            loss = 1.0 - day.least_micros / day.first_micros if day.first_micros > 0 else 0.0
            self._flatten(Rule.DAILY_LOSS if loss >= self.core.limits.max_daily_loss else Rule.DRAWDOWN)

    def _see(self) -> None:
        """The day's figures count from a NAV that is known: the venue agrees, and everything held has a price."""
        standing = self.standing
        standing.is_blind = bool(self.core.unmarked())
        if not standing.is_blind and standing.asking is None and not standing.breaks:
            self.days.begin()
        standing.update()

    def _day_turned(self) -> None:
        if self._flattening is not None and not self._state.killed:
            self._flattening = None  # closed for the loss of a day that is over

    # --- where it stands -----------------------------------------------------------------------------

    @property
    def refusing(self) -> str | None:
        """Why nothing but cancels may go out; None = orders may."""
        return self.standing.refusing

    @property
    def killed(self) -> str | None:
        """By whom and why the latch is shut; None = it is open."""
        return self._state.sentence if self._state.killed else None

    def status(self) -> Status:
        """Where the risk core stands."""
        refusing = self.standing.refusing
        if self._flattening is not None and not self._flattening.is_flat:
            closing = self._flattening.sentence
            refusing = f"{refusing}; {closing}" if refusing else closing
        return status_of(
            self.core, self.name, self.days.now(), killed=self.killed, refusing=refusing,
            venues={self._venue.name: self.standing.down is None},
        )  # fmt: skip

    def report(self) -> Report:
        """What the venue has; not complete where it cannot say."""
        try:
            return self.standing.report()
        except VenueError:
            return Report(self._venue.name, (), {}, 0, False, self.days.now())

    # --- time ----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """What is due: the latch, the day, the venue's word, closing, the day's figures. Some times a second."""
        mono, now = time.monotonic_ns(), self.days.now()
        self.look_at_latch()
        if self.days.turn(now):
            self._day_turned()
        unanswered = self.standing.unanswered
        if unanswered:
            for client_id in [i for i, since in unanswered.items() if mono - since > UNANSWERED_NS]:
                self.hear(Lost(client_id, f"no answer in {UNANSWERED_NS // 10**9} s", now))
        if self.standing.is_due(mono):
            self._look(mono)
        if self._flattening is not None:
            self._flattening.step(mono, now)
        self._tell_refusals(mono)
        if mono - self._saved_ns >= _SAVE_NS:
            self._save(mono)

    def _look(self, mono: int) -> None:
        known = list(self.standing.breaks)
        if self.standing.look(mono):
            if self.standing.breaks and self.standing.breaks != known:
                self._record(self._short_status())
            self._see()

    # --- the record ----------------------------------------------------------------------------------

    def _record(self, *messages: AnyMessage) -> bool:
        """Whether it was recorded; where not, orders are refused until the journal works again."""
        try:
            self._journal.append(*messages)
        except JournalError as error:
            self.standing.failed(str(error))
            return False
        return True

    def _record_refusal(self, ask: Ask, ruled: Ruled) -> None:
        if self._refusals.is_full(time.monotonic_ns(), ruled):
            self._record(ask, ruled)

    def _tell_refusals(self, mono: int, *, at_once: bool = False) -> None:
        many = self._refusals.due(mono, at_once=at_once)
        if many is not None and self._record(many):
            self._refusals.told()

    def _save(self, mono: int) -> None:
        """The day's figures, where they moved; and whether a journal that failed works again."""
        self._saved_ns = mono
        had_failed = self.standing.fault is not None
        if (had_failed or self.days.moved()) and self._record(self._short_status()):
            self.days.saved()
            if had_failed:
                self.standing.mended()

    def _short_status(self) -> Status:
        """For the journal; of no time while NAV is not known, so that nobody takes its figures for the day's."""
        return status_of(
            self.core, self.name, self.days.now() if self.days.has_begun else 0, killed=self.killed,
            refusing=self.standing.refusing, venues={self._venue.name: self.standing.down is None}, is_short=True,
        )  # fmt: skip

    def close(self) -> None:
        """Write what must not be forgotten; orders stay where they are."""
        self._tell_refusals(time.monotonic_ns(), at_once=True)
        if self.days.has_begun:
            self._record(self._short_status())


def _told(ask: Ask, ruling: Ruling, now: int) -> Ruled:
    limit = ruling.limit if math.isfinite(ruling.limit) else None
    value = ruling.value if math.isfinite(ruling.value) else None
    return Ruled(ask.client_id, int(ruling.answer), int(ruling.rule), ruling.allowed_lots, limit, value, now)


def _with_trouble(status: Status, trouble: str) -> Status:
    refusing = f"{status.refusing}; {trouble}" if status.refusing else trouble
    return msgspec.structs.replace(status, refusing=refusing)
