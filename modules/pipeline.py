"""One task through the six stages: check every boundary, reuse what is known, record everything.

Data walks like this: raw -> ingest -> (as_of, the only door) -> clean -> feature -> backtest -> size
-> execute. Facts, where a task has them, come through the same door. Artifacts lie on a board by name and
digest; a stage takes those its `Inputs` name. A stage whose code, settings, skills, seed and input digests
were seen before, by the same libraries on the same kind of machine, is not run again: the board gets the
recorded digests, and no artifact is read.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from modules.artifacts import ArtifactStore, Kind
from modules.canonical import Artifact, digest_json, digest_mapping
from modules.contract import STAGES, Context, ContractError, Module, ModuleOutputs, PanelSchema, Stage, check_ports
from modules.door import facts_through_the_door, through_the_door
from modules.known import Known, Memory
from modules.manifest import Manifest, StageRecord, environment
from modules.panel import iso
from modules.registry import reach_digest
from modules.task import Task, TaskError
from modules.workspace import CHECKOUT
from skills.registry import skills, skills_of_module
from traces.events import Event, RunFailed, RunFinished, RunStarted, StageFinished, StageRefused

Emit = Callable[[Event], None]
Purpose = Literal["run", "research", "ablation", "replay", "certify", "validate"]


@dataclass(frozen=True)
class FactsSource:
    """The facts of a task that were known before `before_ns`, where the first of the lockboxes of facts and bars
    begins. Read only if the door needs them."""

    digest: str
    before_ns: int
    load: Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class RawSource:
    """A data set's raw rows outside the lockbox, read only if a stage needs them; and the facts beside them."""

    digest: str
    load: Callable[[], pl.DataFrame]
    facts: FactsSource | None = None


@dataclass
class _Board:
    """Artifacts by name: digests always, contents once somebody asks."""

    store: ArtifactStore
    raw: RawSource
    digests: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, Artifact] = field(default_factory=dict)

    def get(self, name: str) -> Artifact:
        if name not in self.loaded:
            self.loaded[name] = self.raw.load() if name == "raw" else self.store.get(self.digests[name])
        return self.loaded[name]

    def set(self, name: str, digest: str, artifact: Artifact | None = None) -> None:
        self.digests[name] = digest
        self.loaded.pop(name, None)
        if artifact is not None:
            self.loaded[name] = artifact


def new_run_id() -> str:
    """Sorts by time; unique."""
    return (
        time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        + f"-{time.time_ns() // 1000 % 1_000_000:06d}-{uuid.uuid4().hex[:4]}"
    )


def execute(
    task: Task,
    modules: Mapping[Stage, Module],
    raw: RawSource,
    store: ArtifactStore,
    emit: Emit,
    *,
    purpose: Purpose = "run",
    use_cache: bool = True,
    memory: Memory | None = None,
    until: Stage = "execute",
    run_id: str | None = None,
) -> Manifest:
    """Run `task` with `modules`. `memory` (over the same store) says what may be taken as known, in place of
    `use_cache`, which is all that the store holds or nothing.

    Raises ContractError where a boundary or an acceptance test refuses, and whatever a module
    raises; either way the trace holds the failure.
    """
    run_id = run_id or new_run_id()
    started_ns, clock = time.time_ns(), time.perf_counter()
    emit(
        RunStarted(
            run_id=run_id,
            task_digest=task.digest,
            data=task.data,
            data_digest=task.data_digest,
            signal=task.signal,
            start=iso(task.start_ns),
            end=iso(task.end_ns),
            seed=task.seed,
            modules={stage: modules[stage].name if stage in modules else task.stages[stage] for stage in STAGES},
            purpose=purpose,
            facts=task.facts,
            facts_digest=task.facts_digest,
        )
    )
    board = _Board(store, raw, {"raw": raw.digest})
    memory = memory or Memory(store, lasting=use_cache)
    machine = environment()
    records: list[StageRecord] = []
    for stage in STAGES[: STAGES.index(until) + 1]:
        try:
            record = _run_stage(modules[stage], task, board, machine, memory)
            if stage == "ingest":
                _open_door(task, board, machine, memory)
                _open_door_to_facts(task, board, machine, memory)
        except Exception as error:
            if isinstance(error, ContractError):
                emit(_refusal(run_id, error, modules[stage]))
            emit(RunFailed(run_id=run_id, stage=stage, error=type(error).__name__, message=str(error)[:2000]))
            error.add_note(f"in stage {stage}/{modules[stage].name} of run {run_id}")
            raise
        records.append(record)
        emit(_finished(run_id, record))
    manifest = Manifest(
        run_id=run_id,
        task=task,
        task_digest=task.digest,
        stages=tuple(records),
        metrics={k: v for r in records for k, v in r.metrics.items()},
        environment=machine,
        started_ns=started_ns,
        seconds=time.perf_counter() - clock,
    )
    emit(RunFinished(run_id=run_id, digest=manifest.digest, metrics=manifest.metrics, seconds=manifest.seconds))
    return manifest


