"""Copy what was recorded to MLflow, off the path of a run: export reads what the ledger already holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from traces.events import Envelope, Metrics, RunFailed, RunFinished, RunStarted, StageFinished, StageRefused
from traces.log import LedgerError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "cws"
RUN_TAG = "cws.run_id"
SEQ_TAG = "cws.seq"
"""The last thing that is written of a run: the record of the ledger up to which it is complete."""

_MAX_PARAM = 6000
_MAX_TAG = 8000
_PAIRS_A_CALL = 100
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # MLflow reports home unless told not to before it is imported
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is gone is said soon, not after minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


class ExportError(LedgerError):
    """MLflow could not be told; the message says where and why. What was told before stays, and is not told again."""


class RunExport(BaseModel):
    """One run as MLflow sees it. Times in ns UTC; `ended_ns` None = still running. `artifacts`: files to copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: Annotated[str, Field(pattern=r"^[\w.\-]+$")]
    name: str
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
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

    tracking_uri: for instance `sqlite:////home/me/.cws/mlflow.db`, or a server by its URL. artifact_root: where copies
    of the artifacts go (used when the experiment is first made, and there is no server to keep them). A metric that is
    None is left out. Parameters longer than 6,000 characters are cut. Raises LedgerError naming an artifact that is not
    there, ExportError.
    """
    missing = [path for path in run.artifacts if not path.is_file()]
    if missing:
        raise LedgerError(f"{missing[0]}: no such artifact of run {run.run_id}; nothing was exported")
    return Mlflow(tracking_uri, artifact_root).put(EXPERIMENT, run)


def without_password(tracking_uri: str) -> str:
    """The URI as it may be shown."""
    parts = urlsplit(tracking_uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.password else tracking_uri


class Mlflow:
    """One tracking database or server. Raises ExportError where it does not answer or refuses."""

    def __init__(self, tracking_uri: str, artifact_root: Path) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self._place = without_password(tracking_uri)
        self._who = urlsplit(tracking_uri).netloc.rpartition("@")[0]
        self._served = urlsplit(tracking_uri).scheme in ("http", "https")
        self._artifact_root = artifact_root
        self._experiments: dict[str, str] = {}
        with self._told():
            self._client: MlflowClient = MlflowClient(tracking_uri=tracking_uri)

    def put(self, experiment: str, run: RunExport, seq: int | None = None) -> str:
        """MLflow's id of the run, told whole. With `seq`: a run that was told up to it is left as it is."""
        with self._told():
            where = self._experiment(experiment)
            found = self._find(where, run.run_id)
            if found is not None and seq is not None and found.data.tags.get(SEQ_TAG) == str(seq):
                return str(found.info.run_id)
            target = str((found or self._create(where, run)).info.run_id)
            _log(self._client, target, run)
            if seq is not None:
                self._client.set_tag(target, SEQ_TAG, str(seq))
            return target

    def add_tags(self, experiment: str, run_id: str, tags: Mapping[str, str]) -> bool:
        """More tags for a run that was told before; False where there is none."""
        with self._told():
            found = self._find(self._experiment(experiment), run_id)
            if found is None:
                return False
            for key, value in tags.items():
                self._client.set_tag(found.info.run_id, _key(key), value[:_MAX_TAG])
            return True

    def note(self, name: str) -> str | None:
        """What `keep` kept under this name."""
        with self._told():
            tags = self._client.get_experiment(self._experiment(EXPERIMENT)).tags
            return None if name not in tags else str(tags[name])

    def keep(self, name: str, text: str) -> None:
        """A note of ours, beside the runs that it is about."""
        with self._told():
            self._client.set_experiment_tag(self._experiment(EXPERIMENT), name, text)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            whole = str(error).replace(f"{self._who}@", "") if self._who else str(error)
            said = whole.splitlines()[0][:300]
            raise ExportError(f"MLflow at {self._place}: {said}; try again once it answers") from error

    def _experiment(self, name: str) -> str:
        if name not in self._experiments:
            found = self._client.get_experiment_by_name(name)
            if found is not None:
                self._experiments[name] = str(found.experiment_id)
            else:
                # A server keeps the copies itself: a path of this machine would mean nothing to it.
                root = None if self._served else self._artifact_root.resolve().as_uri()
                self._experiments[name] = str(self._client.create_experiment(name, artifact_location=root))
        return self._experiments[name]

    def _find(self, experiment_id: str, run_id: str) -> Run | None:
        wanted = f"tags.`{RUN_TAG}` = '{run_id}'"
        found = self._client.search_runs([experiment_id], filter_string=wanted, max_results=1)
        return found[0] if found else None

    def _create(self, experiment_id: str, run: RunExport) -> Run:
        return self._client.create_run(
            experiment_id,
            start_time=run.started_ns // 1_000_000,
            tags={RUN_TAG: run.run_id},
            run_name=run.name[:250],
        )


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
