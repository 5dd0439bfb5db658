"""One ablation, in the order of DESIGN section 6, from patch to recorded verdict."""

from __future__ import annotations

import fcntl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ablations.arms import SECONDS, Job, Outcome, in_force, run_arms
from ablations.certificate import Certificate, CertificateError, Keys, find, gate_digest, save
from ablations.certifying import issue
from ablations.drafted import GUARD, draft_jobs, drafting_code, redrafts, run_drafted, skills_digest
from ablations.executors.port import Executor
from ablations.executors.serial import Serial
from ablations.floor import FloorError
from ablations.gate import Reason, decide
from ablations.guards import GuardReading, GuardRule, read, rules_of
from ablations.material import collect
from ablations.patch import Patch, patched_settings
from ablations.paths import PatchError, check_path
from ablations.record import (
    AblationRecord,
    CertificateReference,
    Runtime,
    SuiteReference,
    TaskRecord,
    identity,
    read_guards,
    seed_of,
    weigh,
)
from ablations.series import Rounded, round_series
from ablations.stream import trials_so_far
from ablations.suite import Suite, SuiteTask, period, suite_tasks, version_of
from ablations.swap import SwapMatrix, matrix
from ablations.trials import FAMILY, Asked, Ticket, TrialBook
from modules.canonical import digest_json
from modules.contract import STAGES, Stage
from modules.datastore import DataStore, DataVersion
from modules.manifest import environment
from modules.panel import iso
from modules.pipeline import Emit
from modules.registry import load_module
from modules.task import PipelineSpec, Task, load_modules, load_pipeline
from modules.workspace import Workspace
from traces.events import AblationFinished, AblationStarted, CertificateIssued, Event, TrialRecorded
from traces.events import Change as ChangeEvent

History = Callable[[], Iterable[Event]]
EmitAll = Callable[[Sequence[Event]], None]


def ablate(
    patch: Patch,
    suite: Suite,
    workspace: Workspace,
    emit: Emit,
    *,
    executor: Executor | None = None,
    spec: PipelineSpec | None = None,
    history: History | None = None,
    emit_all: EmitAll | None = None,
    certificates: Sequence[Path] | None = None,
) -> AblationRecord:
    """Baseline and patched over the suite's judging part, and the gate's verdict.

    `emit` must append to the workspace's ledger before it returns, and `emit_all`, if given, a group of events at the
    price of one: `history` (default: that ledger) is read to grant the level of the trial.

    Raises PatchError, SuiteError or DataError before anything runs.
    """
    clock = time.perf_counter()
    spec = spec or load_pipeline(workspace.root / "pipeline.yaml")
    version = version_of(suite, DataStore(workspace.data))
    objective, guards = _declared(patch, workspace, spec)
    research = redrafts(patch, suite)
    tasks = suite_tasks(suite, version, spec, "judging", {"feature": "expression"} if research else _stages(patch))
    modules = load_modules(tasks[0], version)
    reference = _reference(suite, version)
    code: dict[str, str] = {stage: f"{modules[stage].name}@{modules[stage].code_digest}" for stage in STAGES}
    settings_digest = digest_json({stage: modules[stage].settings.model_dump(mode="json") for stage in STAGES[1:]})
    if research:
        guards = (*guards, GUARD)
        code["draft"] = f"offline@{drafting_code()}"
        settings_digest = digest_json([settings_digest, skills_digest(workspace.root / "skills")])
    ablation_id = identity(patch, reference, code, settings_digest, [t.digest for t in tasks])
    emit(_started(ablation_id, patch, suite))
    jobs = _jobs(suite, tasks, version, patch, objective, workspace)
    chosen = executor or Serial()
    outcomes: Sequence[Outcome]
    if research:
        drafts = draft_jobs(jobs, suite, workspace.root / "skills", version.mining_end_ns)
        outcomes = chosen.map(run_drafted, drafts)
    else:
        outcomes = chosen.map(run_arms, jobs)
    for outcome in outcomes:
        _emit_together(outcome.events, emit, emit_all)
    rules = (*(r for r in guards if r.metric != SECONDS), *suite.guards)
    records = tuple(_task_record(t, o, rules) for t, o in zip(suite.tasks, outcomes, strict=True))
    rounded = _series(outcomes)
    readings = read_guards(rules, records) if rounded is not None else ()
    clocked = _clocked([r for r in guards if r.metric == SECONDS], outcomes) if rounded is not None else ()
    keys = Keys(gate_digest(), suite.digest, version.digest)
    _, certificate = find(keys, certificates if certificates is not None else certificate_folders(workspace))
    with _one_at_a_time(workspace):
        past = history() if history is not None else trials_so_far(workspace)
        ticket = TrialBook.replay(past).ticket(ablation_id, asked_of(patch, version.digest))
        evidence = weigh(
            records,
            rounded.series if rounded else None,
            readings + clocked,
            ticket.level,
            seed_of(ablation_id),
            certificate.state,
        )
        verdict = decide(evidence)
        record = AblationRecord(
            ablation_id=ablation_id,
            patch=patch,
            suite=reference,
            modules=code,
            settings_digest=settings_digest,
            guards_asked=rules,
            tasks=records,
            series=rounded.packed if rounded else None,
            guards=readings,
            floor=evidence.floor,
            place=ticket.place,
            level=ticket.level,
            certificate=certificate,
            verdict=verdict,
            environment=environment(),
            swap=_swap(patch, suite, outcomes),
            runtime=Runtime(seconds=time.perf_counter() - clock, guards=clocked, runs=_runs(outcomes)),
        )
        _close(record, ticket, emit)
    return record


