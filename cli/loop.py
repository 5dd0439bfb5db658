"""The two halves of the loop as the commands and the demo call them: research a text, supervise the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cli.session import Session
    from harness.budget import Budget
    from harness.progress import Progress
    from harness.report import ReportPaths
    from harness.research import Ask
    from harness.result import ResearchResult
    from supervisor.night.plan import Plan
    from supervisor.night.result import NightResult
    from supervisor.result import SuperviseResult, VerdictLine

WORKERS = 2


@dataclass(frozen=True)
class Researched:
    """A research result, with the report of the run that was chosen."""

    result: ResearchResult
    report: ReportPaths | None


@dataclass(frozen=True)
class ResearchRequest:
    """What stands on the command line of `cws research`. One of `text`, `spec` and `resume` is given."""

    text: str | None = None
    spec: Path | None = None
    resume: str | None = None
    answer: str | None = None
    data: str | None = None
    candidates: int = 6
    seed: int = 0
    llm: str = "offline"
    budget: Budget | None = None
    spec_only: bool = False
    new_only: bool = False
    defaults: bool = False
    literature: tuple[str, ...] = ()


def research_request(
    session: Session,
    request: ResearchRequest,
    progress: Progress,
    *,
    ask: Ask | None = None,
    started: Callable[[str], None] = lambda research_id: None,
) -> Researched:
    """Research what was asked, and write the report of the candidate that was backtested."""
    from cli.running import report_run
    from harness.progress import Step

    result = _researched(session, request, progress, ask, started)
    if result.chosen is None:
        return Researched(result, None)
    progress(Step(node="report", state="begins"))
    progress(Step(node="report", state="waits", words=f"drawing run {result.chosen.run_id}", spent=result.total))
    report = report_run(session, session.manifests.load(result.chosen.run_id))
    progress(Step(node="report", state="finds", words=str(report.html), spent=result.total))
    return Researched(result, report)


def _researched(
    session: Session, request: ResearchRequest, progress: Progress, ask: Ask | None, started: Callable[[str], None]
) -> ResearchResult:
    from harness.research import Company, research, resume
    from harness.specification import read_spec
    from modules.task import load_pipeline

    if request.resume is not None:
        company = Company(session.workspace, session.emit, ask, request.defaults, progress, started)
        return resume(request.resume, company, answer=request.answer)
    claim = read_spec(request.spec) if request.spec is not None else request.text or ""
    named = request.data or (claim.universe if not isinstance(claim, str) else None)
    return research(
        claim,
        workspace=session.workspace,
        emit=session.emit,
        data=session.version(named or load_pipeline(session.workspace.root / "pipeline.yaml").data),
        k=request.candidates,
        seed=request.seed,
        llm=request.llm,
        budget=request.budget,
        progress=progress,
        ask=ask,
        defaults=request.defaults,
        spec_only=request.spec_only,
        new_only=request.new_only,
        literature=request.literature,
        started=started,
    )


def supervise_workspace(
    session: Session, *, suite: str, seconds: float, ablations: int, workers: int, progress: Callable[[str], None]
) -> SuperviseResult:
    """One pass of the supervisor, its ablations spread over local processes."""
    from ablations.executors.choice import executor
    from supervisor.loop import Budget, supervise

    with executor(workers) as pool:
        result = supervise(
            session.workspace,
            session.emit,
            suite=suite,
            budget=Budget(seconds=seconds, ablations=ablations),
            executor=pool,
            progress=progress,
            emit_all=session.emit_all,
        )
    return replace(result, verdicts=tuple(_with_floor(line, session) for line in result.verdicts))


def nightly_workspace(
    session: Session,
    plan: Plan,
    *,
    workers: int,
    llm: str | None,
    certify: bool,
    anew: bool,
    progress: Callable[[str], None],
) -> NightResult:
    """One night of the supervisor, its ablations spread over local processes."""
    from ablations.executors.choice import executor
    from harness.llm.choice import chosen
    from supervisor.night.duties import name_unreviewed, renew_certificates, replay_days, watch_merged
    from supervisor.night.night import nightly
    from supervisor.proposers.standing import standing

    here = standing(session.workspace, session.emit, chosen(llm))
    with executor(workers) as pool:
        result = nightly(
            session.workspace,
            session.emit,
            plan,
            proposers=here.proposers,
            duties=(name_unreviewed, replay_days, *((renew_certificates,) if certify else ()), watch_merged),
            executor=pool,
            progress=progress,
            emit_all=session.emit_all,
            anew=anew,
        )
    verdicts = tuple(_with_floor(line, session) for line in result.verdicts)
    return replace(result, verdicts=verdicts, notes=(*here.notes, *result.notes))


def _with_floor(line: VerdictLine, session: Session) -> VerdictLine:
    """A standing verdict with the noise floor that its record holds, if the record is still there."""
    from ablations.record import RecordError, read_record
    from supervisor.submit import kept_record

    if line.noise_floor is not None or not line.standing:
        return line
    try:
        floor = read_record(kept_record(session.workspace, line.ablation_id)).floor
    except RecordError:
        return line
    return replace(line, noise_floor=floor.noise_floor if floor else None)
