"""The decision: criteria first, then a human's word, then the look, then the record. Nothing is promoted otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.repository import Identity, Repository
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.lockbox import Emit, LockboxSpentError, Purpose, Standing, strategy_of
from modules.manifest import Manifest
from modules.promotion import PaperGate, PromotionSpec, Target
from modules.replay import replay
from modules.workspace import Workspace
from supervisor.forge.choice import forge_of
from supervisor.forge.port import PROMOTIONS, Draft
from supervisor.promotion.criteria import Answer, Criterion, all_hold, evaluate
from supervisor.promotion.look import Look, look
from supervisor.promotion.record import PromotionRecord, stages_of
from supervisor.promotion.research import research
from supervisor.promotion.traded import live_findings
from supervisor.standing import unreviewed
from traces.events import PromotionDecided, ReviewOpened
from traces.reader import read

Confirm = Callable[["Assessment"], Identity | None]
"""Asks a human whether the lockbox may be opened: who said yes, or None."""


class PromotionError(RuntimeError):
    """A promotion that cannot be decided: the run is not fit for one."""


@dataclass(frozen=True)
class Assessment:
    """How a run stands before the gate, before anything was opened. `standings`: of each lockbox it would open."""

    manifest: Manifest
    to: Target
    strategy: str
    criteria: tuple[Criterion, ...]
    standings: tuple[Standing, ...]
    validation: str | None

    @property
    def ready(self) -> bool:
        """Whether everything that can be known without the lockbox holds."""
        return all(c.answer in (Answer.HOLDS, Answer.NOT_ASKED) for c in self.criteria) and not self.spent

    @property
    def spent(self) -> bool:
        """Whether the strategy had its look already."""
        return any(s.spent is not None for s in self.standings)


@dataclass(frozen=True)
class Decision:
    """What came of it. `record` None = a human did not confirm, and nothing was decided; `branch` where it waits."""

    assessment: Assessment
    record: PromotionRecord | None
    branch: str | None

    @property
    def promoted(self) -> bool:
        """Whether the run may go on."""
        return self.record is not None and self.record.decision == "PROMOTE"


def assess(workspace: Workspace, manifest: Manifest, to: Target, spec: PromotionSpec) -> Assessment:
    """Every criterion that needs no lockbox, with figures. Reads no row of one, records nothing."""
    manifest.stage("execute")
    strategy = strategy_of(manifest)
    if to == "paper":
        gate = spec.paper
        assert isinstance(gate, PaperGate)
        found = research(workspace, manifest, gate)
        criteria = evaluate(gate, found.findings, frozenset({"research"}))
        return Assessment(manifest, to, strategy, criteria, found.standings, found.validation)
    criteria = evaluate(
        spec.gate(to),
        live_findings(workspace, strategy, manifest.metrics.get("net_sharpe", math.nan), to),
        frozenset({"live"}),
    )
    return Assessment(manifest, to, strategy, criteria, (), None)


def promote(
    workspace: Workspace,
    manifest: Manifest,
    to: Target,
    spec: PromotionSpec,
    by: Identity,
    emit: Emit,
    confirm: Confirm,
) -> Decision:
    """Decide on one run. The lockbox is opened only where everything else holds, the run reproduces to the bit, and
    `confirm` names a human; an opening is spent whatever it shows.

    A promoted run gets a branch with its record, which a human merges by `cws review approve`. Raises
    LockboxSpentError, RepositoryError; PromotionError where the run does not reproduce, or where the checked-out commit
    holds work of the engine that no human approved.
    """
    _refuse_unreviewed(workspace)
    found = assess(workspace, manifest, to, spec)
    seen: Look | None = None
    criteria = found.criteria
    for standing in found.standings:
        if standing.spent is not None:
            raise LockboxSpentError(standing.spent)
    if found.ready and to == "paper":
        _reproduce(workspace, manifest, emit)
        human = confirm(found)
        if human is None:
            return Decision(found, None, None)
        by = human
        purpose = Purpose(manifest.run_id, manifest.digest, found.strategy, str(by))
        seen = look(workspace, manifest, purpose, emit)
        opened = evaluate(spec.paper, seen.findings, frozenset({"lockbox"}))
        criteria = tuple(new if new.source == "lockbox" else old for old, new in zip(criteria, opened, strict=True))
    record = _record(found, criteria, seen, spec, by)
    emit(decided(record))
    return Decision(found, record, _submit(workspace, record, emit) if record.decision == "PROMOTE" else None)


def decided(record: PromotionRecord) -> PromotionDecided:
    """The event of a decision."""
    return PromotionDecided(
        promotion_id=record.promotion_id,
        run_id=record.run_id,
        run_digest=record.run_digest,
        strategy=record.strategy,
        to=record.to,
        decision=record.decision,
        held=tuple(c.name for c in record.criteria if c.answer is Answer.HOLDS),
        failed=tuple(c.name for c in record.criteria if c.answer is not Answer.HOLDS),
        figures={c.name: c.figure for c in record.criteria},
        opened=record.lockbox is not None,
        by=record.by,
        record=record.digest,
    )


def _refuse_unreviewed(workspace: Workspace) -> None:
    """What is promoted is what is merged, and nothing is merged without a human's name."""
    found = unreviewed(Repository(workspace.root), (e.event for e in read(workspace.ledger)))
    if found:
        raise PromotionError(
            f"{len(found)} commits brought work of the engine without a human's approval; {found[0]}; "
            "revert them, and approve their requests with `cws review approve`"
        )


def _record(
    found: Assessment, criteria: tuple[Criterion, ...], seen: Look | None, spec: PromotionSpec, by: Identity
) -> PromotionRecord:
    task = found.manifest.task
    gate = spec.gate(found.to)
    return PromotionRecord(
        to=found.to,
        decision="PROMOTE" if all_hold(criteria) else "REFUSE",
        strategy=found.strategy,
        run_id=found.manifest.run_id,
        run_digest=found.manifest.digest,
        task_digest=found.manifest.task_digest,
        data=task.data,
        data_digest=task.data_digest,
        facts=task.facts,
        facts_digest=task.facts_digest,
        signal=task.signal,
        stages=stages_of(found.manifest),
        gate=gate.model_dump(mode="json"),
        gate_digest=spec.digest(found.to),
        validation_digest=found.validation,
        criteria=criteria,
        lockbox=seen,
        by=str(by),
    )


def _reproduce(workspace: Workspace, manifest: Manifest, emit: Emit) -> None:
    """Today's code must give the run's bits from its raw rows: else the look would be at something else."""
    again = replay(manifest, DataStore(workspace.data), ArtifactStore(workspace.artifacts), emit)
    if not again.equal:
        where = again.difference.message if again.difference else ""
        raise PromotionError(
            f"run {manifest.run_id} does not reproduce, so the lockbox stays shut: {where}; "
            "run it again with the code and settings of today, and validate that run"
        )


def _submit(workspace: Workspace, record: PromotionRecord, emit: Emit) -> str:
    branch = f"{PROMOTIONS}{record.promotion_id}"
    held = "\n".join(
        f"* {c.name}: {c.figure:.4g} ({c.side} {c.limit:g})" for c in record.criteria if c.figure is not None
    )
    message = (
        f"Promote {record.signal or record.run_id} to {record.to}\n\n{held}\n\n"
        f"Run {record.run_id}, data {record.data}; decided by {record.by}."
    )
    draft = Draft(branch, {record.path: record.text}, message, message, author=Identity.parse(record.by))
    opened = forge_of(workspace).open(draft)
    emit(ReviewOpened(branch=branch, ablation_id=None, commit=opened.commit))
    return branch
