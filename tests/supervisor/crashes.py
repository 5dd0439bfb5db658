"""Nights of a real `cws supervise` that is killed again and again, and what must hold of each when it is over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import yaml

from ablations.certificate import Keys, gate_digest
from ablations.record import AblationRecord
from ablations.suite import load_suite
from modules.datastore import DataStore
from modules.workspace import CHECKOUT, Workspace
from supervisor.submit import branch_of
from tests.supervisor.conftest import certificate, git
from traces.events import AblationFinished, AblationStarted, Event, ReviewOpened, TrialRecorded
from traces.reader import read
from traces.verify import verify

PACKAGES = (
    "modules",
    "harness",
    "supervisor",
    "ablations",
    "traces",
    "skills",
    "cli",
    "pipeline.yaml",
    "pyproject.toml",
)
SUITE = "small"
TRIALS = 2
"""Ablations of one night; each pass of the supervisor adds at most one."""

PASS = ("supervise", "--suite", SUITE, "--workers", "1", "--seconds", "3600", "--json")
WEIGHTS = {"ledger": 0.35, "time": 0.2, "git": 0.2, "record": 0.15, "artifact": 0.1}
MOST_STARTS = 60
"""Of one night: one that needs more does not get on."""


def make_checkout(folder: Path) -> Path:
    """The code under test in a git of its own, with a small suite: six tasks."""
    folder.mkdir(parents=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=CHECKOUT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, folder / name)
    values = yaml.safe_load((CHECKOUT / "ablations" / "suites" / "fast.yaml").read_text())
    values |= {"name": SUITE, "tasks": values["tasks"][:6]}
    (folder / "ablations" / "suites" / f"{SUITE}.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Ada Byron", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "start")
    return folder


class Desk:
    """The process that runs the commands."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS", "CWS_THREADS"), "1")
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("crashing.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
            env={**os.environ, **threads, "PYTHONPATH": str(checkout), "MPLBACKEND": "Agg"},
        )
        self._answer()

    def run(self, home: Path, kind: str = "none", at: int = 0, delay_s: float = 0.0, ablations: int = 1) -> int:
        """One pass; its exit code, below 0 where it was killed."""
        argv = (*PASS, "--ablations", str(ablations))
        order = {"argv": argv, "folder": str(self._folder), "home": str(home), "kind": kind, "at": at}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**order, "delay_s": delay_s}) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["status"])

    @property
    def said(self) -> str:
        """What the commands wrote to stderr, the newest last; and the last output."""
        return (self._folder / "errors").read_text()[-3000:] + (self._folder / "out").read_text()[-3000:]

    @property
    def counts(self) -> dict[str, int]:
        """Moments of each kind in the last pass that ended by itself."""
        found: dict[str, int] = json.loads((self._folder / "counts").read_text())
        return found

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that runs the commands is gone"
        found: dict[str, int] = json.loads(line)
        return found

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@dataclass(frozen=True)
class Verdicts:
    """What a night left behind, but for clocks: trials in order, and the record's digest on each branch."""

    trials: tuple[tuple[str, float | None, float | None, bool | None], ...]
    verdicts: dict[str, tuple[str, str, float | None]]
    branches: dict[str, str]


