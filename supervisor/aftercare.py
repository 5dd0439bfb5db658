"""After the merge: is the benefit still there? Where it fell below its bound, a rollback is proposed to a human.

The question is asked by taking the patch back: in force against taken back, over the tasks that once judged it, with
the settings, code and data of today. On bars that lie after those it was judged on, as soon as there are enough of
them, else on the judging part again. Its bound is the lower bound on which it shipped. Each question is asked once:
the answer stands in the ledger, and an equal question gives an equal answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ablations.arms import Job, Outcome, run_arms
from ablations.executors.port import Executor
from ablations.executors.serial import Serial
from ablations.floor import FloorError, measure
from ablations.patch import Patch
from ablations.paths import PatchError
from ablations.record import AblationRecord, seed_of
from ablations.series import round_series
from ablations.suite import Suite, SuiteError, load_suite, period, suite_tasks
from harness.repository import Repository
from modules.canonical import digest_json
from modules.contract import STAGES, Stage
from modules.datastore import DataError, DataStore, DataVersion
from modules.panel import iso, ns
from modules.pipeline import Emit
from modules.registry import RegistryError, load_module
from modules.task import Task, load_pipeline
from modules.workspace import Workspace
from supervisor.forge.port import PATCHES, Forge
from supervisor.refusals import Refusal, ReviewError
from supervisor.rollback import inverse, merged_record, propose_rollback
from traces.events import Event, PatchRolledBack, PatchWatched, ReviewApproved, RollbackProposed, TrialRecorded
from traces.reader import read

LATER_DAYS = 90
"""Of bars after those that judged: fewer say nothing, and the judging part is measured again."""

LEVEL = 0.05
"""Of the bootstrap's interval; nothing is tested, so nothing is spent of the stream of trials."""

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Watched:
    """One merged patch, as it stands. `fresh` = measured now; `rollback`: the branch that asks to take it back."""

    event: PatchWatched
    fresh: bool
    rollback: str | None


@dataclass(frozen=True)
class _Known:
    """What the ledger says: patches that are merged and stand, answers by question, rollbacks asked for by question."""

    merged: tuple[str, ...]
    answers: dict[str, PatchWatched]
    asked: frozenset[str]

    @classmethod
    def of(cls, events: Iterable[Event]) -> _Known:
        merged: dict[str, None] = {}
        answers: dict[str, PatchWatched] = {}
        asked: set[str] = set()
        for event in events:
            if isinstance(event, ReviewApproved) and event.branch.startswith(PATCHES):
                merged[event.branch.removeprefix(PATCHES)] = None
            elif isinstance(event, PatchRolledBack):
                merged.pop(event.ablation_id, None)
            elif isinstance(event, PatchWatched):
                answers[event.question] = event
            elif isinstance(event, RollbackProposed):
                asked.add(event.question)
        return cls(tuple(merged), answers, frozenset(asked))


def watch(
    workspace: Workspace,
    forge: Forge,
    emit: Emit,
    *,
    executor: Executor | None = None,
    deadline_s: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Watched, ...]:
    """Every merged patch of settings, measured again where something it depends on changed since the last time.

    `emit` must append to the workspace's ledger before it returns. Begins nothing after `deadline_s` (of
    time.monotonic). Safe to repeat and to kill: what was measured is not measured again, and a rollback that a crash
    kept from being proposed is proposed then. Raises RepositoryError, ForgeError, DataError, LedgerError.
    """
    repo = Repository(workspace.root)
    known = _Known.of(e.event for e in read(workspace.ledger))
    found = []
    for ablation_id in known.merged:
        try:
            record = merged_record(repo, ablation_id)
        except ReviewError:
            continue  # merged on another branch, or not pulled yet: what is not in force is not watched
        case = _Case.of(workspace, record)
        if case is None:
            continue
        event = known.answers.get(case.question)
        fresh = event is None
        if event is None:
            if time.monotonic() > deadline_s:
                break
            progress(f"watching {record.patch.module}, merged as {ablation_id[:12]}")
            event = _measure(case, executor or Serial(), emit)
            emit(event)
        branch = None
        if event.decayed and case.question not in known.asked:
            branch = _ask_back(workspace, forge, event, emit)
        found.append(Watched(event, fresh, branch))
    return tuple(found)


