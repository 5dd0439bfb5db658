"""One hypothesis through the whole graph, on simulated bars, in a repository of its own.

1. A drafted result has a branch with a complete module; working tree, index and checked-out branch stay as they were.
2. The same hypothesis gives the same commit; a rewording shares the module; what exists elsewhere is refused.
3. Every look at the data is a trial in the events; nothing after the discovery half is read.
4. A question or a refusal costs no run and writes nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from harness.budget import Budget
from harness.research import research
from harness.result import ResearchResult
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.manifest import ManifestStore
from modules.workspace import Workspace
from skills.lint import faults_of
from skills.registry import load_skill
from tests.harness.planted import git, reversal_panel, small_checkout, wide_csv
from traces.events import Event

TEXT = "Stocks that fell the most last week rebound"


@dataclass
class Lab:
    """A checkout with planted data, and the events that research left."""

    workspace: Workspace
    events: list[Event] = field(default_factory=list)

    def research(self, text: str, **options: object) -> ResearchResult:
        self.events.clear()
        return research(text, workspace=self.workspace, emit=self.events.append, data="planted", **options)  # type: ignore[arg-type]

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events]


def new_lab(folder: Path) -> Lab:
    """A lab in which nothing was researched."""
    workspace = Workspace(root=small_checkout(folder / "checkout"), home=folder / "home")
    add_files(DataStore(workspace.data), "planted", [wide_csv(reversal_panel(1_500), folder / "planted.csv")])
    return Lab(workspace)


def open_lab(folder: Path) -> tuple[Lab, ResearchResult, list[Event]]:
    """A lab in which TEXT was researched before anything else."""
    lab = new_lab(folder)
    result = lab.research(TEXT, k=3)
    return lab, result, list(lab.events)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, ResearchResult, list[Event]]:
    return open_lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def lab(opened: tuple[Lab, ResearchResult, list[Event]]) -> Lab:
    return opened[0]


@pytest.fixture
def first(opened: tuple[Lab, ResearchResult, list[Event]]) -> tuple[ResearchResult, list[Event]]:
    return opened[1], opened[2]


def test_drafts_the_planted_effect(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    result, _ = first
    assert result.status == "drafted"
    assert result.chosen is not None and result.chosen.branch == f"research/{result.chosen.module.replace('_', '-')}"
    assert result.chosen.module.startswith("return_reverts_5_")
    assert len(result.candidates) == 3 and all(c.why for c in result.candidates)
    best = max(result.screens, key=lambda s: s.score)
    assert result.chosen.expr == best.expr
    assert best.t is not None and best.t > 3
    assert {"net_sharpe", "gross_sharpe", "turnover", "max_drawdown"} <= set(result.metrics)
    assert any(s.agrees for s in result.sources)


def test_reads_the_discovery_half_only(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    result, _ = first
    assert result.chosen is not None
    version = DataStore(lab.workspace.data).current("planted")
    manifest = ManifestStore(lab.workspace.runs).load(result.chosen.run_id)
    assert manifest.task.end_ns == version.mining_end_ns < version.lockbox_start_ns
    assert manifest.digest == result.chosen.run_digest


def test_events_tell_the_story_and_count_every_look(first: tuple[ResearchResult, list[Event]]) -> None:
    _, events = first
    kinds: list[str] = [e.kind for e in events]
    order = ["research.started", "candidate.drafted", "candidate.checked", "candidate.screened", "module.written"]
    assert [kinds.index(k) for k in order] == sorted(kinds.index(k) for k in order)
    trials = [e for e in events if e.kind == "trial.recorded"]
    assert [t.family for t in trials] == ["screen"] * 3 + ["backtest"]
    assert all(t.p_value is not None for t in trials[:3])
    assert {e.purpose for e in events if e.kind == "run.started"} == {"research"}


def test_leaves_the_checkout_as_it_was(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    root = lab.workspace.root
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "branch", "--show-current").strip() == "main"
    assert list((lab.workspace.home / "research").glob("research-*/checkpoints.sqlite"))


def test_branch_holds_a_complete_module(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    chosen = first[0].chosen
    assert chosen is not None and chosen.branch is not None
    root, name = lab.workspace.root, chosen.module
    changed = git(root, "diff", "--name-status", f"main...{chosen.branch}").split()
    folder, skill = f"modules/feature/{name}", f"skills/feature-{name.replace('_', '-')}/SKILL.md"
    files = "README.md __init__.py acceptance.py contract.py report.md run.py settings.py settings.yaml spec.yaml"
    assert set(changed[0::2]) == {"A"}
    assert set(changed[1::2]) == {*(f"{folder}/{f}" for f in files.split()), skill}
    spec = yaml.safe_load(git(root, "show", f"{chosen.branch}:{folder}/spec.yaml"))
    assert (spec["claim"], spec["direction"], spec["horizon_bars"]) == (TEXT, "low does better", 5)
    assert (spec["expected"]["sign"], spec["signal"]) == (-1, chosen.expr)
    readme = git(root, "show", f"{chosen.branch}:{folder}/README.md")
    assert len(readme.splitlines()) <= 40 and "A replication, not a new idea: originality 0.00 beside library" in readme
    report = git(root, "show", f"{chosen.branch}:{folder}/report.md")
    assert all(s.expr in report for s in first[0].screens) and chosen.run_digest in report


@pytest.mark.slow
def test_same_hypothesis_gives_the_same_commit(tmp_path: Path) -> None:
    lab, first, _ = open_lab(tmp_path)  # its own: a rewording of another test would add to the branch
    again = lab.research(TEXT, k=3)
    assert again.status == "drafted"
    assert again.chosen is not None and first.chosen is not None
    assert again.chosen.commit == first.chosen.commit
    assert again.screens == first.screens
    assert [e.family for e in lab.events if e.kind == "trial.recorded"] == ["screen"] * 3  # nothing new was backtested


@pytest.mark.slow
def test_rewording_shares_the_module(tmp_path: Path) -> None:
    lab, first, _ = open_lab(tmp_path)  # its own: the rewording adds to the branch
    reworded = lab.research("Last week's losers bounce back", k=1)
    assert reworded.chosen is not None and first.chosen is not None
    assert reworded.chosen.module == first.chosen.module


@pytest.mark.slow
def test_another_claim_may_not_repeat_a_signal(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    del first  # it must have run: its branch is what the claim below repeats
    result = lab.research("Last week's reversal effect", k=1)
    repeated = next(r for r in result.rejected if "research/return-reverts-5-" in r.reason)
    assert result.status == "drafted" and result.rounds == 2  # a second round drafted what is new
    assert result.chosen is not None and result.chosen.expr != repeated.expr
    assert [s.expr for s in result.screens] == [result.chosen.expr]  # what repeats was never looked at


ENDED = [
    ("stocks will do something", "needs_input", ["research.started", "research.needs_input"]),
    ("Stocks with rising earnings outperform", "refused", ["research.started", "research.refused"]),
]


@pytest.mark.parametrize(("text", "status", "kinds"), ENDED, ids=[t for t, _, _ in ENDED])
def test_open_or_refused_texts_run_nothing(lab: Lab, text: str, status: str, kinds: list[str]) -> None:
    branches = git(lab.workspace.root, "branch", "--list")
    result = lab.research(text)
    assert result.status == status
    assert (result.question is not None) == (status == "needs_input")
    assert lab.kinds() == kinds
    assert git(lab.workspace.root, "branch", "--list") == branches


def test_missing_volume_is_refused_before_any_backtest(lab: Lab) -> None:
    result = lab.research("Stocks that fell last week on high volume rebound")
    assert result.status == "refused" and result.reason == "missing_field"
    assert result.message is not None and "us5" in result.message
    assert "trial.recorded" not in lab.kinds()


@pytest.mark.slow
def test_budget_of_time_stops_with_what_there_is(lab: Lab) -> None:
    result = lab.research("stocks that fell most rebound", k=6, budget=Budget(seconds=1e-6))
    assert result.status == "drafted"
    assert len(result.screens) == 1
    assert any("stopped" in note for note in result.notes)


@pytest.mark.slow
def test_evidence_against_is_said(tmp_path: Path) -> None:
    """In a lab of its own: where the opposite was researched before, the same measure is not new."""
    result = new_lab(tmp_path).research("Stocks that fell the most last week keep falling", k=1)
    assert result.status == "drafted", result.message
    assert any("speak against" in note for note in result.notes)


def test_zero_candidates_cannot_be_asked_for(lab: Lab) -> None:
    with pytest.raises(ValueError, match="k is 0"):
        lab.research(TEXT, k=0)


@pytest.mark.slow
def test_without_git_the_result_stays_and_says_so(lab: Lab, tmp_path: Path) -> None:
    bare = tmp_path / "plain"
    (bare / "modules" / "feature").mkdir(parents=True)
    for path in ("pipeline.yaml", "modules/feature/expression"):
        source = lab.workspace.root / path
        (bare / path).symlink_to(source, target_is_directory=source.is_dir())
    result = research(
        TEXT, workspace=Workspace(root=bare, home=lab.workspace.home), emit=lambda e: None, data="planted", k=1
    )
    assert result.status == "drafted" and result.chosen is not None
    assert result.chosen.branch is None
    assert any("not written" in note for note in result.notes)


RUN = """
import sys
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.pipeline import RawSource, execute
from modules.registry import load_module
from modules.task import load_modules, load_pipeline, make_task
from modules.workspace import Workspace
name = sys.argv[1]
workspace = Workspace.here()
spec = load_pipeline(workspace.root / "pipeline.yaml")
spec = spec.model_copy(update={"stages": {**spec.stages, "feature": name}})
store = DataStore(workspace.data)
version = store.current("planted")
task = make_task(spec, version, end=version.mining_end_ns)
modules = load_modules(task, version)
assert modules["feature"].contract.name == name
raw = RawSource(version.digest, lambda: store.raw(version))
manifest = execute(task, modules, raw, ArtifactStore(workspace.artifacts), lambda e: None)
print(manifest.output("signal"))
"""


@pytest.mark.slow
def test_written_module_runs_when_checked_out(
    lab: Lab, first: tuple[ResearchResult, list[Event]], tmp_path: Path
) -> None:
    chosen = first[0].chosen
    assert chosen is not None and chosen.branch is not None
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--branch", chosen.branch, str(lab.workspace.root), str(clone))
    skill = load_skill(clone / "skills" / f"feature-{chosen.module.replace('_', '-')}" / "SKILL.md")
    assert list(faults_of(skill)) == [] and skill.phrases == (TEXT,)
    assert skill.module == f"feature/{chosen.module}"
    env = {**os.environ, "PYTHONPATH": str(clone), "CWS_HOME": str(lab.workspace.home)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, chosen.module], cwd=clone, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    manifest = ManifestStore(lab.workspace.runs).load(chosen.run_id)
    assert done.stdout.strip() == manifest.output("signal")
