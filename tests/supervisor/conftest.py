"""A workspace of its own for each test: real ledger, real git, no configuration of this machine."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ablations.certificate import Certificate, Keys, PowerPoint, gate_digest, save
from ablations.gate import FEWEST_TASKS, decide
from ablations.guards import GuardRule
from ablations.patch import Change, Patch, TextChange
from ablations.record import (
    AblationRecord,
    CertificateReference,
    Runtime,
    SuiteReference,
    TaskRecord,
    identity,
    read_guards,
    seed_of,
    to_json,
    weigh,
)
from ablations.report import write_report
from ablations.series import round_series
from ablations.suite import load_suite
from harness.repository import Repository
from modules.workspace import CHECKOUT, Workspace
from supervisor.case import draw_curve
from supervisor.forge.local import LocalGit
from supervisor.mined import MINED_PURPOSES, InForce, Mined
from supervisor.submit import submit
from traces.events import (
    AblationFinished,
    CandidateChecked,
    CandidateDrafted,
    Event,
    ReviewOpened,
    RunStarted,
    StageFinished,
)
from traces.ledger import Ledger
from traces.reader import read
from traces.tables import Tables

DAY_NS = 86_400_000_000_000
MINING_END_NS = 12_000 * DAY_NS  # 2002-11-09
DATA = "d" * 64
SIZE = "size/rank_neutral"
CLEAN = "clean/quality"
FEATURE = "feature/expression"
EXECUTE = "execute/next_bar"
NOW = InForce("settings-now", "code-now")
NAMES = {
    "clean": "quality",
    "feature": "expression",
    "backtest": "bars",
    "size": "rank_neutral",
    "execute": "next_bar",
}
IN_FORCE = {f"{stage}/{name}": NOW for stage, name in NAMES.items()}
_SHARED: list[Tables] = []


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
    in_force: dict[str, InForce] = field(default_factory=lambda: dict(IN_FORCE))
    skills: frozenset[str] = frozenset()

    def run(self, metrics: Mapping[str, Mapping[str, float]], **changes: object) -> str:
        """One run; `metrics` per stage. Changes: task, end, purpose, data_digest, settings, code, cached, inputs,
        seconds, and `values`: settings per stage."""
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
                modules=NAMES,
                purpose=changes.get("purpose", "run"),  # type: ignore[arg-type]
            )
        )
        values = changes.get("values", {})
        assert isinstance(values, Mapping)
        for stage, name in NAMES.items():
            self.events.append(
                StageFinished(
                    run_id=run_id,
                    stage=stage,
                    module=name,
                    code_digest=str(changes.get("code", NOW.code_digest)),
                    settings_digest=str(changes.get("settings", NOW.settings_digest)),
                    settings=values.get(stage, {}),
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
        return Mined(
            self.folder / "ledger", {DATA: MINING_END_NS}, dict(self.in_force), self.skills, self.shared_tables()
        )

    def shared_tables(self) -> Tables:
        """One connection for all tests of a process: making one takes longer than most questions."""
        if not _SHARED:
            _SHARED.append(Tables(self.folder / "ledger", MINED_PURPOSES))
        _SHARED[0].ledger_dir = self.folder / "ledger"
        return _SHARED[0]


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    """An empty ledger."""
    return Traces(tmp_path)


# --- a desk: a repository with a shipped patch that awaits its human ---------------------------------

ADA = "Ada Byron <ada@example.org>"
SUITE = "broad"
LEVEL = 0.01


@functools.cache
def shipped_record(
    change: Change, *, effect: float = 9e-4, certificate_id: str = "", texts: tuple[tuple[str, TextChange], ...] = ()
) -> AblationRecord:
    """A sound record of `change` to size/rank_neutral's band: invented returns, the real gate."""
    suite = load_suite(SUITE)
    chosen = suite.tasks[:FEWEST_TASKS]
    patch = Patch(module=SIZE, changes={"no_trade_band": change}, texts=dict(texts))
    rng = np.random.Generator(np.random.PCG64(1))
    bars = 800
    ts = np.arange(bars, dtype=np.int64) * DAY_NS
    arms = []
    for _ in chosen:
        before = rng.normal(0.0, 0.01, bars)
        arms.append((before, before + rng.normal(effect, 0.001, bars)))
    rounded = round_series(ts, arms, 252.0)
    rule = GuardRule(metric="max_drawdown", better="lower", tolerance=0.05)
    tasks = tuple(
        TaskRecord(
            name=t.name,
            family=t.family,
            signal=t.signal,
            task_digest=t.name,
            baseline={"size": "a"},
            patched={"size": "b"},
            baseline_metrics={"max_drawdown": 0.2},
            patched_metrics={"max_drawdown": 0.2},
            not_reproduced="",
            not_contained="",
            not_accepted="",
            diverges="size",
        )
        for t in chosen
    )
    reference = SuiteReference(
        name=suite.name,
        digest=suite.digest,
        data="us20",
        data_digest=DATA,
        part="judging",
        start="2006-06-26",
        end="2016-03-03",
    )
    modules = {"size": "rank_neutral@1"}
    ablation_id = identity(patch, reference, modules, "settings", [t.task_digest for t in tasks])
    guards = read_guards((rule,), tasks)
    evidence = weigh(tasks, rounded.series, guards, LEVEL, seed_of(ablation_id), "CURRENT")
    return AblationRecord(
        ablation_id=ablation_id,
        patch=patch,
        suite=reference,
        modules=modules,
        settings_digest="settings",
        guards_asked=(rule,),
        tasks=tasks,
        series=rounded.packed,
        guards=guards,
        floor=evidence.floor,
        place=1,
        level=LEVEL,
        certificate=CertificateReference(
            state="CURRENT",
            certificate_id=certificate_id,
            patches=1_000,
            false_ships=0,
            upper_bound=0.003,
            minimum_detectable=0.3,
        ),
        verdict=decide(evidence),
        environment={},
        runtime=Runtime(seconds=1.0, guards=(), runs=()),
    )


