"""The two halves of the loop as the commands and the demo call them: research a text, supervise the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.session import Session
    from harness.desk import Progress
    from harness.report import ReportPaths
    from harness.state import ResearchResult
    from supervisor.result import SuperviseResult, VerdictLine

WORKERS = 2


@dataclass(frozen=True)
class Researched:
    """A research result, with the report of the run that was chosen."""

    result: ResearchResult
    report: ReportPaths | None


def research_text(
    session: Session, text: str, *, data: str | None, candidates: int, seed: int, progress: Progress
) -> Researched:
    """Research one hypothesis and write the report of the candidate that was backtested."""
    from cli.running import report_run
    from harness.research import research
    from modules.task import load_pipeline

    pipeline = session.workspace.root / "pipeline.yaml"
    version = session.version(data or load_pipeline(pipeline).data)
    result = research(
        text, workspace=session.workspace, emit=session.emit, data=version, k=candidates, seed=seed, progress=progress
    )
    if result.chosen is None:
        return Researched(result, None)
    progress("report", f"drawing run {result.chosen.run_id}")
    return Researched(result, report_run(session, session.manifests.load(result.chosen.run_id)))


def supervise_workspace(
    session: Session, *, suite: str, seconds: float, ablations: int, workers: int, progress: Callable[[str], None]
) -> SuperviseResult:
    """One pass of the supervisor, its ablations spread over local processes."""
    from ablations.executor import LocalPool
    from supervisor.loop import Budget, supervise

    with LocalPool(workers) as pool:
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
