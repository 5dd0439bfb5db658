"""A day is on its tape, and made anew from it.

1. What is decided live, with tapes and two days, is the backtest.
2. A day replayed from its tape gives every decision again; one bit of a decision changed is named.
3. A runner cut off anywhere, its tape at any byte or with what a loss of power leaves of it, goes on to the same
   decisions, and nothing is ordered twice.
4. Another programme on the same tape: the differing decisions are those of the recorded account, not of its own.
5. A tape that was changed is refused by name.
"""

from __future__ import annotations

import dataclasses
import math
import random
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from modules.live.messages import Connection, Filled
from modules.live.runner.account import BarClosed
from modules.live.runner.drift import drift
from modules.live.runner.replay import compare, replay
from modules.live.runner.resume import ResumeError, resume, tapes
from modules.live.runner.tape import (
    TICK,
    Kind,
    TapeError,
    TapeWriter,
    durable_bytes,
    is_begun,
    read_messages,
    read_tape,
    read_ticks,
)
from modules.live.runner.taped import Decided, Ended, StageInForce
from tests.modules.live.runner.desk import PlainDesk, live, plain_desk
from tests.modules.live.runner.market import Market, market
from tests.modules.live.runner.test_equal import assert_equal
from tests.traces.test_power_loss import left_over


class Cut(Exception):  # noqa: N818
    """The process ends here."""


def played(folder: Path, found: Market, refuses: int = -1) -> PlainDesk:
    start_ns = found.labels(0)[6]
    desk = plain_desk(found, start_ns, refuses)
    live(found, start_ns, desk, folder).run()
    return desk


def decided(folder: Path) -> list[Decided]:
    return [f.message for p in tapes(folder) for f in read_tape(p) if isinstance(f.message, Decided)]


def as_closed(said: Decided) -> BarClosed:
    return BarClosed(said.ts_ns, said.nav_micros, said.cash_micros, said.decisions, said.cancels, ())


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Market]:
    folder, found = tmp_path_factory.mktemp("tapes"), market(minutes=12)
    played(folder, found)
    return folder, found


def test_live_over_two_days_is_the_backtest(two_days: tuple[Path, Market]) -> None:
    folder, found = two_days
    assert_equal(found, [as_closed(d) for d in decided(folder)], found.labels(0)[6])
    assert [p.stem for p in tapes(folder)] == ["2024-03-04", "2024-03-05"]


def test_each_day_is_made_anew_from_its_tape(two_days: tuple[Path, Market]) -> None:
    folder, _ = two_days
    for path in tapes(folder):
        made = replay(path)
        assert made.differences == []
        assert made.undecided is None
        assert len(made.recorded) == len(made.found) > 5
        assert made.orders > 10
        assert made.edited == ()
        assert made.ended


def test_a_decision_that_differs_by_a_bit_is_named(two_days: tuple[Path, Market]) -> None:
    folder, _ = two_days
    made = replay(tapes(folder)[0])
    bar = next(d for d in made.recorded if d.decisions)
    one = bar.decisions[0]
    for change in (
        {"decisions": (msgspec.structs.replace(one, allowed=one.allowed + 1), *bar.decisions[1:])},
        {"nav_micros": bar.nav_micros + 1},
        {"tickets": bar.tickets[1:]},
        {"decisions": bar.decisions[::-1]},
    ):
        others = [msgspec.structs.replace(d, **change) if d is bar else d for d in made.recorded]
        found = compare(others, made.found)
        assert {d.ts_ns for d in found} == {bar.ts_ns}, change


@pytest.mark.slow
@pytest.mark.parametrize("refused", [-1, 5])
def test_a_runner_cut_off_anywhere_goes_on_to_the_same_decisions(tmp_path: Path, refused: int) -> None:
    found = market(minutes=11)
    start_ns = found.labels(0)[6]
    played(tmp_path / "whole", found, refused)
    whole = decided(tmp_path / "whole")
    rng = np.random.default_rng(3)
    chance = random.Random(3)
    for number in range(6):
        folder, ends = tmp_path / f"cut{number}", int(rng.integers(20, 120))
        desk, said = plain_desk(found, start_ns, refused), 0

        def cut(_: object, ends: int = ends) -> None:
            nonlocal said
            said += 1
            if said == ends:
                raise Cut

        first = live(found, start_ns, desk, folder)
        first.heard.append(cut)
        with pytest.raises(Cut):
            first.run()
        last = tapes(folder)[-1]
        whole_tape = last.read_bytes()
        if number % 2:
            last.write_bytes(left_over(whole_tape[: durable_bytes(last)], whole_tape, chance))
        else:
            last.write_bytes(whole_tape + b"\x07\x00")  # a frame that was cut off
        made = resume(folder, "reversal")
        desk.waiting.clear()  # a new connection hears nothing of before
        live(found, start_ns, desk, folder, made).run()
        assert decided(folder) == whole
        assert all(replay(p).differences == [] for p in tapes(folder))


