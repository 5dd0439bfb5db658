"""Where a research stands, on disk: found by its id, locked while it is worked on, and never more than a limit.

1. An id names one folder below the home; what is no id names nothing.
2. One process at a time; a research that is worked on is not pruned.
3. What is not ours to read (other code's, cut short, garbage) is refused by name and changes nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.budget import Budget
from harness.checkpoints import ASKED, FILE, ResearchError, find, folder_of, known_ids, opened, prune
from harness.journal import attempts, journal_of
from harness.research import Company, resume
from modules.workspace import Workspace
from tests.harness.planted import CHECKOUT
from traces.events import Event, ModuleWritten, ResearchStarted, RunStarted, StageFinished
from traces.ledger import Ledger


def begun(home: Path, *names: str) -> None:
    for name in names:
        folder_of(home, name).mkdir(parents=True)
        (folder_of(home, name) / ASKED).write_text("{}")


NO_IDS = (
    "",
    "last",
    "research-",
    "../research-1",
    "research-1/..",
    "research-ü",
    "research-" + "1" * 200,
    "run-1",
    "coding",
)


@pytest.mark.parametrize("name", NO_IDS)
def test_1_what_is_no_id_names_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(ResearchError, match="is not the id"):
        folder_of(tmp_path, name)


def test_1_an_id_is_found_by_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(ResearchError, match="no research was begun"):
        find(tmp_path, "last")
    begun(tmp_path, "research-20260101-a", "research-20260101-b", "research-20260102-c")
    assert find(tmp_path, "last") == "research-20260102-c"
    assert find(tmp_path, "20260102") == "research-20260102-c" == find(tmp_path, "research-20260102")
    for asked, said in (("20260101", "fits 2"), ("20270101", "fits none"), ("", "fits none")):
        with pytest.raises(ResearchError, match=said):
            find(tmp_path, asked)


HOLD = """
import sys, time
from pathlib import Path
from harness.checkpoints import opened
with opened(Path(sys.argv[1]), "research-1"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_2_one_process_at_a_time(tmp_path: Path) -> None:
    begun(tmp_path, "research-1", "research-2", "research-3")
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=env, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(ResearchError, match="another process"), opened(tmp_path, "research-1"):
            pass
        prune(tmp_path, keep=1)
        assert known_ids(tmp_path) == ["research-1", "research-3"]
        holder.kill()
    with opened(tmp_path, "research-1"):
        pass
    prune(tmp_path, keep=1)
    assert known_ids(tmp_path) == ["research-3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (FILE, b"SQLite format 3\0" + b"garbage" * 100, "cannot be used"),
        (FILE, b"not a database, by any means" * 40, "cannot be used"),
        (ASKED, b"", "by other code"),
        (ASKED, b"[" * 5_000, "by other code"),
        (ASKED, b'{"research_id": "research-1", "colour": "red"}', "by other code"),
    ],
)
def test_3_what_is_not_ours_is_refused(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    begun(tmp_path, "research-1")
    (folder_of(tmp_path, "research-1") / file).write_bytes(content)
    with pytest.raises(ResearchError, match=said):
        resume("research-1", Company(Workspace(root=CHECKOUT, home=tmp_path), lambda event: None))
    assert (folder_of(tmp_path, "research-1") / file).read_bytes() == content


def started(research_id: str, text: str = "a claim") -> ResearchStarted:
    return ResearchStarted(research_id=research_id, text=text, drafter="offline", seed=0)


def test_the_journal_knows_what_the_ledger_holds_and_no_more(tmp_path: Path) -> None:
    mine = [
        started("research-1"),
        ModuleWritten(research_id="research-1", expr="x", run_id="r", branch="b", commit="c"),
    ]
    with Ledger(tmp_path / "ledger", tmp_path / "checkpoints") as ledger:
        ledger.append(mine[0], started("research-10"), started("research-2", 'a claim on "research-1"'))
    out: list[Event] = []
    journal = journal_of("research-1", None, tmp_path / "ledger", out.append)
    for event in (mine[0], mine[0], mine[1], started("research-2")):
        journal.record(event)
    assert out == [mine[0], mine[1], started("research-2")]  # once is what was there; the second time is new


def run_started(run_id: str) -> RunStarted:
    return RunStarted(
        run_id=run_id, task_digest="t", data="d", data_digest="d", signal=None, start="s", end="e", seed=0, modules={},
        purpose="research",
    )  # fmt: skip


def stage(run_id: str, *, cached: bool) -> StageFinished:
    return StageFinished(
        run_id=run_id, stage="feature", module="m", code_digest="c", settings_digest="s", settings={}, inputs={},
        outputs={}, seconds=1.0, cached=cached, metrics={},
    )  # fmt: skip


def test_attempts_at_a_run_are_counted_and_whether_they_saw_anything_new(tmp_path: Path) -> None:
    assert attempts("run-1", tmp_path / "ledger") == (0, False)
    with Ledger(tmp_path / "ledger", tmp_path / "checkpoints") as ledger:
        ledger.append(run_started("run-1"), stage("run-1", cached=True), run_started("run-10"))
        ledger.append(stage("run-10", cached=False))
        assert attempts("run-1", tmp_path / "ledger") == (1, False)
        ledger.append(run_started("run-1-2"), stage("run-1-2", cached=False))
    assert attempts("run-1", tmp_path / "ledger") == (2, True)


def test_a_budget_survives_its_json() -> None:
    budget = Budget().capped(cost_usd=0.25, rounds=3)
    assert Budget.model_validate_json(budget.model_dump_json()) == budget