def certify(
    suite: Suite,
    workspace: Workspace,
    emit: Emit,
    *,
    executor: Executor | None = None,
    spec: PipelineSpec | None = None,
    folder: Path | None = None,
) -> Certificate:
    """Make the A/A certificate of the gate on `suite` and save it (default: in the workspace).

    Raises CertificateError where the gate ships too much of what is worthless.
    """
    spec = spec or load_pipeline(workspace.root / "pipeline.yaml")
    version = version_of(suite, DataStore(workspace.data))
    worker = executor or Serial()
    material, engine, events = collect(suite, version, spec, workspace, worker)
    for event in events:
        emit(event)
    keys = Keys(gate_digest(), suite.digest, version.digest)
    certificate = issue(material, keys, suite.name, suite.data, worker, engine=engine)
    save(certificate, folder or workspace.certificates)
    emit(
        CertificateIssued(
            certificate_id=certificate.certificate_id,
            gate_digest=certificate.gate_digest,
            suite_digest=certificate.suite_digest,
            data_digest=certificate.data_digest,
            patches=certificate.patches,
            false_ships=certificate.false_ships,
            upper_bound=certificate.upper_bound,
            minimum_detectable=certificate.minimum_detectable,
        )
    )
    if not certificate.stands:
        raise CertificateError(f"the gate must not ship on {suite.name}: {'; '.join(certificate.problems)}")
    return certificate


def certificate_folders(workspace: Workspace) -> tuple[Path, Path]:
    """Where certificates lie: committed in the checkout, and made in this workspace."""
    return workspace.root / "ablations" / "records" / "certificates", workspace.certificates


def certificate_for(suite: Suite, workspace: Workspace, folders: Sequence[Path] | None = None) -> CertificateReference:
    """The certificate that stands behind verdicts on `suite` now."""
    version = version_of(suite, DataStore(workspace.data))
    keys = Keys(gate_digest(), suite.digest, version.digest)
    return find(keys, folders if folders is not None else certificate_folders(workspace))[1]


# --- the steps ----------------------------------------------------------------------------------------


def _declared(patch: Patch, workspace: Workspace, spec: PipelineSpec) -> tuple[str, tuple[GuardRule, ...]]:
    """The objective and guards of the patched module, once path and values are found admissible."""
    for path in patch.paths:
        check_path(path, workspace.root)
    if not patch.changes:
        contract = load_module("execute", spec.stages["execute"]).contract
        return contract.objective_series, rules_of(contract.guards)
    rules: dict[str, GuardRule] = {}
    objectives = []
    for part in patch.parts:
        stage, _, name = part.module.partition("/")
        module = load_module(stage, name)
        patched_settings(part, module.settings)
        objectives.append(module.contract.objective_series)
        for rule in rules_of(module.contract.guards):
            if rule.name not in rules or rule.tolerance < rules[rule.name].tolerance:
                rules[rule.name] = rule
    if len(set(objectives)) > 1:
        raise PatchError(
            f"{' and '.join(p.module for p in patch.parts)} have different objectives; patch one at a time"
        )
    return objectives[0], tuple(rules.values())


def _stages(patch: Patch) -> dict[Stage, str]:
    return {s: p.module.split("/")[1] for s in STAGES for p in patch.parts if p.changes and s == p.stage}


def _jobs(
    suite: Suite, tasks: Sequence[Task], version: DataVersion, patch: Patch, objective: str, workspace: Workspace
) -> list[Job]:
    """One job a task, each with the modules that it must find in force where it runs."""
    once = uuid.uuid4().hex
    found: dict[tuple[tuple[Stage, str], ...], str] = {}
    jobs = []
    for named, task in zip(suite.tasks, tasks, strict=True):
        stages = tuple(sorted(task.stages.items()))
        if stages not in found:
            found[stages] = in_force(load_modules(task, version))
        jobs.append(
            Job(
                name=named.name,
                task=task,
                patch=patch,
                objective=objective,
                data_root=workspace.data,
                artifact_root=workspace.artifacts,
                in_force=found[stages],
                once=once,
                needs=named.needs,
            )
        )
    return jobs


def _reference(suite: Suite, version: DataVersion) -> SuiteReference:
    start, end = period(version, "judging")
    return SuiteReference(
        name=suite.name,
        digest=suite.digest,
        data=version.name,
        data_digest=version.digest,
        part="judging",
        start=iso(start),
        end=iso(end),
    )


