"""The risk core as a process: ended, stopped, restarted in the middle. What left is what was recorded, and no more.

1. Killed (-9) at any moment: every order at the venue is in the journal; a restart knows each, and sends none again.
2. Stopped past the deadline: whoever asked hears of it in time, and the order that waited never leaves.
3. A venue that keeps it waiting: the answer is late, the order may be out, and it is one order.
4. A second one for the same account does not start.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from modules.live.journal.file import read_journal
from modules.live.messages import Ask, Ruled
from modules.live.risk.rules import Rule
from modules.live.riskd.client import RiskClient, RiskSilentError, RiskUnavailableError
from modules.live.riskd.config import JOURNAL, SOCKET
from tests.modules.live.riskd.house import DESK, PATIENCE_S, START_S, VIEWER, client, folder, order, process, resting

pytestmark = pytest.mark.slow


def sent(place: Path) -> list[str]:
    told = [json.loads(line) for line in (place / "venue.jsonl").read_text().splitlines()]
    return [t["id"] for t in told if "id" in t]


def recorded(place: Path) -> dict[str, int]:
    return {
        e.message.client_id: e.message.allowed for e in read_journal(place / JOURNAL) if isinstance(e.message, Ruled)
    }


def ready(place: Path, one: RiskClient) -> None:
    deadline = time.monotonic() + START_S
    while one.status().refusing is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_some(times: int, seed: int) -> None:
    rng = random.Random(seed)
    answered: dict[str, int] = {}
    asked: dict[str, Ask] = {}
    with folder() as place:
        for _ in range(times):
            with process(place) as child:
                one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
                ready(place, one)
                for known in list(asked.values())[-5:]:
                    if known.client_id in sent(place):
                        again = one.ask(known)
                        assert (again.allowed, Rule(again.rule)) == (0, Rule.DUPLICATE)
                threading.Timer(rng.uniform(0.0, 0.05), child.kill).start()
                try:
                    while True:
                        ask = order(rng.choice([-3, 5]), rng.choice(["AAA", "BBB"]))
                        asked[ask.client_id] = ask
                        answered[ask.client_id] = one.ask(ask).allowed
                        one.news(0.0)
                        time.sleep(0.002)
                except (RiskSilentError, RiskUnavailableError):
                    pass
                child.wait(PATIENCE_S)
                one.close()
            at_venue, known_here = sent(place), recorded(place)
            assert len(at_venue) == len(set(at_venue))
            assert set(at_venue) <= set(known_here)
            assert {i for i, lots in answered.items() if lots} <= set(at_venue)
        with process(place), client(place) as one:
            ready(place, one)
            report, status = one.report(), one.status()
            held = {p.symbol: p.lots for p in status.positions if p.lots}
            assert held == {s: n for s, n in report.positions.items() if n}
            assert status.cash_micros == report.cash_micros
            assert status.open_orders == ()


def test_1_killed_at_any_moment() -> None:
    kill_some(5, seed=7)


@pytest.mark.soak
def test_1_killed_many_times() -> None:
    kill_some(200, seed=8)


def test_2_stopped_and_going_on() -> None:
    with folder(deadline_ms=150) as place, process(place) as child:
        one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
        ready(place, one)
        os.kill(child.pid, signal.SIGSTOP)
        asked = order()
        with pytest.raises(RiskSilentError, match="may be out"):
            one.ask(asked)
        with pytest.raises(RiskUnavailableError):
            one.ask(order())
        os.kill(child.pid, signal.SIGCONT)
        with client(place) as again:
            ready(place, again)
            assert sent(place) == []
            assert again.report().positions == {}
        deadline = time.monotonic() + PATIENCE_S
        while not goes_out(place):
            assert time.monotonic() < deadline
        assert asked.client_id not in sent(place)
        assert recorded(place).get(asked.client_id, 0) == 0


def goes_out(place: Path) -> bool:
    """Whether another order is approved, where the deadline is one that a loaded machine may miss."""
    with client(place) as one:
        ready(place, one)
        try:
            return one.ask(order()).allowed == 10
        except RiskSilentError:
            return False


def test_2_ended_while_an_order_waits() -> None:
    with folder(deadline_ms=500) as place, process(place) as child:
        one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
        ready(place, one)
        os.kill(child.pid, signal.SIGSTOP)
        mine = os.dup(one.fileno())

        def kill_once_it_waits() -> None:
            while not unread(mine):
                time.sleep(0.001)
            child.kill()

        killer = threading.Thread(target=kill_once_it_waits)
        killer.start()
        with pytest.raises(RiskSilentError):
            one.ask(order())
        killer.join(PATIENCE_S)
        os.close(mine)
        assert sent(place) == []


def unread(connection: int) -> int:
    """Bytes that were sent to the risk core and that it has not read."""
    count = array.array("i", [0])
    fcntl.ioctl(connection, termios.TIOCOUTQ, count)
    return count[0]


def test_3_a_slow_venue() -> None:
    with folder(deadline_ms=200) as place, process(place, "slow"):
        one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
        ready(place, one)
        asked = resting()
        with pytest.raises(RiskSilentError):
            one.ask(asked)
        with client(place) as again:
            ready(place, again)
            assert [o.client_id for o in again.report().orders] == [asked.client_id]
            assert again.status().open_orders == (asked.client_id,)
        assert sent(place) == [asked.client_id]


def test_4_one_process_an_account() -> None:
    with folder() as place, process(place) as child:
        second = subprocess.run(
            [sys.executable, "-m", "tests.modules.live.riskd.child", str(place), "plain"],
            capture_output=True, text=True, timeout=START_S, check=False,
        )  # fmt: skip
        assert second.returncode != 0
        assert f"runs as process {child.pid}" in second.stderr
        with client(place, VIEWER) as one:
            assert one.status().account == "demo"


def test_ended_by_its_signal() -> None:
    with folder() as place, process(place) as child:
        with client(place) as one:
            ready(place, one)
            one.ask(resting())
            child.terminate()
            assert child.wait(PATIENCE_S) == 0
        assert not (place / SOCKET).exists()
        assert len(sent(place)) == 1  # what rests is left there