def _refusal(run_id: str, error: ContractError, module: Module) -> StageRefused:
    return StageRefused(
        run_id=run_id,
        stage=error.stage,
        module=error.module,
        side=error.side,
        rules={f"{v.port}: {v.rule}": v.count for v in error.violations},
        message=str(error)[:2000],
        code_digest=module.code_digest,
        settings_digest=digest_json(module.settings.model_dump(mode="json")),
    )


def _finished(run_id: str, record: StageRecord) -> StageFinished:
    scalars = {
        k: v if isinstance(v, str | int | float | bool | None) else json.dumps(v) for k, v in record.settings.items()
    }
    return StageFinished(
        run_id=run_id,
        stage=record.stage,
        module=record.module,
        code_digest=record.code_digest,
        settings_digest=record.settings_digest,
        settings=scalars,
        inputs=record.inputs,
        outputs=record.outputs,
        seconds=record.seconds,
        cached=record.cached,
        metrics=record.metrics,
    )


def _run_stage(module: Module, task: Task, board: _Board, machine: Mapping[str, str], memory: Memory) -> StageRecord:
    clock = time.perf_counter()
    names = list(module.ports("inputs"))
    absent = [n for n in names if n not in board.digests]
    if "facts" in absent:
        raise TaskError(
            f"{module.stage}/{module.name} asks for facts, and the task names none; set `facts:` in pipeline.yaml (or "
            "--facts) to a set of facts; `cws data add NAME FILES... --kind facts` registers one"
        )
    if absent:
        raise TaskError(
            f"{module.stage}/{module.name} asks for {', '.join(absent)}, which no earlier stage writes; "
            f"on the board: {', '.join(sorted(board.digests))}"
        )
    inputs = {n: board.digests[n] for n in names}
    settings = module.settings.model_dump(mode="json")
    known_skills = {s.name: s.digest for s in skills_of_module(f"{module.stage}/{module.name}", skills())}
    context = Context(seed=task.seed, start_ns=task.start_ns)
    identity: dict[str, object] = {
        "stage": module.stage,
        "module": module.name,
        "code": module.code_digest,
        "settings": settings,
        "skills": known_skills,
        "inputs": inputs,
        "seed": context.seed,
        "start_ns": context.start_ns,
        "environment": machine,
    }
    key = digest_json(identity)
    kinds: dict[str, Kind] = {
        name: "panel" if isinstance(schema, PanelSchema) else "table"
        for name, schema in module.ports("outputs").items()
    }
    recalled = memory.recall(key, kinds, module.optional_outputs())
    known = recalled or _compute(module, names, context, board)
    if recalled is None:
        memory.remember(key, known)
    for name, digest in known.outputs.items():
        if board.digests.get(name) != digest:
            board.set(name, digest)
    return StageRecord(
        stage=module.stage,
        module=module.name,
        code_digest=module.code_digest,
        settings=settings,
        settings_digest=digest_json(settings),
        skills=known_skills,
        inputs=inputs,
        outputs=known.outputs,
        digest=digest_mapping(known.outputs),
        seconds=time.perf_counter() - clock,
        cached=recalled is not None,
        metrics=known.metrics,
        notes=known.notes,
    )


