"""Run a task and keep what it leaves: manifest, trial, report. Shared by `run` and `demo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.session import Session, Stores
    from harness.report import ReportPaths
    from modules.manifest import Manifest
    from modules.task import PipelineSpec


@dataclass(frozen=True)
class RunRequest:
    """What stands on the command line of `cws run`; None = as the pipeline says."""

    pipeline: Path
    signal: str | None = None
    data: str | None = None
    facts: str | None = None
    start: str | None = None
    end: str | None = None
    seed: int | None = None
    use_cache: bool = True


def run_request(session: Session, request: RunRequest) -> Manifest:
    """Run it, save its manifest, count it as a trial if anything new was looked at."""
    from modules.pipeline import execute
    from modules.sources import source_of
    from modules.task import load_modules, load_pipeline, make_task
    from traces.events import TrialRecorded

    spec = _checked(load_pipeline(request.pipeline), request.signal)
    version = session.version(request.data or spec.data)
    named = request.facts or spec.facts
    task = make_task(
        spec,
        version,
        facts=session.version(named) if named else None,
        signal=request.signal,
        start=request.start,
        end=request.end,
        seed=request.seed,
    )
    raw = source_of(session.data, task)
    manifest = execute(
        task, load_modules(task, version), raw, session.artifacts, session.emit, use_cache=request.use_cache
    )
    session.manifests.save(manifest)
    if not all(stage.cached for stage in manifest.stages):
        session.emit(
            TrialRecorded(
                trial_id=f"run-{manifest.run_id}",
                family="backtest",
                subject=signal_of(manifest),
                data_digest=version.digest,
            )
        )
    return manifest


def _checked(spec: PipelineSpec, signal: str | None) -> PipelineSpec:
    """The request refused before anything runs. Raises RequestError, and SignalError with the column."""
    from cli.errors import RequestError
    from modules.signal import parse

    if signal is not None:
        if not signal.strip():
            raise RequestError("signal is empty", 'give an expression, like --signal "rank(-returns(close, 5))"')
        parse(signal)
    return spec


def signal_of(manifest: Manifest) -> str:
    """The expression that was run; of a module that has none, its name."""
    if manifest.task.signal is not None:
        return manifest.task.signal
    feature = manifest.stage("feature")
    return str(feature.settings.get("expr") or f"feature/{feature.module}")


def report_run(stores: Stores, manifest: Manifest) -> ReportPaths:
    """Write the report of a run below the workspace's reports; its pictures as files are left to `cws report`."""
    from harness.report import RunReport, write
    from harness.report.load import beside_run, trials_recorded

    place = stores.workspace
    trials, beside = trials_recorded(place.ledger), beside_run(place, manifest)
    made = RunReport.of(manifest, stores.artifacts, trials, beside)
    return write(made, place.reports / manifest.run_id, pictures=False)