@dataclass
class Nights:
    """A checkout, a template of the runtime state, and the verdicts of a night that nobody disturbed."""

    checkout: Path
    folder: Path
    desk: Desk
    template: Path = field(init=False)
    expected: Verdicts = field(init=False)
    moments: dict[str, int] = field(init=False)
    kills: Counter[str] = field(default_factory=Counter)
    locks_left: int = 0

    def __post_init__(self) -> None:
        self.template = self.folder / "template"
        workspace = Workspace(self.checkout, self.template)
        version = DataStore(workspace.data).current("us20")
        suite = load_suite(SUITE, self.checkout / "ablations" / "suites")
        certificate(workspace.certificates, Keys(gate_digest(), suite.digest, version.digest), SUITE)
        self.head = git(self.checkout, "rev-parse", "HEAD")
        # The runs that are mined are made once for all nights; every start mines them.
        assert self.desk.run(self.template, ablations=0) == 0, self.desk.said
        calm = self.folder / "calm"
        shutil.copytree(self.template, calm)
        self.moments = dict.fromkeys(WEIGHTS, 0)
        for _ in range(TRIALS):
            status = self.desk.run(calm)
            assert status == 0, self.desk.said
            self.moments = {kind: max(n, self.desk.counts.get(kind, 0)) for kind, n in self.moments.items()}
        self.expected = self.check(calm)
        assert len(self.expected.trials) == TRIALS, self.desk.said
        assert self.expected.branches, "nothing shipped: no branch to be killed over"
        self.clear()
        # What was computed stays known: a night costs its decisions, and not its arithmetic, again.
        shutil.copytree(calm / "artifacts", self.template / "artifacts", dirs_exist_ok=True)
        shutil.rmtree(calm)

    def clear(self) -> None:
        """Remove the branches of the night that is over."""
        for branch in git(self.checkout, "for-each-ref", "--format=%(refname)", "refs/heads/supervisor").split():
            git(self.checkout, "update-ref", "-d", branch)

    def night(self, number: int, rng: np.random.Generator, kills: int) -> None:
        """Start the supervisor again and again until its trials are made, killing it at most `kills` times."""
        home = self.folder / f"night-{number}"
        shutil.copytree(self.template, home)
        left = kills
        for start in range(MOST_STARTS):
            if left <= 0 and len(_trials(_events(home))) >= TRIALS:
                break
            kind, at, delay_s = self._moment(rng) if left > 0 else ("none", 0, 0.0)
            status = self.desk.run(home, kind, at, delay_s)
            assert status in (0, -9), f"start {start} after {dict(self.kills)}, {kind} {at}: {self.desk.said}"
            if status == -9:
                self.kills[kind] += 1
                left -= 1
                self.locks_left += bool(list((self.checkout / ".git").rglob("*.lock")))
            elif len(_trials(_events(home))) >= TRIALS:
                break
        assert self.desk.run(home) in (0,), self.desk.said  # and once more undisturbed: whatever is owed is done
        found = self.check(home)
        assert found.trials[:TRIALS] == self.expected.trials
        for name, verdict in self.expected.verdicts.items():
            assert found.verdicts[name] == verdict
        assert self.expected.branches.items() <= found.branches.items()
        self.clear()
        shutil.rmtree(home)

    def check(self, home: Path) -> Verdicts:
        """What must hold of any night that is over."""
        events = _events(home)
        assert verify(home / "ledger", home / "checkpoints").ok
        trials = _trials(events)
        assert len({t.trial_id for t in trials}) == len(trials), "a trial was counted twice"
        finished: dict[str, AblationFinished] = {}
        for event in events:
            if isinstance(event, AblationFinished):
                other = finished.setdefault(event.ablation_id, event)
                assert (other.verdict, other.reason) == (event.verdict, event.reason), "a verdict changed"
        begun = {e.ablation_id for e in events if isinstance(e, AblationStarted)}
        assert begun == set(finished) == {t.trial_id for t in trials}, "a trial was lost, or never judged"
        branches = {}
        opened = {e.ablation_id for e in events if isinstance(e, ReviewOpened)}
        for name in (n for n, f in finished.items() if f.verdict == "SHIP"):
            assert name in opened, "a branch that no event tells of"
            path = f"ablations/records/{name}/record.json"
            text = git(self.checkout, "show", f"{branch_of(name)}:{path}")
            branches[name] = AblationRecord.model_validate_json(text).digest
        heads = git(self.checkout, "for-each-ref", "--format=%(refname:short)", "refs/heads/supervisor").split()
        assert set(heads) == {branch_of(name) for name in branches}, "a branch that no verdict opened"
        git(self.checkout, "fsck", "--strict", "--no-dangling")
        assert not list((self.checkout / ".git").rglob("*.lock"))
        assert git(self.checkout, "status", "--porcelain") == ""
        assert git(self.checkout, "rev-parse", "HEAD") == self.head
        return Verdicts(
            trials=tuple((t.trial_id, t.p_value, t.level, t.rejected) for t in trials),
            verdicts={n: (f.verdict, f.reason, f.delta) for n, f in finished.items()},
            branches=branches,
        )

    def _moment(self, rng: np.random.Generator) -> tuple[str, int, float]:
        kinds = [k for k in WEIGHTS if k == "time" or self.moments[k]]
        weights = np.array([WEIGHTS[k] for k in kinds])
        kind = str(rng.choice(kinds, p=weights / weights.sum()))
        if kind == "time":
            return kind, 1, float(rng.uniform(0.0, 4.0))
        # Half of them within the moment itself, half in what follows it.
        delay_s = rng.uniform(0.0, 0.01) if rng.random() < 0.6 else rng.uniform(0.0, 1.0)
        return kind, int(rng.integers(1, self.moments[kind] + 1)), float(delay_s)


def _events(home: Path) -> list[Event]:
    return [e.event for e in read(home / "ledger", home / "checkpoints")]


def _trials(events: list[Event]) -> list[TrialRecorded]:
    return [e for e in events if isinstance(e, TrialRecorded) and e.family == "ablation"]
