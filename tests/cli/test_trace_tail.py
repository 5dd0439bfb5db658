"""`cws trace tail` and `cws runs` narrowed: what a user of the loop looks at first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.tail import kinds_of, line
from modules.workspace import Workspace
from tests.cli.conftest import Cws
from tests.supervisor.board.story import finding, write
from tests.traces.samples import ONE_OF_EACH
from traces.events import KINDS, Envelope, FindingRecorded
from traces.ledger import Ledger

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("CWS_HOME", str(tmp_path / "state"))
    found = Workspace.here()
    write(found.ledger, found.checkpoints, 3)
    return found


def test_the_newest_of_a_kind(cws: Cws, place: Workspace) -> None:
    done = cws("trace", "tail", "-n", "2", "--kind", "ablation.*", "--kind", "night.started")
    lines = done.out.splitlines()
    assert done.code == 0 and len(lines) == 2 and "ablation.finished" in lines[1] and "verdict REJECT" in lines[1]
    done = cws("trace", "tail", "-n", "1", "--kind", "finding.recorded", "--json")
    assert Envelope.model_validate_json(done.out).event == finding(
        2, Envelope.model_validate_json(done.out).event.module
    )  # type: ignore[union-attr]


def test_nothing_and_no_such_kind(cws: Cws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CWS_HOME", str(tmp_path / "none"))
    done = cws("trace", "tail")
    assert (done.code, done.out) == (0, "") and "nothing was recorded" in done.err
    done = cws("trace", "tail", "--kind", "ablaton.finished")
    assert done.code == 2 and "ablation.finished" in done.err


def test_every_kind_has_a_line_without_control_characters() -> None:
    for seq, event in enumerate(ONE_OF_EACH):
        said = line(Envelope(seq=seq, ts_ns=1, prev="0" * 64, event=event))
        assert event.kind in said and "\n" not in said and len(said) < 1500
    hostile = finding(1).model_copy(update={"statement": "\x1b[2Jgone\nsecond"})
    said = line(Envelope(seq=0, ts_ns=1, prev="0" * 64, event=hostile))
    assert "\x1b" not in said and "\n" not in said
    assert kinds_of(["*"]) == frozenset(KINDS) and kinds_of(None) is None


def test_the_board(cws: Cws, place: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "a" / "board.html"
    assert cws("board", "--out", str(target)).out.strip() == str(target)
    assert "What pays" in target.read_text()
    figures = cws("board", "--json").json
    assert figures["counts"]["verdicts"] == 3 and figures["acceptance"]["published"] == 0.31
    assert cws("board", "--out", str(tmp_path)).code == 2
    assert cws("board", "--serve", "--json").code == 2
    assert cws("board").out.strip() == str(place.reports / "board.html")


def tell_until(place: Workspace, stop: threading.Event) -> None:
    """A finding every tenth of a second."""
    for number in range(1_000, 2_000):
        if stop.wait(0.1):
            return
        with Ledger(place.ledger, place.checkpoints) as ledger:
            ledger.append(finding(number))


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [("trace", "tail", "-n", "0", "--follow", "--json"), ("board", "--serve", "--port", "0")]
)
def test_following_ends_with_ctrl_c(place: Workspace, command: tuple[str, ...]) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    try:
        assert running.stdout is not None and running.stderr is not None
        if command[0] == "trace":
            # What was there before it looks is not shown, so it is told until it shows something.
            stop = threading.Event()
            telling = threading.Thread(target=tell_until, args=(place, stop))
            telling.start()
            first = running.stdout.readline()
            stop.set()
            telling.join()
            shown = Envelope.model_validate_json(first).event
            assert isinstance(shown, FindingRecorded) and int(shown.finding_id, 16) >= 1_000
        else:
            assert b"http://127.0.0.1:" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=300)
        assert b"Traceback" not in words and running.returncode in (0, 130)
    finally:
        running.kill()


def test_runs_narrowed(cws: Cws, place: Workspace) -> None:
    assert json.loads(cws("runs", "--signal", "nothing like it", "--json").out) == {"runs": []}
    assert "no run is like that" in cws("runs", "--data", "none").err
