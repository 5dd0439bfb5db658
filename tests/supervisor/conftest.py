"""A workspace of its own for each test: real ledger, real git, no configuration of this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from supervisor.mined import InForce, Mined
from traces.events import CandidateChecked, CandidateDrafted, Event, RunStarted, StageFinished
from traces.ledger import Ledger

DAY_NS = 86_400_000_000_000
MINING_END_NS = 12_000 * DAY_NS  # 2002-11-09
DATA = "d" * 64
SIZE = "size/rank_neutral"
CLEAN = "clean/quality"
NOW = InForce("settings-now", "code-now")


def git(root: Path, *args: str) -> str:
    """Run git as a test's human would."""
    return subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in [n for n in os.environ if n.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@dataclass
class Traces:
    """Writes runs as the pipeline would, with chosen metrics, into a real ledger."""

    folder: Path
    runs: int = 0
    events: list[Event] = field(default_factory=list)

    def run(self, metrics: Mapping[str, Mapping[str, float]], **changes: object) -> str:
        """One run; `metrics` per stage. Changes: task, end, purpose, data_digest, settings, code, cached, inputs."""
        run_id = f"run-{self.runs:03d}"
        self.runs += 1
        self.events.append(
            RunStarted(
                run_id=run_id,
                task_digest=str(changes.get("task", f"task-{run_id}")),
                data="us20",
                data_digest=str(changes.get("data_digest", DATA)),
                signal="rank(close)",
                start="1990-01-02",
                end=str(changes.get("end", "2002-11-09")),
                seed=0,
                modules={"size": "rank_neutral"},
                purpose=changes.get("purpose", "run"),  # type: ignore[arg-type]
            )
        )
        names = {"size": "rank_neutral", "clean": "quality", "feature": "expression", "execute": "next_bar"}
        for stage in ("clean", "feature", "size", "execute"):
            self.events.append(
                StageFinished(
                    run_id=run_id,
                    stage=stage,
                    module=names[stage],
                    code_digest=str(changes.get("code", NOW.code_digest)),
                    settings_digest=str(changes.get("settings", NOW.settings_digest)),
                    settings={},
                    inputs={"bars": str(changes.get("inputs", run_id))},
                    outputs={},
                    seconds=float(changes.get("seconds", 1.0)),  # type: ignore[arg-type]
                    cached=bool(changes.get("cached", False)),
                    metrics=metrics.get(stage, {}),
                )
            )
        return run_id

    def draft(self, research_id: str, expr: str, skill: str, reason: str) -> None:
        """A candidate and its check; reason "" = passed."""
        self.events.append(CandidateDrafted(research_id=research_id, expr=expr, skill=skill, why=""))
        checked = CandidateChecked(research_id=research_id, expr=expr, passed=not reason, reason=reason)
        self.events.append(checked)

    def mined(self) -> Mined:
        """What may be mined of all that was written."""
        with Ledger(self.folder / "ledger", self.folder / "checkpoints") as ledger:
            ledger.append(*self.events)
        self.events.clear()
        return Mined(self.folder / "ledger", {DATA: MINING_END_NS}, {SIZE: NOW, CLEAN: NOW})


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    """An empty ledger."""
    return Traces(tmp_path)
