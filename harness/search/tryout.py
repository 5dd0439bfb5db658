"""One point of a search: what is asked, what it is tried with, and the whole pipeline run on it as a trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from pydantic import ValidationError

from harness.search.objectives import objective
from harness.search.sampling import MOST_TRIALS, Method
from harness.search.space import Point, SearchError, Space
from harness.search.surface import NEAR
from harness.search.trial import Tried
from modules.artifacts import ArtifactStore
from modules.canonical import digest_json
from modules.contract import ContractError, Module, Stage
from modules.datastore import DataStore
from modules.dataversion import DataVersion
from modules.engine.metrics import bars_per_year
from modules.manifest import Manifest
from modules.panel import FloatArray, IntArray
from modules.pipeline import Emit, execute
from modules.sources import facts_of, source_of
from modules.task import PipelineSpec, Task, load_modules, make_task
from modules.workspace import Workspace
from traces.events import TrialRecorded


@dataclass(frozen=True)
class Request:
    """What is asked. `steps` of a grid's axes; `windows` of the walk-forward, 0 = none."""

    space: Space
    method: Method
    objectives: tuple[str, ...]
    trials: int
    seed: int
    steps: int
    windows: int

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MOST_TRIALS:
            raise SearchError(f"{self.trials} trials; ask for 1 to {MOST_TRIALS}")
        if self.windows and self.method not in ("grid", "random"):
            # What an adaptive sampler tries depends on bars that a window keeps for its test.
            raise SearchError(
                f"walk-forward needs points chosen without looking; use grid or random, not {self.method}"
            )
        if self.windows and len(self.objectives) > 1:
            raise SearchError("walk-forward follows one objective; give one")

    @property
    def reach(self) -> float:
        """How far neighbours of a point lie, as a share of each range: a step of a grid at least."""
        return max(NEAR, 1.0 / (self.steps - 1)) if self.method == "grid" else NEAR


@dataclass(frozen=True)
class Desk:
    """What a search works with. Nothing that judges and nothing in a lockbox is read: tasks end with discovery."""

    workspace: Workspace
    version: DataVersion
    spec: PipelineSpec
    emit: Emit

    def task(self, signal: str | None) -> Task:
        """The pipeline on the discovery part."""
        facts = facts_of(DataStore(self.workspace.data), self.spec)
        ends = [self.version.mining_end_ns, *([facts.mining_end_ns] if facts is not None else [])]
        return make_task(self.spec, self.version, facts=facts, signal=signal, end=min(ends))

    def modules(self, signal: str | None) -> dict[Stage, Module]:
        """The modules in force, with `signal` where one is given."""
        return load_modules(self.task(signal), self.version)


@dataclass(frozen=True)
class _Made:
    """A point as a run: its task and modules."""

    task: Task
    modules: Mapping[Stage, Module]
    signal: str | None


def _made(request: Request, desk: Desk, point: Point) -> _Made | str:
    """The run of a point, or why it cannot be one."""
    signal = request.space.filled(point)
    task = desk.task(signal)
    try:
        return _Made(task, request.space.changed(load_modules(task, desk.version), point), signal)
    except ValidationError as error:
        return str(error.errors()[0]["msg"])


def trial_of(request: Request, desk: Desk, point: Point) -> TrialRecorded | None:
    """The trial that looking at a point is; None where its settings exclude each other: nothing is looked at then."""
    made = _made(request, desk, point)
    return None if isinstance(made, str) else _trial(request, desk, point, made)


def _trial(request: Request, desk: Desk, point: Point, made: _Made) -> TrialRecorded:
    settings = {stage: m.settings.model_dump(mode="json") for stage, m in made.modules.items()}
    words = ", ".join(f"{k}={v}" for k, v in request.space.values(point).items())
    return TrialRecorded(
        trial_id=f"search-{digest_json([made.task.digest, settings])[:16]}",
        family="backtest",
        subject=f"{made.signal or 'feature/' + made.modules['feature'].name} [{words}]",
        data_digest=desk.version.digest,
    )


def try_point(request: Request, desk: Desk, point: Point, number: int, trials: int) -> tuple[Tried, IntArray]:
    """Record the trial, run the pipeline, and say what it gave and at which times. `trials`: so many were recorded on
    the data, this one included. A refusal by a contract is a trial without figures."""
    signal = request.space.filled(point)
    none = (math.nan,) * len(request.objectives)
    empty: FloatArray = np.empty(0)
    nowhen: IntArray = np.empty(0, np.int64)
    made = _made(request, desk, point)
    if isinstance(made, str):
        return Tried(number, point, signal, none, "", empty, made), nowhen
    store = ArtifactStore(desk.workspace.artifacts)
    desk.emit(_trial(request, desk, point, made))
    raw = source_of(DataStore(desk.workspace.data), made.task)
    try:
        manifest = execute(made.task, made.modules, raw, store, desk.emit, purpose="research")
    except ContractError as error:
        return Tried(number, point, signal, none, "", empty, str(error).splitlines()[0]), nowhen
    returns, ts = _account(store, manifest)
    values = tuple(objective(name, returns, manifest.metrics, bars_per_year(ts), trials) for name in request.objectives)
    return Tried(number, point, signal, values, manifest.digest, returns), ts


def _account(store: ArtifactStore, manifest: Manifest) -> tuple[FloatArray, IntArray]:
    nav = store.get(manifest.output("nav"))
    assert isinstance(nav, pl.DataFrame), "nav is a table"
    return nav.get_column("net_return").to_numpy(), nav.get_column("event_time").to_physical().to_numpy()
