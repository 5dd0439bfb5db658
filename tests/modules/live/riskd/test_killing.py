"""The kill switch from outside: with the risk core running, dead, hanging, broken; latched until a human opens it.

1. Whatever runs: latched, durably; nothing open is left; flat where asked; and what was done is told.
2. Latched over restarts; a reset opens it, with a risk core and without one.
3. Trouble is told, never swallowed, and never keeps the rest from being done.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.live.journal.file import read_journal
from modules.live.journal.port import JournalError
from modules.live.messages import Kill
from modules.live.risk.rules import Rule
from modules.live.riskd.config import JOURNAL, RiskdConfig
from modules.live.riskd.killing import Killed, ResetError, kill, reset
from modules.live.riskd.latch import Latch
from modules.live.riskd.start import StartError, account_lock
from modules.live.venues.port import Venue, VenueError
from tests.modules.live.riskd.child import RecordingVenue
from tests.modules.live.riskd.house import client, core, drain, folder, order, process, resting, server


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as made:
        yield made


def open_venue(_config: RiskdConfig, place: Path) -> Venue:
    return RecordingVenue(place)


def end(place: Path, *, flatten: bool = True, wait_s: float = 10.0) -> Killed:
    return kill(place, "ops", "enough", flatten=flatten, open_venue=open_venue, wait_s=wait_s)


def held(place: Path) -> tuple[dict[str, int], list[str]]:
    report = RecordingVenue(place).report()
    return (
        {s: lots for s, lots in report.positions.items() if lots},
        [o.client_id for o in report.orders if o.ended is None],
    )


def trade(place: Path) -> None:
    """Leave a long, a short and a resting order, and no risk core."""
    with core(place) as (rulings, inbox):
        for ask in (order(100), order(-40, "BBB"), resting()):
            assert rulings.ask(ask).allowed
        drain(rulings, inbox)


def test_1_with_everything_dead(place: Path) -> None:
    trade(place)
    done = end(place)
    assert (done.latched, done.by_riskd, done.clear, done.positions, done.open_orders) == (True, False, True, {}, ())
    assert held(place) == ({}, [])
    assert any(isinstance(e.message, Kill) for e in read_journal(place / JOURNAL))
    with core(place) as (rulings, _):
        assert rulings.killed == "ops: enough (flatten)"
        assert Rule(rulings.ask(order()).rule) is Rule.KILLED
        assert rulings.core.positions == {}


def test_1_cancelled_and_not_closed(place: Path) -> None:
    trade(place)
    done = end(place, flatten=False)
    assert (done.clear, done.positions) == (True, {"AAA": 100, "BBB": -40})
    assert held(place) == ({"AAA": 100, "BBB": -40}, [])


def test_1_through_a_risk_core(place: Path) -> None:
    trade(place)
    with server(place):
        done = end(place)
        assert (done.latched, done.by_riskd, done.clear, done.ended) == (True, True, True, None)
        assert held(place) == ({}, [])


@pytest.mark.slow
def test_1_a_risk_core_that_hangs_is_ended(place: Path) -> None:
    trade(place)
    with process(place) as child:
        os.kill(child.pid, signal.SIGSTOP)
        done = end(place)
        assert (done.latched, done.by_riskd, done.clear, done.ended) == (True, False, True, child.pid)
        assert child.wait(10.0) == -signal.SIGKILL
    assert held(place) == ({}, [])


@pytest.mark.slow
def test_2_over_a_restart(place: Path) -> None:
    end(place)
    with process(place), client(place) as one:
        assert one.status().killed == "ops: enough (flatten)"
        assert Rule(one.ask(order()).rule) is Rule.KILLED
        status = reset(place, "Ada <ada@example.org>", "looked")
        assert status is not None and status.killed is None
        assert one.ask(order()).allowed == 10


def test_2_opened_without_a_risk_core(place: Path) -> None:
    end(place)
    assert reset(place, "Ada <ada@example.org>", "looked") is None
    assert not Latch(place).read().killed
    with core(place) as (rulings, _):
        assert rulings.ask(order()).allowed == 10


def test_2_not_opened_beside_one_that_hangs(place: Path) -> None:
    end(place)
    read, write = os.pipe()
    holder = os.fork()
    if holder == 0:  # holds the account, and answers nothing
        try:
            with account_lock(place):
                os.write(write, b"!")
                signal.pause()
        finally:
            os._exit(0)
    try:
        assert os.read(read, 1) == b"!"
        with pytest.raises(StartError, match=f"process {holder}"), account_lock(place):
            pass
        with pytest.raises(ResetError, match=f"process {holder} holds"):
            reset(place, "Ada <ada@example.org>", "looked")
        assert Latch(place).read().killed
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        os.close(read)
        os.close(write)


def test_3_the_venue_cannot_be_reached(place: Path) -> None:
    def nobody(_config: RiskdConfig, _place: Path) -> Venue:
        raise VenueError("nobody there; try again")

    done = kill(place, "ops", "enough", flatten=True, open_venue=nobody, wait_s=0.1)
    assert (done.latched, done.clear) == (True, False)
    assert any("nobody there" in t for t in done.trouble)


def test_3_the_account_file_is_garbage(place: Path) -> None:
    (place / "riskd.yaml").write_text("{")
    done = end(place, wait_s=0.1)
    assert (done.latched, done.clear) == (True, False)
    assert any("not YAML" in t for t in done.trouble)


def test_3_the_journal_is_garbage(place: Path) -> None:
    trade(place)
    log = next((place / "riskd" / "journal").glob("*.jsonl"))
    log.write_bytes(b"garbage\n" + log.read_bytes()[8:])
    with pytest.raises(JournalError), core(place):
        pass  # nothing trades on a record that cannot be read
    (place / "riskd" / "journal" / "checkpoint" / "ledger.pub").unlink()
    done = end(place)
    assert (done.latched, done.clear) == (True, True)
    assert held(place) == ({}, [])
    assert any("not recorded" in t for t in done.trouble), done.trouble