def _started(ablation_id: str, patch: Patch, suite: Suite) -> AblationStarted:
    changes = {k: ChangeEvent(old=c.old, new=c.new) for k, c in patch.settings.items()}
    texts = {path: ChangeEvent(old=None, new=digest_json(t.new)) for path, t in patch.texts.items()}
    return AblationStarted(
        ablation_id=ablation_id,
        module=patch.module,
        patch={**changes, **texts},
        suite=suite.name,
        suite_digest=suite.digest,
    )


def _task_record(named: SuiteTask, outcome: Outcome, rules: Sequence[GuardRule]) -> TaskRecord:
    wanted = sorted({r.metric for r in rules} | {"net_sharpe"})
    before, after = outcome.baseline, outcome.patched
    return TaskRecord(
        name=named.name,
        family=named.family,
        signal=outcome.task.signal or "",
        task_digest=outcome.task.digest,
        baseline=dict(before.outputs) if before else {},
        patched=dict(after.outputs) if after else {},
        baseline_metrics={k: before.metrics[k] for k in wanted if before and k in before.metrics},
        patched_metrics={k: after.metrics[k] for k in wanted if after and k in after.metrics},
        not_reproduced=outcome.not_reproduced,
        not_contained=outcome.not_contained,
        not_accepted=outcome.failed,
        diverges=outcome.diverges,
    )


def _swap(patch: Patch, suite: Suite, outcomes: Sequence[Outcome]) -> SwapMatrix | None:
    """What each part of a patch of two modules is worth alone; None for one module, or where an arm is missing."""
    arms = [o.series for o in outcomes if o.series is not None]
    parts = [o.alone for o in outcomes if o.alone is not None]
    if patch.also is None or not len(arms) == len(parts) == len(outcomes):
        return None
    return matrix(patch, [t.name for t in suite.tasks], arms, parts, outcomes[0].bars_per_year)


def _series(outcomes: Sequence[Outcome]) -> Rounded | None:
    """The suite's paired series; None where an arm of any task is missing. Raises FloorError."""
    arms = [o.series for o in outcomes if o.series is not None]
    if len(arms) < len(outcomes):
        return None
    for outcome in outcomes:
        if not np.array_equal(outcome.ts, outcomes[0].ts):
            raise FloorError(
                f"tasks {outcomes[0].name} and {outcome.name} have different bars; a suite must share one calendar"
            )
    return round_series(outcomes[0].ts, arms, outcomes[0].bars_per_year)


def _clocked(rules: Sequence[GuardRule], outcomes: Sequence[Outcome]) -> tuple[GuardReading, ...]:
    before = [o.baseline.seconds if o.baseline else None for o in outcomes]
    after = [o.patched.seconds if o.patched else None for o in outcomes]
    return tuple(read(rule, before, after) for rule in rules)


def _emit_together(events: Sequence[Event], emit: Emit, emit_all: EmitAll | None) -> None:
    """The events of one task's runs, as one group where that is possible: each group waits for the disk."""
    if emit_all is not None:
        emit_all(events)
        return
    for event in events:
        emit(event)


def _runs(outcomes: Sequence[Outcome]) -> tuple[tuple[str, str], ...]:
    return tuple((o.baseline.run_id, o.patched.run_id) for o in outcomes if o.baseline and o.patched)


def _close(record: AblationRecord, ticket: Ticket, emit: Emit) -> None:
    """Record the trial (once) and the verdict. Only what ships earns the stream a discovery."""
    floor, verdict = record.floor, record.verdict
    untested = (Reason.NOT_REPRODUCED, Reason.NOT_CONTAINED, Reason.NOT_ACCEPTED, Reason.TOO_LITTLE_EVIDENCE)
    tested = verdict.reason not in untested
    p_value = (floor.p_value if floor is not None else 1.0) if tested else None
    if not ticket.known:
        emit(
            TrialRecorded(
                trial_id=record.ablation_id,
                family=FAMILY,
                subject=_subject(record.patch),
                data_digest=record.suite.data_digest,
                p_value=p_value,
                level=record.level if tested else None,
                rejected=verdict.ship if tested else None,
            )
        )
    emit(
        AblationFinished(
            ablation_id=record.ablation_id,
            module=record.patch.module,
            verdict=verdict.word,
            reason=verdict.label,
            delta=floor.delta if floor else None,
            lower_bound=floor.lower_bound if floor else None,
            p_value=p_value,
            level=record.level,
            seconds=record.runtime.seconds,
        )
    )


def asked_of(patch: Patch, data_digest: str) -> Asked:
    """What the stream of trials charges a patch for: its modules, the data, how many values it changes."""
    return Asked(_subject(patch), data_digest, len(patch.settings) + len(patch.texts))


def _subject(patch: Patch) -> str:
    """The module that a trial looks at, or both."""
    return "+".join(part.module for part in patch.parts)


@contextmanager
def _one_at_a_time(workspace: Workspace) -> Iterator[None]:
    """Between reading the stream of trials and adding to it nobody else may add."""
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / "trials.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
