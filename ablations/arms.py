"""The two arms of one task: the recorded baseline, the baseline now, and the patched pipeline.

A job is plain data, so that it can run in another process or on another machine; the events of its runs come
back with the result and are emitted in suite order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ablations import swap
from ablations.compared import leak, objective_series
from ablations.executors.port import ONE_CPU, Needs
from ablations.patch import Patch, SettingValue, patched_settings
from modules.artifacts import HoldingStore
from modules.canonical import digest_json
from modules.compare import Difference, first_difference
from modules.contract import STAGES, ContractError, Module, Stage
from modules.datastore import DataStore
from modules.known import Memory
from modules.manifest import Manifest
from modules.panel import FloatArray, IntArray
from modules.pipeline import RawSource, execute
from modules.task import Task, load_modules
from traces.events import Event

SECONDS = "seconds"
"""Guard metric read from the clock: the patched stage and those after it."""


class ArmsError(RuntimeError):
    """Arms whose modules are not those that are judged."""


@dataclass(frozen=True)
class Job:
    """One task, the patch, and where data and artifacts lie. `objective` is `artifact.column`.

    `in_force` is the digest of the modules that are judged (`in_force`): a worker that finds others refuses. `once`
    names this one execution of the ablation: its jobs in one process prove the stages that they share once.
    """

    name: str
    task: Task
    patch: Patch
    objective: str
    data_root: Path
    artifact_root: Path
    in_force: str = ""
    once: str = ""
    needs: Needs = ONE_CPU


@dataclass(frozen=True)
class Arm:
    """What one arm left behind."""

    run_id: str
    outputs: Mapping[str, str]
    digest: str
    metrics: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """Both arms of one task. `failed` holds the refusal of a contract or acceptance test.

    `diverges` says at which stage the patched arm first differs and why; "" where it does not.
    """

    name: str
    task: Task
    baseline: Arm | None
    patched: Arm | None
    not_reproduced: str
    not_contained: str
    failed: str
    diverges: str
    ts: IntArray
    series: tuple[FloatArray, FloatArray] | None
    bars_per_year: float
    events: tuple[Event, ...]
    alone: tuple[float, float] | None = None
    """Of a patch of two modules: the annualised Sharpe ratio with the first part alone, and with the second."""


def patched_modules(patch: Patch, modules: Mapping[Stage, Module]) -> dict[Stage, Module]:
    """The same pipeline with the patch's values in its module, or in both of its modules. Raises PatchError."""
    out = dict(modules)
    for stage in STAGES:
        module = modules[stage]
        for part in patch.parts:
            if part.changes and f"{stage}/{module.name}" == part.module:
                settings = patched_settings(part, module.settings)
                values: dict[str, SettingValue] = {k: getattr(settings, k) for k in part.changes}
                out[stage] = module.with_settings(values)
    return out


def in_force(modules: Mapping[Stage, Module]) -> str:
    """Digest of code and settings of every stage, but for what differs between the tasks of one suite."""
    settings = {stage: modules[stage].settings.model_dump(mode="json") for stage in STAGES}
    del settings["ingest"]  # those are the data set's
    settings["feature"].pop("expr", None)
    return digest_json({"code": {s: f"{modules[s].name}@{modules[s].code_digest}" for s in STAGES}, "is": settings})


_PROVEN: dict[tuple[str, Path], Memory] = {}


def _proven(job: Job) -> Memory:
    """What this process has executed anew for this ablation, this time. Nothing of any other is kept."""
    key = (job.once, job.artifact_root)
    if key not in _PROVEN or not job.once:
        _PROVEN.clear()
        _PROVEN[key] = Memory(HoldingStore(job.artifact_root), lasting=False)
    return _PROVEN[key]