def finished(record: AblationRecord) -> AblationFinished:
    """As the ledger records the verdict."""
    floor = record.floor
    return AblationFinished(
        ablation_id=record.ablation_id,
        module=record.patch.module,
        verdict=record.verdict.word,
        reason=record.verdict.label,
        delta=floor.delta if floor else None,
        lower_bound=floor.lower_bound if floor else None,
        p_value=floor.p_value if floor else None,
        level=record.level,
        seconds=1.0,
    )


def certify(folder: Path, suite: str = SUITE, data_digest: str = DATA) -> str:
    """A certificate that stands, invented (making one takes longer than a test may); its id."""
    return certificate(folder, Keys(gate_digest(), load_suite(suite).digest, data_digest), suite)


def certificate(folder: Path, keys: Keys, suite: str) -> str:
    """As `certify`, for these keys."""
    made = Certificate(
        **keys._asdict(),
        suite=suite,
        data="us20",
        level=0.001,
        patches=1_000,
        false_ships=0,
        upper_bound=0.003,
        single_level=0.05,
        single_tested=200,
        single_false=5,
        single_upper_bound=0.06,
        kinds=(),
        power=(),
        minimum_detectable=0.3,
        seed=1,
        twice=PowerPoint(size=0.6, tries=100, ships=95),
        false_discovery_rate=0.01,
    )
    save(made, folder)
    return made.certificate_id


@dataclass
class Desk:
    """A checkout in git, a runtime state with a ledger, and what a test does to them."""

    workspace: Workspace

    @property
    def root(self) -> Path:
        return self.workspace.root

    @property
    def repo(self) -> Repository:
        return Repository(self.root)

    @property
    def forge(self) -> LocalGit:
        return LocalGit(self.repo)

    def emit(self, *events: Event) -> None:
        with Ledger(self.workspace.ledger, self.workspace.checkpoints) as ledger:
            ledger.append(*events)

    def events(self) -> list[Event]:
        return [e.event for e in read(self.workspace.ledger)]

    def commit(self, *paths: str, message: str = "by hand") -> str:
        """Commit the working tree as a human."""
        git(self.root, "add", "-A", *paths)
        git(self.root, "-c", "user.name=Ada Byron", "-c", "user.email=ada@example.org", "commit", "-q", "-m", message)
        return git(self.root, "rev-parse", "HEAD")

    def open(self, record: AblationRecord | None = None) -> str:
        """A shipped patch, submitted as the loop does it; its branch."""
        certificate_id = certify(self.workspace.certificates)
        record = record or shipped_record(Change(old=0.0, new=0.04), certificate_id=certificate_id)
        self.emit(finished(record))
        branch = submit(self.workspace, self.forge, record, [], self.emit)
        assert branch is not None
        return branch

    def amend(self, branch: str, files: Mapping[str, bytes], *, traced: bool = False) -> None:
        """Another commit on the branch; `traced`: with a ledger that knows of it, as a cunning supervisor would."""
        commit = self.repo.commit_files(branch, files, "and this")
        if traced:
            self.emit(ReviewOpened(branch=branch, ablation_id=branch.split("/")[1], commit=commit))

    def checked_out(self) -> tuple[object, ...]:
        """HEAD, index and working tree: what opening a request leaves alone."""
        files = {str(p): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file() and ".git" not in p.parts}
        return git(self.root, "rev-parse", "HEAD"), git(self.root, "status", "--porcelain"), files

    def snapshot(self) -> tuple[object, ...]:
        """Everything that a refusal must leave as it was."""
        return (
            git(self.root, "for-each-ref"),
            self.checked_out(),
            [e.kind for e in self.events()],
        )


@functools.cache
def _drawn(record_json: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_report(AblationRecord.model_validate_json(record_json), Path(folder))
        return {path.name: path.read_bytes() for path in paths}


def _report_once(record: AblationRecord, folder: Path) -> list[Path]:
    """The real report, drawn once for each record of the session."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = _drawn(to_json(record))
    for name, content in drawn.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in drawn]


@functools.cache
def _curve(record_json: str) -> bytes:
    return draw_curve(AblationRecord.model_validate_json(record_json))


def _curve_once(record: AblationRecord) -> bytes:
    return _curve(to_json(record))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One commit: the settings in force, and files that no patch may touch."""
    monkeypatch.setattr("supervisor.case.write_report", _report_once)
    monkeypatch.setattr("supervisor.case.draw_curve", _curve_once)
    root = tmp_path / "checkout"
    for source in (*CHECKOUT.glob("modules/*/*/settings.yaml"), CHECKOUT / "pipeline.yaml"):
        target = root / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    for path in ("modules/engine/risk.py", "tests/test_x.py", ".ci/run", "skills/registry.py", "README.md"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("as it was\n")
    git(root, "init", "-q", "-b", "main")
    made = Desk(Workspace(root, tmp_path / "state"))
    made.commit(message="start")
    return made