def _compute(module: Module, names: list[str], context: Context, board: _Board) -> Known:
    stage, name = module.stage, module.name
    inputs = module.inputs(**{n: board.get(n) for n in names})
    check_ports(stage, name, "inputs", inputs)
    outputs: ModuleOutputs = module.run(inputs, module.settings, context)
    artifacts = check_ports(stage, name, "outputs", outputs)
    refused = module.accept(inputs, outputs, module.settings)
    if refused:
        raise ContractError(stage, name, "acceptance", refused)
    digests = {}
    for port, artifact in artifacts.items():
        digests[port] = board.store.put(artifact)
        board.set(port, digests[port], artifact)
    # A metric that is not a number is absent: JSON has no NaN, and no metric is worth a guess.
    metrics = {k: float(v) for k, v in outputs.metrics.items() if float(v) - float(v) == 0.0}
    return Known(outputs=digests, metrics=metrics, notes=outputs.notes)


def _open_door(task: Task, board: _Board, machine: Mapping[str, str], memory: Memory) -> None:
    """Replace `records` by what was known at the task's end, of the symbols it names."""
    key = digest_json(
        {
            "door": reach_digest(CHECKOUT / "modules" / "door.py"),
            "records": board.digests["records"],
            "end_ns": task.end_ns,
            "symbols": task.symbols,
            "environment": machine,
        }
    )
    known = memory.recall(key, {"records": "table"})
    if known is not None:
        board.set("records", known.outputs["records"])
        return
    records = board.get("records")
    if not isinstance(records, pl.DataFrame):
        raise TypeError(f"records must be a table, is {type(records).__name__}")
    view = through_the_door(records, task.end_ns, task.symbols)
    unknown = sorted(set(task.symbols or ()) - set(view.get_column("symbol").unique().to_list()))
    if unknown:
        raise TaskError(f"symbols {', '.join(unknown[:5])} are not in {task.data} by {iso(task.end_ns)}")
    if view.is_empty():
        raise TaskError(f"nothing in {task.data} was available by {iso(task.end_ns)}; end the period later")
    digest = board.store.put(view)
    board.set("records", digest, view)
    memory.remember(key, Known(outputs={"records": digest}))


def _open_door_to_facts(task: Task, board: _Board, machine: Mapping[str, str], memory: Memory) -> None:
    """Put `facts` on the board: what was stated by the task's end, of the symbols it names. Nothing without facts."""
    if task.facts_digest is None:
        return
    source = board.raw.facts
    if source is None or source.digest != task.facts_digest:
        have = "none" if source is None else source.digest[:12]
        raise TaskError(f"the task needs facts {task.facts} {task.facts_digest[:12]}, given were {have}")
    key = digest_json(
        {
            "door": reach_digest(CHECKOUT / "modules" / "door.py"),
            "facts": task.facts_digest,
            "end_ns": min(task.end_ns, source.before_ns - 1),
            "symbols": task.symbols,
            "environment": machine,
        }
    )
    known = memory.recall(key, {"facts": "table"})
    if known is not None:
        board.set("facts", known.outputs["facts"])
        return
    view = facts_through_the_door(source.load(), min(task.end_ns, source.before_ns - 1), task.symbols)
    if view.is_empty():
        raise TaskError(
            f"nothing in {task.facts} about {', '.join(task.symbols or ('any symbol',))} was known by "
            f"{iso(task.end_ns)}; end the period later, or register facts about these symbols"
        )
    digest = board.store.put(view)
    board.set("facts", digest, view)
    memory.remember(key, Known(outputs={"facts": digest}))
