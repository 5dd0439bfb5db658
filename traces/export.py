"""Copy a recorded run to MLflow. Nothing here is on the path of a run: export reads what the ledger already holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from traces.events import Envelope, Metrics, RunFailed, RunFinished, RunStarted, StageFinished, StageRefused
from traces.log import LedgerError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "cws"
RUN_TAG = "cws.run_id"
_MAX_PARAM = 6000
_MAX_TAG = 8000
_PAIRS_A_CALL = 100


class RunExport(BaseModel):
    """One run as MLflow sees it. Times in ns UTC; `ended_ns` None = still running. `artifacts`: files to copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: Annotated[str, Field(pattern=r"^[\w.\-]+$")]
    name: str
    status: Literal["RUNNING", "FINISHED", "FAILED"]
    params: Mapping[str, str]
    metrics: Metrics
    tags: Mapping[str, str]
    artifacts: Sequence[Path] = ()
    started_ns: int
    ended_ns: int | None


def run_export(envelopes: Iterable[Envelope], run_id: str, artifacts: Sequence[Path] = ()) -> RunExport:
    """The run's parameters, metrics and tags, gathered from its events.

    Settings become parameters `<stage>.<setting>`, metrics of stages `<stage>.<metric>`, digests tags.
    Raises LedgerError when no `run.started` bears this id.
    """
    started: tuple[RunStarted, int] | None = None
    ended_ns: int | None = None
    status: Literal["RUNNING", "FINISHED", "FAILED"] = "RUNNING"
    params: dict[str, str] = {}
    metrics: dict[str, float | None] = {}
    tags: dict[str, str] = {RUN_TAG: run_id}
    for envelope in envelopes:
        event = envelope.event
        if getattr(event, "run_id", None) != run_id:
            continue
        match event:
            case RunStarted():
                started = (event, envelope.ts_ns)
                scalars = {"data": event.data, "signal": event.signal, "start": event.start, "end": event.end}
                params |= {k: str(v) for k, v in scalars.items() if v is not None} | {"seed": str(event.seed)}
                params |= {f"module.{stage}": module for stage, module in event.modules.items()}
                tags |= {"cws.task": event.task_digest, "cws.data": event.data_digest, "cws.purpose": event.purpose}
            case StageFinished():
                params |= {f"{event.stage}.{key}": str(value) for key, value in event.settings.items()}
                metrics |= {f"{event.stage}.{key}": value for key, value in event.metrics.items()}
                tags |= {f"cws.{event.stage}.{name}": digest for name, digest in event.outputs.items()}
            case StageRefused():
                tags[f"cws.{event.stage}.refused"] = event.message
            case RunFinished():
                status, ended_ns = "FINISHED", envelope.ts_ns
                metrics |= {**event.metrics, "seconds": event.seconds}
                tags["cws.digest"] = event.digest
            case RunFailed():
                status, ended_ns = "FAILED", envelope.ts_ns
                tags |= {"cws.error": f"{event.error}: {event.message}"}
            case _:
                pass
    if started is None:
        raise LedgerError(f"no run.started with run_id {run_id!r}: list the runs with `cws runs`")
    begun, started_ns = started
    return RunExport(
        run_id=run_id,
        name=f"{begun.purpose} {begun.signal or begun.data}",
        status=status,
        params=params,
        metrics=metrics,
        tags=tags,
        artifacts=tuple(artifacts),
        started_ns=started_ns,
        ended_ns=ended_ns,
    )


def to_mlflow(run: RunExport, tracking_uri: str, artifact_root: Path) -> str:
    """Log the run to MLflow and return MLflow's own id for it. A run exported before is completed, not repeated.

    tracking_uri: for instance `sqlite:////home/me/.cws/mlflow.db`; a server only on loopback. artifact_root: where
    copies of the artifacts go (used when the experiment is first made). A metric that is None is left out. Parameters
    longer than 6,000 characters are cut. Raises LedgerError naming an artifact that is not there.
    """
    missing = [path for path in run.artifacts if not path.is_file()]
    if missing:
        raise LedgerError(f"{missing[0]}: no such artifact of run {run.run_id}; nothing was exported")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # MLflow reports home unless told not to before it is imported
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=tracking_uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        location = artifact_root.resolve().as_uri()
        experiment_id = str(client.create_experiment(EXPERIMENT, artifact_location=location))
    else:
        experiment_id = str(experiment.experiment_id)
    target = _find_or_create(client, experiment_id, run)
    _log(client, target, run)
    return target


def _find_or_create(client: MlflowClient, experiment_id: str, run: RunExport) -> str:
    found = client.search_runs([experiment_id], filter_string=f"tags.`{RUN_TAG}` = '{run.run_id}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    created = client.create_run(
        experiment_id,
        start_time=run.started_ns // 1_000_000,
        tags={RUN_TAG: run.run_id},
        run_name=run.name[:250],
    )
    return str(created.info.run_id)


def _log(client: MlflowClient, target: str, run: RunExport) -> None:
    """Everything of the run, with the run's own times, so that a second export writes the same values."""
    from mlflow.entities import Metric, Param, RunTag

    at_ms = (run.ended_ns or run.started_ns) // 1_000_000
    params = [Param(_key(k), v[:_MAX_PARAM]) for k, v in run.params.items()]
    tags = [RunTag(_key(k), v[:_MAX_TAG]) for k, v in run.tags.items()]
    logged = client.get_run(target).data.metrics
    metrics = [
        Metric(_key(k), v, at_ms, 0) for k, v in run.metrics.items() if v is not None and logged.get(_key(k)) != v
    ]
    for start in range(0, max(len(params), len(tags), len(metrics)), _PAIRS_A_CALL):
        part = slice(start, start + _PAIRS_A_CALL)
        client.log_batch(target, metrics=metrics[part], params=params[part], tags=tags[part])
    for path in run.artifacts:
        client.log_artifact(target, str(path))
    if run.ended_ns is not None:
        client.set_terminated(target, status=run.status, end_time=run.ended_ns // 1_000_000)


def _key(name: str) -> str:
    """MLflow takes letters, digits and `_ - . / :` and spaces, 250 characters at most."""
    return "".join(c if c.isalnum() or c in "_-./: " else "_" for c in name)[:250]
