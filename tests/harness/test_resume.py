"""A research that is killed (SIGKILL) goes on where it was, and nothing happens twice.

Killed before and after each of its effects: every event, checkpoint, manifest and commit. Then, beside the research
that was never cut off:

1. The resumed one ends with the same result: reading, candidates, screens, choice, metrics, commit.
2. The ledger holds the same events of research, candidates, trials and modules, each once, and verifies.
3. One manifest; the branch has one commit.
4. A look at the data is a trial, even where the crash came between the look and its record.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from modules.manifest import ManifestStore
from tests.harness.planted import CHECKOUT, git, reversal_panel, wide_csv
from traces.events import canonical_json
from traces.reader import read

OWN = ("seconds", "node_seconds", "research_id")
FEW = "0,21,63,73,81"
"""Moments in different nodes; the soak takes all of them."""
WHEN = "2020-01-01T00:00:00Z"
"""Of the checkouts' first commit, so that equal files on it are equal commits."""


def killed(folder: Path, moments: str, timeout: float) -> list[dict[str, Any]]:
    wide_csv(reversal_panel(1_200), folder / "planted.csv")
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.killing", str(folder), moments],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "CWS_THREADS": "1",
            "GIT_AUTHOR_DATE": WHEN,
            "GIT_COMMITTER_DATE": WHEN,
        },
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def said(result: dict[str, Any]) -> dict[str, Any]:
    """The result without the names and times of this one try."""
    run = result["chosen"]["run_id"]
    text = json.dumps({k: v for k, v in result.items() if k not in OWN}, sort_keys=True)
    return dict(json.loads(text.replace(run, "RUN").replace(result["research_id"], "RESEARCH")))


def recorded(home: Path, result: dict[str, Any]) -> Counter[str]:
    """Events of the research, each as one line; those of the runs tell of tries, and may be more."""
    found: Counter[str] = Counter()
    for envelope in read(home / "ledger", home / "checkpoints"):
        if not envelope.event.kind.startswith(("run.", "stage.", "data.", "ledger.")):
            line = canonical_json(envelope.event).replace(result["chosen"]["run_id"], "RUN")
            found[line.replace(result["research_id"], "RESEARCH")] += 1
    return found


def same(lines: list[dict[str, Any]]) -> None:
    whole, *others = lines
    expected, events = said(whole["result"]), recorded(Path(whole["home"]), whole["result"])
    assert set(events.values()) == {1} and sum("trial.recorded" in e for e in events) == 3
    for line in others:
        home, result = Path(line["home"]), line["result"]
        assert said(result) == expected, f"moment {line['moment']}"
        assert recorded(home, result) == events, f"moment {line['moment']}"
        assert [m.run_id for m in ManifestStore(home / "runs")] == [result["chosen"]["run_id"]]
        log = git(Path(line["root"]), "log", "--oneline", f"main..{result['chosen']['branch']}")
        assert len(log.splitlines()) == 1, f"moment {line['moment']}: {log}"


@pytest.mark.slow
def test_killed_in_any_node_it_goes_on(tmp_path: Path) -> None:
    lines = killed(tmp_path, FEW, 1_800.0)
    assert len(lines) == 1 + len(FEW.split(",")), f"there are {lines[0]['of']} moments: choose among them"
    same(lines)


@pytest.mark.soak
def test_killed_at_every_moment_it_goes_on(tmp_path: Path) -> None:
    same(killed(tmp_path, "all", 3_000.0))