def run_arms(job: Job) -> Outcome:
    """Both arms of `job`.

    A refused contract or acceptance test is an outcome, and so is a patched module that refuses its inputs with a
    ValueError; any other error is raised.
    """
    events: list[Event] = []
    anew = _proven(job)
    store = anew.store
    data = DataStore(job.data_root)
    version = data.get(job.task.data, job.task.data_digest)
    raw = RawSource(version.digest, lambda: data.raw(version))
    modules = load_modules(job.task, version)
    if job.in_force and in_force(modules) != job.in_force:
        raise ArmsError(f"{job.name}: settings or code of the pipeline changed while the ablation ran; run it again")
    changed = patched_modules(job.patch, modules)
    manifests: list[Manifest] = []
    known = Memory(store)
    for arm, memory in ((modules, known), (modules, anew), (changed, known)):
        try:
            manifests.append(execute(job.task, arm, raw, store, events.append, purpose="ablation", memory=memory))
        except ValueError as error:
            if arm is modules and not isinstance(error, ContractError):
                raise
            return _failed(job, events, f"{job.name}, {'patched' if arm is changed else 'baseline'}: {error}")
    recorded, now, patched = manifests
    alone = None
    if job.patch.also is not None:
        try:
            alone = swap.alone(
                job.patch, lambda part: _objective(job, patched_modules(part, modules), raw, known, events)
            )
        except ValueError as error:
            return _failed(job, events, f"{job.name}, one part of the patch alone: {error}")
    reproduced = first_difference(recorded, now, store)
    apart = first_difference(now, patched, store)
    ts, before = objective_series(now, job.objective, store)
    ts_after, after = objective_series(patched, job.objective, store)
    if not np.array_equal(ts, ts_after):
        return _failed(job, events, f"{job.name}: the arms have {ts.size} and {ts_after.size} bars of {job.objective}")
    return Outcome(
        name=job.name,
        task=job.task,
        baseline=_arm(now, job.patch),
        patched=_arm(patched, job.patch),
        not_reproduced=f"{job.name}: {_words(reproduced)}" if reproduced else "",
        not_contained=leak(now, patched, job.patch, job.name),
        failed="",
        diverges=_words(apart) if apart else "",
        ts=ts,
        series=(before, after),
        bars_per_year=now.metrics.get("bars_per_year", 252.0),
        events=tuple(events),
        alone=alone,
    )


def _objective(
    job: Job, modules: Mapping[Stage, Module], raw: RawSource, known: Memory, events: list[Event]
) -> tuple[FloatArray, float]:
    """`(objective a bar, bars a year)` of one arm that is no part of the verdict."""
    manifest = execute(job.task, modules, raw, known.store, events.append, purpose="ablation", memory=known)
    return objective_series(manifest, job.objective, known.store)[1], manifest.metrics.get("bars_per_year", 252.0)


def _arm(manifest: Manifest, patch: Patch) -> Arm:
    at = STAGES.index(patch.stage) if patch.stage in STAGES else len(STAGES)
    suffix = [s for s in manifest.stages if STAGES.index(s.stage) >= at]
    return Arm(
        run_id=manifest.run_id,
        outputs={s.stage: s.digest for s in manifest.stages},
        digest=manifest.digest,
        metrics=manifest.metrics,
        seconds=sum(s.seconds for s in suffix),
    )


def _failed(job: Job, events: list[Event], why: str) -> Outcome:
    return Outcome(
        name=job.name,
        task=job.task,
        baseline=None,
        patched=None,
        not_reproduced="",
        not_contained="",
        failed=why[:1000],
        diverges="",
        ts=np.empty(0, dtype=np.int64),
        series=None,
        bars_per_year=252.0,
        events=tuple(events),
    )


def _words(found: Difference) -> str:
    where = "".join(
        f" {label} {value}"
        for label, value in (
            ("artifact", found.artifact),
            ("column", found.column),
            ("row", found.row),
            ("at", found.event_time),
            ("symbol", found.symbol),
        )
        if value is not None
    )
    bits = _bit(found.recorded_bits, found.found_bits)
    return f"{found.stage}/{found.module}{where}{bits} ({', '.join(found.causes) or 'same inputs'})"


def _bit(recorded: str | None, found: str | None) -> str:
    """The highest bit in which two patterns (hexadecimal) differ, 0 = the lowest; "" where there is no such thing."""
    try:
        differ = int(recorded or "", 16) ^ int(found or "", 16)
    except ValueError:
        return ""
    return f" bit {differ.bit_length() - 1}" if differ else ""
