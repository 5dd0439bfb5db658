"""Collect the real series that worthless patches are made of: the suite's baseline, real patched arms, the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ablations.compared import objective_series
from ablations.floor import FloorError
from ablations.suite import Carrier, Part, Suite, suite_tasks
from ablations.workers import Workers
from ablations.worthless import Material
from modules.artifacts import ArtifactStore
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataStore, DataVersion
from modules.panel import FloatArray, Panel
from modules.pipeline import RawSource, execute
from modules.task import PipelineSpec, Task, load_modules
from modules.workspace import Workspace
from traces.events import Event


@dataclass(frozen=True)
class _Job:
    """One task with no carrier (the baseline) and then each of `carriers`."""

    workspace: Workspace
    task: Task
    carriers: tuple[Carrier, ...]


@dataclass(frozen=True)
class _Result:
    arms: tuple[FloatArray, ...]
    market: FloatArray
    bars_per_year: float
    engine: dict[str, str]
    events: tuple[Event, ...]


class Collected(NamedTuple):
    """Material, the code of each stage that computed it (stage to module@digest), and the events of the runs."""

    material: Material
    engine: dict[str, str]
    events: list[Event]


def collect(
    suite: Suite, version: DataVersion, spec: PipelineSpec, workspace: Workspace, workers: Workers
) -> Collected:
    """Material of `suite`. Raises what a run raises."""
    stages: dict[Stage, str] = {s: c.module.split("/")[1] for c in suite.carriers for s in STAGES if s == c.stage}

    def arms(part: Part, carriers: tuple[Carrier, ...]) -> list[_Result]:
        tasks = suite_tasks(suite, version, spec, part, stages)
        return workers.map(_run, [_Job(workspace, task, carriers) for task in tasks])

    judging, mining = arms("judging", suite.carriers), arms("mining", ())
    material = Material(
        baseline=_stack([r.arms[0] for r in judging]),
        arms=tuple(_stack([r.arms[1 + i] for r in judging]) for i in range(len(suite.carriers))),
        market=judging[0].market,
        mining_baseline=_stack([r.arms[0] for r in mining]),
        mining_market=mining[0].market,
        bars_per_year=judging[0].bars_per_year,
    )
    return Collected(material, judging[0].engine, [e for r in (*judging, *mining) for e in r.events])


def _run(job: _Job) -> _Result:
    data = DataStore(job.workspace.data)
    store = ArtifactStore(job.workspace.artifacts)
    version = data.get(job.task.data, job.task.data_digest)
    modules = load_modules(job.task, version)
    raw = RawSource(version.digest, lambda: data.raw(version))
    events: list[Event] = []
    arms = []
    objective = modules["execute"].contract.objective_series
    for carrier in (None, *job.carriers):
        manifest = execute(job.task, _with(modules, carrier), raw, store, events.append, purpose="certify")
        arms.append(objective_series(manifest, objective, store)[1])
    bars = store.get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    traded = bars.between(job.task.start_ns, job.task.end_ns)["close"]
    market = np.zeros(traded.shape)
    market[1:] = traded[1:] / traded[:-1] - 1.0
    engine = {str(s.stage): f"{s.module}@{s.code_digest}" for s in manifest.stages}
    years = manifest.metrics.get("bars_per_year", 252.0)
    return _Result(tuple(arms), np.nan_to_num(market), years, engine, tuple(events))


def _with(modules: dict[Stage, Module], carrier: Carrier | None) -> dict[Stage, Module]:
    if carrier is None:
        return modules
    stage = next(s for s in STAGES if s == carrier.stage)
    return {**modules, stage: modules[stage].with_settings(carrier.settings)}


def _stack(rows: Sequence[FloatArray]) -> FloatArray:
    bars = sorted({row.size for row in rows})
    if len(bars) != 1:
        raise FloorError(f"the suite's tasks have {bars} bars; they must share one calendar")
    return np.stack(rows)