@dataclass(frozen=True)
class _Case:
    """A merged patch with what its benefit depends on today."""

    workspace: Workspace
    record: AblationRecord
    suite: Suite
    version: DataVersion
    tasks: tuple[Task, ...]
    later: bool
    back: Patch
    objective: str
    code: dict[str, str]

    @property
    def question(self) -> str:
        """The digest of all that the answer depends on."""
        return digest_json(
            [self.record.digest, self.back.digest, self.suite.digest, self.code, [t.digest for t in self.tasks]]
        )

    @classmethod
    def of(cls, workspace: Workspace, record: AblationRecord) -> _Case | None:
        """None for a patch that cannot be measured by taking it back: of texts, or whose values moved on since."""
        patch = record.patch
        if not patch.changes or record.floor is None:
            return None
        try:
            suite = load_suite(record.suite.name)
            modules = {_stage(p.stage): load_module(_stage(p.stage), p.module.partition("/")[2]) for p in patch.parts}
            version = DataStore(workspace.data).current(suite.data)
        except (SuiteError, RegistryError, DataError):
            return None
        for part in patch.parts:
            there = modules[_stage(part.stage)].settings.model_dump(mode="json")
            if any(_plain(there.get(k)) != _plain(c.new) for k, c in part.changes.items()):
                return None
        spec = load_pipeline(workspace.root / "pipeline.yaml")
        tasks = suite_tasks(suite, version, spec, "judging", {stage: m.name for stage, m in modules.items()})
        later = _later(tasks, record, version)
        names = {**tasks[0].stages}
        code: dict[str, str] = {}
        for at in STAGES:
            loaded = load_module(at, names[at])
            code[at] = f"{loaded.name}@{loaded.code_digest}@{digest_json(loaded.settings.model_dump(mode='json'))}"
        back, objective = inverse(patch), modules[_stage(patch.stage)].contract.objective_series
        return cls(workspace, record, suite, version, later or tasks, later is not None, back, objective, code)


def _later(tasks: Sequence[Task], record: AblationRecord, version: DataVersion) -> tuple[Task, ...] | None:
    """The tasks on the bars after those that judged, up to the lockbox; None where there are too few."""
    _, end = period(version, "judging")
    start = max(ns(record.suite.end), version.mining_end_ns)
    if end - start < LATER_DAYS * DAY_NS:
        return None
    return tuple(task.model_copy(update={"start_ns": start, "end_ns": end}) for task in tasks)


def _measure(case: _Case, executor: Executor, emit: Emit) -> PatchWatched:
    clock = time.perf_counter()
    where = case.workspace
    jobs = [
        Job(named.name, task, case.back, case.objective, where.data, where.artifacts)
        for named, task in zip(case.suite.tasks, case.tasks, strict=True)
    ]
    outcomes = executor.map(run_arms, jobs)
    for outcome in outcomes:
        for event in outcome.events:
            emit(event)
    # A look at data like any other: it is counted, and as it tests nothing it costs nothing.
    emit(
        TrialRecorded(
            trial_id=f"watch-{case.question[:16]}",
            family="backtest",
            subject=case.record.patch.module,
            data_digest=case.version.digest,
        )
    )
    benefit, low, high, note = _benefit(outcomes, case)
    floor = case.record.floor
    assert floor is not None, "only shipped records are merged"
    return PatchWatched(
        ablation_id=case.record.ablation_id,
        question=case.question,
        data_digest=case.version.digest,
        start=iso(case.tasks[0].start_ns),
        end=iso(case.tasks[0].end_ns),
        later=case.later,
        benefit=benefit,
        lower_bound=low,
        upper_bound=high,
        bound=floor.lower_bound,
        decayed=benefit is not None and benefit < floor.lower_bound,
        seconds=time.perf_counter() - clock,
        note=note,
    )


def _benefit(outcomes: Sequence[Outcome], case: _Case) -> tuple[float | None, float | None, float | None, str]:
    """What is in force gains over what was before, and the ends of its interval; None where it cannot be said."""
    arms = [o.series for o in outcomes if o.series is not None]
    if len(arms) < len(outcomes):
        failed = next(o.failed for o in outcomes if o.series is None)
        return None, None, None, f"its tasks no longer run both ways: {failed[:300]}"
    try:
        series = round_series(outcomes[0].ts, arms, outcomes[0].bars_per_year).series
        floor = measure(series, LEVEL, seed_of(case.record.ablation_id))
    except FloorError as error:
        return None, None, None, str(error)[:300]
    if floor is None:
        return 0.0, 0.0, 0.0, "taking it back changes nothing any more"
    # Taking it back gains `delta`: what is in force gains the opposite.
    reach = floor.delta - floor.lower_bound
    return -floor.delta, -floor.delta - reach, -floor.lower_bound, ""


def _ask_back(workspace: Workspace, forge: Forge, event: PatchWatched, emit: Emit) -> str | None:
    assert event.benefit is not None
    where = "later bars" if event.later else "the judging part"
    reason = f"benefit {event.benefit:+.3f} on {where} is below its bound {event.bound:+.3f}"
    evidence = (
        f"benefit {event.benefit:+.3f} a year, {event.lower_bound:+.3f} to {event.upper_bound:+.3f}",
        f"on {where}, {event.start} to {event.end}, data {event.data_digest[:16]}",
        *([event.note] if event.note else []),
    )
    try:
        opened = propose_rollback(
            workspace, forge, event.ablation_id, reason, emit, question=event.question, evidence=evidence
        )
    except ReviewError as error:
        if error.reason in (Refusal.ALREADY_ROLLED_BACK, Refusal.BASE_IS_STALE):
            return None
        raise
    except PatchError:
        return None
    return opened.branch


def _stage(name: str) -> Stage:
    found = next((stage for stage in STAGES if stage == name), None)
    if found is None:
        raise RegistryError(f"{name!r} is no stage; there are {', '.join(STAGES)}")
    return found


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple | list) else value