@pytest.mark.slow
def test_another_programme_is_compared_on_the_recorded_account(two_days: tuple[Path, Market], tmp_path: Path) -> None:
    folder, _ = two_days
    there = tmp_path / "other"
    shutil.copytree(folder, there)
    path = tapes(there)[1]
    frames = list(read_tape(path))
    began = frames[0].message
    assert began is not None
    size = began.stages["size"]  # type: ignore[attr-defined]
    other = StageInForce(size.module, size.settings.replace('"no_trade_band":0.0', '"no_trade_band":0.01'), "other")
    assert other.settings != size.settings
    path.unlink()
    with TapeWriter(path) as tape:
        tape.message(msgspec.structs.replace(began, stages={**began.stages, "size": other}))  # type: ignore[attr-defined]
        for frame in frames[1:]:
            if frame.message is not None:
                tape.message(frame.message)
            elif frame.rows is not None:
                tape.rows(frame.kind, frame.rows)
    made = replay(path)
    assert made.edited == ("size",)
    assert made.differences
    assert {d.ts_ns for d in made.differences} < {d.ts_ns for d in made.recorded}
    navs = [(a.nav_micros, b.nav_micros) for a, b in zip(made.recorded, made.found, strict=True)]
    assert all(ours == theirs for ours, theirs in navs)
    with pytest.raises(ResumeError, match="would be others today"):
        resume(there, "reversal")


def test_words_of_no_day_wait_for_the_first_and_the_last_moment_ends_it_whenever_it_is_said(tmp_path: Path) -> None:
    found = market(days=1, minutes=9)
    start_ns = found.labels(0)[6]
    desk = plain_desk(found, start_ns)
    desk.waiting.append(Connection("sim", True, "up", 1_900_000_000_000_000_000))
    live(found, start_ns, desk, tmp_path).run()
    [path] = tapes(tmp_path)
    assert path.stem == "2024-03-04"
    assert isinstance(list(read_messages(path))[1], Connection)
    desk.waiting.clear()
    live(found, start_ns, desk, tmp_path, resume(tmp_path, "reversal")).run()
    assert replay(path).differences == [] and len(decided(tmp_path)) == 3


def test_a_tape_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    with TapeWriter(path) as tape:
        for number in range(3):
            tape.message(Ended(f"word {number}"))
        tape.ticks(np.zeros(4, dtype=TICK))
    whole = path.read_bytes()
    assert [f.kind for f in read_tape(path)] == [Kind.MESSAGE] * 3 + [Kind.TICKS]
    assert sum(t.size for t in read_ticks(path)) == 4
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at])
        with TapeWriter(path) as tape:
            tape.message(Ended("after"))
        last = list(read_tape(path))[-1].message
        assert last == Ended("after"), at
    path.write_bytes(whole + bytes(100))
    assert len(list(read_tape(path))) == 4
    for at in (0, 9, 20, 30, 33, 40, 48, 70):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(TapeError, match=r"changed|no tape"):
            list(read_tape(path))
    with pytest.raises(TapeError, match="cannot be read"):
        list(read_tape(tmp_path / "none.tape"))


def test_behind_the_last_mark_anything_may_be_left_and_before_it_nothing_was_lost(tmp_path: Path) -> None:
    path, chance = tmp_path / "a.tape", random.Random(1)
    with TapeWriter(path) as tape:
        for number in range(2):
            tape.message(Ended(f"word {number}"))
        tape.sync()
        known = durable_bytes(path)
        for number in range(2, 9):
            tape.message(Ended(f"word {number}"))
        whole = path.read_bytes()
    for _ in range(60):
        path.write_bytes(left_over(whole[:known], whole, chance))
        words = [m.why for m in read_messages(path) if isinstance(m, Ended)]
        assert words == [f"word {n}" for n in range(len(words))] and len(words) >= 2
        with TapeWriter(path) as tape:
            tape.message(Ended("after"))
        assert [m.why for m in read_messages(path) if isinstance(m, Ended)] == [*words, "after"]
    for left in (b"", b"CWSTAPE1", bytes(200), whole[:20]):
        path.write_bytes(left)
        assert not is_begun(path) and tapes(tmp_path) == []
        with TapeWriter(path) as tape:
            tape.message(Ended("anew"))
        assert [m.why for m in read_messages(path) if isinstance(m, Ended)] == ["anew"]


@pytest.mark.slow
def test_what_is_traded_is_its_backtest_in_four_measures(two_days: tuple[Path, Market]) -> None:
    found = drift(two_days[0])
    assert found is not None and found.holds
    assert (found.first, found.last, found.days) == ("2024-03-04", "2024-03-05", 2)
    assert [m.live for m in found.measures] == pytest.approx([m.shadow for m in found.measures], rel=1e-12)
    assert all(math.isfinite(m.live) and m.distance < 1e-9 for m in found.measures)
    fill_rate, slippage = found.measures[2].live, found.measures[3].live
    assert 0.5 < fill_rate < 1.0 and slippage != 0.0


@pytest.mark.slow
def test_a_drift_is_said(two_days: tuple[Path, Market], tmp_path: Path) -> None:
    """Fills at worse prices, and half of the second day's missing."""
    there = tmp_path / "other"
    shutil.copytree(two_days[0], there)
    path = tapes(there)[1]
    frames = list(read_tape(path))
    path.unlink()
    with TapeWriter(path) as tape:
        for number, frame in enumerate(frames):
            message = frame.message
            if isinstance(message, Filled):
                if number % 2:
                    continue
                side = 1 if message.lots > 0 else -1
                message = msgspec.structs.replace(message, price=message.price * (1 + side * 0.002))
            if message is not None:
                tape.message(message)
            elif frame.rows is not None:
                tape.rows(frame.kind, frame.rows)
    found = drift(there)
    assert found is not None and not found.holds
    assert {m.name.split(",")[0] for m in found.measures if not m.holds} >= {"fill rate", "slippage"}


@pytest.mark.slow
def test_the_strategy_of_an_account_stays(two_days: tuple[Path, Market]) -> None:
    with pytest.raises(ResumeError, match="one account trades one"):
        resume(two_days[0], "momentum")
    assert dataclasses.is_dataclass(resume(two_days[0], "reversal"))
