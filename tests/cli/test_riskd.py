"""`cws riskd` and `cws kill`: what starts, what is refused, and a switch that needs nothing to run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from modules.live.messages import Hello
from modules.live.riskd.client import RiskClient
from modules.live.riskd.latch import Latch
from modules.live.venues.sim.server import SimExchange
from modules.workspace import Workspace
from tests.cli.conftest import Cws
from tests.modules.live.venues.byhand import ByHand

SOURCE = Path(__file__).resolve().parents[2]
HUMAN = "Ada <ada@example.org>"


def account(changed: dict[str, object] | None = None, *, port: int = 9) -> Path:
    folder = Workspace.here().home / "live" / "demo"
    folder.mkdir(parents=True)
    values = {
        "account": "demo",
        "mode": "paper",
        "venue": {"name": "sim", "options": {"port": port}},
        "instruments": [{"symbol": s, "sector": "tech"} for s in ByHand.symbols],
    }
    (folder / "riskd.yaml").write_text(yaml.safe_dump(values | (changed or {})))
    return folder


def test_no_account(cws: Cws) -> None:
    said = cws("riskd", "--check")
    assert said.code == 2 and "there are: none" in said.err
    account()
    said = cws("kill", "--account", "other", "--by", "ops", "--reason", "why")
    assert said.code == 2 and "there are: demo" in said.err


def test_what_is_asserted_before_a_venue(cws: Cws) -> None:
    account()
    found = cws("riskd", "--check", "--json").json
    assert (found["account"], found["mode"], found["venue"], found["killed"]) == ("demo", "paper", "sim", None)
    assert len(found["build"].split("+")[0]) == 40 and len(found["limits"]) == 64
    said = cws("riskd", "--live")
    assert said.code == 3 and "PAPER, and --live was given" in said.err


REFUSED: list[tuple[dict[str, object], tuple[str, ...], int, str]] = [
    ({"limits": {"max_daily_loss": 0.06}}, (), 3, "may only tighten"),
    ({"account": "other"}, (), 2, "give both the same name"),
    ({"mode": "live"}, (), 3, "LIVE and --live was not given"),
    ({"venue": {"name": "alpaca"}}, (), 3, "is not in limits.yaml"),
    ({"instruments": []}, (), 2, "instruments"),
]


@pytest.mark.parametrize(("changed", "argv", "code", "said"), REFUSED, ids=[r[3] for r in REFUSED])
def test_what_does_not_start(changed: dict[str, object], argv: tuple[str, ...], code: int, said: str, cws: Cws) -> None:
    account(changed)
    done = cws("riskd", *argv)
    assert (done.code, said in done.err) == (code, True), done.err


def test_a_switch_that_needs_nothing(cws: Cws) -> None:
    folder = account()
    done = cws("kill", "--by", "ops", "--reason", "enough", "--flatten", "--wait", "0", "--json")
    assert done.code == 1
    assert (done.json["latched"], done.json["clear"], done.json["by_riskd"]) == (True, False, False)
    assert any("cannot be reached" in t for t in done.json["trouble"])
    assert Latch(folder).read().sentence == "ops: enough (flatten)"
    assert cws("riskd", "--check", "--json").json["killed"] == "ops: enough (flatten)"
    for robot in ("ops", "cws <engine@cws.invalid>", "dependabot[bot] <b@example.org>"):
        refused = cws("kill", "--reset", "--by", robot, "--reason", "why")
        assert refused.code != 0 and Latch(folder).read().killed, robot
    assert cws("kill", "--reset", "--by", HUMAN, "--reason", " ").code == 2
    assert cws("kill", "--reset", "--flatten", "--by", HUMAN, "--reason", "why").code == 2
    assert cws("kill", "--reset", "--by", HUMAN, "--reason", "looked at it").code == 0
    assert not Latch(folder).read().killed


@contextmanager
def riskd() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cli.main", "riskd", "--json"]
    with subprocess.Popen(
        command, cwd=SOURCE, env=os.environ | {"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line and json.loads(line)["ready"], process.stderr.read()
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_against_an_exchange(cws: Cws) -> None:
    exchange = SimExchange(ByHand(), "demo").start()
    try:
        folder = account(port=exchange.address[1])
        viewer = Hello("viewer", "paper", "", "demo")
        with riskd() as process:
            client = RiskClient.connect(folder / "riskd.sock", viewer, 5.0)
            assert client.status().killed is None
            done = cws("kill", "--by", "ops", "--reason", "enough", "--json")
            assert (done.code, done.json["by_riskd"], done.json["clear"]) == (0, True, True)
            assert client.status().killed == "ops: enough"
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20.0) == 0
        with riskd() as process:
            process.send_signal(signal.SIGSTOP)
            refused = cws("kill", "--reset", "--by", HUMAN, "--reason", "why")
            assert refused.code == 1 and "does not answer" in refused.err
            done = cws("kill", "--by", "ops", "--reason", "again", "--json")
            assert (done.code, done.json["ended_process"], done.json["clear"]) == (0, process.pid, True)
        assert cws("kill", "--reset", "--by", HUMAN, "--reason", "looked at it").code == 0
    finally:
        exchange.close()
