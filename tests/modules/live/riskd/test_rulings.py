"""What is done with what is asked: recorded before it is sent, cancel-only where it is not known where we stand.

1. Nothing goes to the venue that is not in the journal before; where the journal fails, nothing goes.
2. Before the venue agreed, while a break stands, while it is down or the journal fails: CANCEL_ONLY; cancels go out.
3. An order asked longer ago than the deadline does not go out.
4. A restart knows what went out, what was filled, which ids passed, the day's worst figures, and the latch.
5. A day's loss closes the account by itself.
6. Killed: everything is cancelled, closed where asked, and nothing opens the latch but a reset.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.journal.port import JournalError
from modules.live.messages import (
    AnyMessage,
    Ask,
    Cancel,
    CancelRefused,
    Connection,
    Filled,
    Kill,
    Lost,
    Marked,
    OpenAtVenue,
    RefusedByVenue,
    Report,
    Reset,
    Ruled,
)
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd import rulings as module
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.rulings import Rulings
from modules.live.venues.port import VenueError
from tests.modules.live.riskd.child import BrokenVenue, DownVenue, RecordingVenue
from tests.modules.live.riskd.house import core, drain, folder, order, remove, resting

HUMAN = Reset("Ada <ada@example.org>", "looked at it")


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as made:
        yield made


def at_venue(place: Path) -> list[str]:
    path = place / "venue.jsonl"
    return [line for line in path.read_text().splitlines() if '"id"' in line] if path.exists() else []


def settle(rulings: Rulings, inbox: Inbox, steps: int = 5) -> None:
    """Let what is due happen, without waiting for the clock."""
    for _ in range(steps):
        rulings.standing.look_ns = 0
        rulings.tick()
        drain(rulings, inbox)


def said(ruled: Ruled) -> tuple[Answer, Rule, int]:
    return Answer(ruled.answer), Rule(ruled.rule), ruled.allowed


def test_1_recorded_before_it_is_sent(place: Path) -> None:
    class Watching(RecordingVenue):
        def submit(self, ask: Ask, lots: int) -> None:
            entries = [e.message for e in made[0]._journal.read()]
            assert ask in entries
            assert any(isinstance(m, Ruled) and m.client_id == ask.client_id and m.allowed == lots for m in entries)
            seen.append(ask.client_id)
            super().submit(ask, lots)

    made: list[Rulings] = []
    seen: list[str] = []
    with core(place, Watching(place)) as (rulings, inbox):
        made.append(rulings)
        assert said(rulings.ask(order())) == (Answer.APPROVE, Rule.WITHIN_LIMITS, 10)
        assert said(rulings.ask(order(venue="ib"))) == (Answer.REJECT, Rule.VENUE, 0)
        drain(rulings, inbox)
        assert rulings.core.positions == {"AAA": 10}
    assert len(seen) == len(at_venue(place)) == 1


def test_1_a_journal_that_fails(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with core(place) as (rulings, inbox):

        def full(*_: AnyMessage) -> int:
            raise JournalError("no space left")

        monkeypatch.setattr(rulings._journal, "append", full)
        asked = order()
        assert said(rulings.ask(asked)) == (Answer.REJECT, Rule.CANCEL_ONLY, 0)
        assert not rulings.core.open_orders
        assert rulings.refusing is not None and "no space left" in rulings.refusing
        rulings.cancel(Cancel("whatever"))
        monkeypatch.undo()  # there is space again
        rulings._saved_ns = 0
        rulings.tick()
        settle(rulings, inbox)
        assert rulings.refusing is None
        assert said(rulings.ask(asked))[0] is Answer.APPROVE  # the same id: it never went out
    assert len(at_venue(place)) == 1


def test_2_not_one_byte_left(place: Path) -> None:
    with core(place, DownVenue(place)) as (rulings, inbox):
        asked = order()
        heard: list[object] = []
        rulings.say = heard.append
        assert rulings.ask(asked).allowed == 10
        assert isinstance(heard[0], RefusedByVenue) and "not sent" in heard[0].reason
        assert not rulings.core.open_orders
        rulings.cancel(Cancel("c"))
        drain(rulings, inbox)


def test_2_an_adapter_that_breaks_leaves_the_order_unknown(place: Path) -> None:
    with core(place, BrokenVenue(place)) as (rulings, inbox):
        asked = resting()
        heard: list[object] = []
        rulings.say = heard.append
        rulings.ask(asked)
        assert isinstance(heard[0], Lost)
        assert list(rulings.core.open_orders) == [asked.client_id]
        assert said(rulings.ask(order()))[1] is Rule.CANCEL_ONLY  # until the venue said what became of it
        drain(rulings, inbox)
        settle(rulings, inbox)
        assert rulings.refusing is None
        assert list(rulings.core.open_orders) == [asked.client_id]


class Telling(RecordingVenue):
    """Says what a test wants it to have."""

    complete = True
    positions: dict[str, int] | None = None
    fails = False

    def report(self) -> Report:
        if self.fails:
            raise VenueError("nobody answers; ask again")
        told = super().report()
        positions = told.positions if self.positions is None else self.positions
        return Report(told.venue, told.orders, positions, told.cash_micros, self.complete, told.ts_ns)


def test_2_a_venue_that_cannot_say(place: Path) -> None:
    venue = Telling(place)
    venue.fails = True
    with core(place, venue) as (rulings, inbox):
        assert said(rulings.ask(order())) == (Answer.REJECT, Rule.CANCEL_ONLY, 0)
        settle(rulings, inbox)
        assert "nobody answers" in str(rulings.refusing)
        venue.fails, venue.complete = False, False
        settle(rulings, inbox)
        assert said(rulings.ask(order()))[1] is Rule.CANCEL_ONLY
        venue.complete = True
        settle(rulings, inbox)
        assert said(rulings.ask(order()))[0] is Answer.APPROVE
    assert len(at_venue(place)) == 1


def test_2_a_break_stands_until_a_human_accepts_it(place: Path) -> None:
    venue = Telling(place)
    venue.positions = {"AAA": 7}
    with core(place, venue) as (rulings, inbox):
        settle(rulings, inbox)
        assert "position AAA: here 0 lots, at the venue 7" in str(rulings.status().refusing)
        assert said(rulings.ask(order()))[1] is Rule.CANCEL_ONLY
        status = rulings.reset(HUMAN)
        assert (status.refusing, status.killed) == (None, None)
        assert rulings.core.positions == {"AAA": 7}
    venue = Telling(place)
    venue.positions = {"AAA": 7}
    with core(place, venue) as (rulings, inbox):
        assert rulings.refusing is None  # what was accepted is remembered


def test_2_a_break_goes_when_both_agree(place: Path) -> None:
    venue = Telling(place)
    venue.positions = {"AAA": 7}
    with core(place, venue) as (rulings, inbox):
        settle(rulings, inbox)
        assert "position AAA" in str(rulings.refusing)
        venue.positions = None
        rulings.tick()
        assert "position AAA" in str(rulings.refusing)  # not asked all the time
        settle(rulings, inbox)
        assert rulings.core.day.first_micros == rulings.core.nav_micros == 10**12  # no day begins with a NAV of nobody
        assert said(rulings.ask(order()))[0] is Answer.APPROVE


def test_2_the_connection_goes_and_comes(place: Path) -> None:
    with core(place) as (rulings, inbox):
        rulings.hear(Connection("sim", False, "reset by peer", time.time_ns()))
        assert "no connection to sim: reset by peer" in str(rulings.refusing)
        assert said(rulings.ask(order()))[1] is Rule.CANCEL_ONLY
        settle(rulings, inbox)
        assert rulings.refusing is not None
        rulings.hear(Connection("sim", True, "", time.time_ns()))
        assert rulings.refusing is not None  # it was not asked yet
        settle(rulings, inbox)
        assert said(rulings.ask(order()))[0] is Answer.APPROVE


def test_2_a_stranger_trades(place: Path) -> None:
    with core(place) as (rulings, inbox):
        rulings.hear(Filled("zzz", "x", "AAA", 5, 100.0, 500_000_000, 0, time.time_ns()))
        assert said(rulings.ask(order()))[1] is Rule.CANCEL_ONLY
        settle(rulings, inbox)
        assert "position AAA: here 5 lots, at the venue 0" in str(rulings.refusing)


def test_2_no_price_of_what_is_held(place: Path) -> None:
    class Quiet(RecordingVenue):
        def open(self, hear: object) -> None:
            self._hear = hear  # type: ignore[assignment]

    with core(place) as (rulings, inbox):
        rulings.ask(order())
        drain(rulings, inbox)
    with core(place, Quiet(place)) as (rulings, inbox):
        assert "no price yet of AAA" in str(rulings.refusing)
        rulings.hear(Marked("AAA", 100.0, time.time_ns()))
        assert rulings.refusing is None
        assert rulings.status().day_loss == 0.0


@pytest.mark.parametrize("late_ms", [-5_000, 1_500, 10**9])
def test_3_too_late(place: Path, late_ms: int) -> None:
    with core(place) as (rulings, _):
        ask = order(sent_ns=time.time_ns() - late_ms * 10**6)
        assert said(rulings.ask(ask)) == (Answer.REJECT, Rule.DEADLINE, 0)
    assert not at_venue(place)


def test_3_an_order_without_an_answer_is_lost(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(RecordingVenue):
        def submit(self, ask: Ask, lots: int) -> None:
            pass

    monkeypatch.setattr(module, "UNANSWERED_NS", 0)
    with core(place, Mute(place)) as (rulings, inbox):
        asked = order()
        heard: list[object] = []
        rulings.say = heard.append
        rulings.ask(asked)
        assert not rulings.report().complete  # it may be on its way: no basis for anything
        time.sleep(0.001)
        rulings.tick()
        assert isinstance(heard[0], Lost)
        assert rulings.report().complete
        settle(rulings, inbox)
        assert rulings.refusing is None
        assert not rulings.core.open_orders  # the venue, asked often enough, has no such order
        assert said(rulings.ask(asked))[1] is Rule.DUPLICATE


def test_4_a_restart(place: Path) -> None:
    with core(place) as (rulings, inbox):
        filled, rests = order(), resting()
        rulings.ask(filled)
        rulings.ask(rests)
        drain(rulings, inbox)
        now = time.time_ns()
        rulings.hear(Marked("AAA", 60.0, now))
        rulings.hear(Marked("AAA", 100.0, now + 1))
        before = rulings.status()
        assert before.day_loss == pytest.approx(10 * 40 / 1_000_000)
    with core(place) as (rulings, inbox):
        assert rulings.refusing is None
        after = rulings.status()
        assert after.open_orders == before.open_orders == (rests.client_id,)
        assert [(p.symbol, p.lots, p.open_buy) for p in after.positions] == [("AAA", 10, 10), ("BBB", 0, 0)]
        assert (after.day_loss, after.day_nav_micros) == (before.day_loss, before.day_nav_micros)
        assert rulings.core.strategies_worth() == {"alpha": 20 * 100 * 10**6}
        assert said(rulings.ask(filled))[1] is Rule.DUPLICATE
        assert said(rulings.ask(rests))[1] is Rule.DUPLICATE


def test_4_recorded_and_never_sent(place: Path) -> None:
    """The process died between the record and the sending."""

    class Dying(RecordingVenue):
        def submit(self, ask: Ask, lots: int) -> None:
            raise SystemExit

    with pytest.raises(SystemExit), core(place, Dying(place)) as (rulings, _):
        rulings.ask(order(5))
    with core(place) as (rulings, inbox):
        assert len(rulings.core.open_orders) == 1
        assert "unknown to the venue" in str(rulings.refusing)
        settle(rulings, inbox)
        assert (rulings.refusing, dict(rulings.core.open_orders)) == (None, {})


def test_4_a_lost_journal_is_a_killed_account(place: Path) -> None:
    with core(place) as (rulings, inbox):
        rulings.ask(order())
        drain(rulings, inbox)
    remove(place)
    with core(place) as (rulings, inbox):
        settle(rulings, inbox)
        assert "taken over" in " ".join(rulings.account.remarks)
        assert rulings.core.positions == {"AAA": 10}  # never flat on the books when the venue is not
    (place / "latch.json").unlink()
    with core(place) as (rulings, _):
        assert rulings.killed is not None and "cannot be read" in rulings.killed
        assert said(rulings.ask(order()))[1] is Rule.KILLED


def test_5_a_loss_closes_the_account() -> None:
    with folder(max_daily_loss=0.0005) as place, core(place) as (rulings, inbox):
        rulings.ask(order(100))
        rests = resting()
        rulings.ask(rests)
        drain(rulings, inbox)
        rulings.hear(Marked("AAA", 90.0, time.time_ns()))
        rulings.after_news()
        assert said(rulings.ask(order()))[:2] == (Answer.FLATTEN, Rule.DAILY_LOSS)
        close_all(rulings, inbox)
        assert (rulings.core.positions, dict(rulings.core.open_orders)) == ({}, {})
        assert rulings.killed is None
    # it stays so for the day, whoever restarts
    with folder(max_daily_loss=0.0005) as place:
        with core(place) as (rulings, inbox):
            rulings.ask(order(100))
            drain(rulings, inbox)
            rulings.hear(Marked("AAA", 90.0, time.time_ns()))
        with core(place) as (rulings, inbox):
            assert said(rulings.ask(order()))[:2] == (Answer.FLATTEN, Rule.DAILY_LOSS)


def close_all(rulings: Rulings, inbox: Inbox) -> None:
    closing = rulings._flattening
    assert closing is not None
    for _ in range(20):
        closing._next_ns, closing._asked_ns = 0, closing._asked_ns - 10**9
        rulings.tick()
        drain(rulings, inbox)
        if closing.is_flat:
            return
    raise AssertionError(closing.sentence)


def test_6_killed_and_flat(place: Path) -> None:
    with core(place) as (rulings, inbox):
        rulings.ask(order(100))
        rulings.ask(order(-40, "BBB"))
        rulings.ask(resting())
        drain(rulings, inbox)
        status = rulings.kill(Kill("ops", "enough", flatten=True))
        assert status.killed == "ops: enough (flatten)"
        drain(rulings, inbox)
        assert not rulings.core.open_orders
        close_all(rulings, inbox)
        assert rulings.core.positions == {}
        assert said(rulings.ask(order()))[1] is Rule.KILLED
    with core(place) as (rulings, inbox):
        assert said(rulings.ask(order()))[1] is Rule.KILLED
        rulings.reset(HUMAN)
        assert said(rulings.ask(order()))[0] is Answer.APPROVE


def test_6_the_latch_is_looked_at_before_each_order(place: Path) -> None:
    with core(place) as (rulings, inbox):
        rulings.ask(resting())
        drain(rulings, inbox)
        rulings._latch.__class__(place).kill("ops", "from outside", 1, flatten=False)
        assert said(rulings.ask(order()))[1] is Rule.KILLED
        drain(rulings, inbox)
        assert not rulings.core.open_orders  # what rested was cancelled
    assert len(at_venue(place)) == 1


def test_6_a_latch_that_cannot_be_written_holds_all_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with core(place) as (rulings, _):

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("modules.live.riskd.latch.replace_file", full)
        status = rulings.kill(Kill("ops", "enough"))
        assert status.killed is not None and "holds in this process only" in str(status.refusing)
        assert said(rulings.ask(order()))[1] is Rule.KILLED
        rulings.tick()
        assert said(rulings.ask(order()))[1] is Rule.KILLED


def test_a_cancel_that_cannot_be_sent_is_told(place: Path) -> None:
    class NoCancel(RecordingVenue):
        def cancel(self, client_id: str) -> None:
            raise VenueError("no connection; ask later")

    with core(place, NoCancel(place)) as (rulings, _):
        heard: list[object] = []
        rulings.say = heard.append
        rulings.cancel(Cancel("c1"))
        assert isinstance(heard[0], CancelRefused) and "not sent" in heard[0].reason


def test_a_late_order_at_the_venue_is_found_again(place: Path) -> None:
    """The venue shows an order only after it was believed gone: it is counted again."""

    class Hiding(RecordingVenue):
        hides = True

        def report(self) -> Report:
            told = super().report()
            return Report(told.venue, () if self.hides else told.orders, {}, told.cash_micros, True, told.ts_ns)

    venue = Hiding(place)
    with core(place, venue) as (rulings, inbox):
        asked = resting()
        rulings.ask(asked)
        drain(rulings, inbox)
        rulings.hear(Lost(asked.client_id, "why", time.time_ns()))
        settle(rulings, inbox)
        assert not rulings.core.open_orders
        venue.hides = False
        rulings.hear(Connection("sim", True, "again", time.time_ns()))
        settle(rulings, inbox)
        assert list(rulings.core.open_orders) == [asked.client_id]
        assert isinstance(venue.report().orders[0], OpenAtVenue)


WILD = st.one_of(st.integers(-300, 300), st.integers(-(2**63), 2**64 - 1))
NAMES = st.sampled_from(["", "alpha", "AAA", "BBB", "sim", "b1", "ü", "x" * 300])
ASKS = st.builds(
    Ask,
    st.uuids().map(str),
    NAMES,
    NAMES,
    WILD,
    NAMES,
    st.sampled_from(["paper", "live"]),
    NAMES,
    st.just(0),
    st.sampled_from(["market", "limit", "stop", "stop_limit"]),
    st.sampled_from(["day", "gtc", "ioc", "fok"]),
    st.none() | st.floats() | st.sampled_from([99.0, 100.0, 101.0]),
    st.none() | NAMES,
    st.integers(-1, 2**53 - 1),
)


def test_nothing_that_is_asked_breaks_it(place: Path) -> None:
    with core(place) as (rulings, inbox):

        @settings(max_examples=150, deadline=None)
        @given(ASKS)
        def ask_anything(one: Ask) -> None:
            for ask in (one, msgspec.structs.replace(one, strategy="alpha", venue="sim", mode="paper", build="b1")):
                ruled = rulings.ask(msgspec.structs.replace(ask, sent_ns=time.time_ns()))
                assert abs(ruled.allowed) <= abs(ask.lots)
                drain(rulings, inbox)

        ask_anything()
