"""Tracking into a real MLflow: a database, and a server on loopback.

1. Everything is told once, however often and by however many it is asked, and with the ledger's own figures.
2. Killed anywhere, the next pass completes it: nothing twice, nothing missing.
3. A verdict that is reached again, and what a human decided, are told to the same entry.
4. A server that is gone, or a note that is spoilt, is said or survived; the ledger is only read.
5. Time that runs out is said, and the next pass goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modules.workspace import Workspace
from supervisor.submit import kept_record
from supervisor.tracking import track
from tests.supervisor.board.story import ablation, write
from tests.supervisor.tracking.test_entries import ENDED, RUN, STAGE
from traces.events import CertificateIssued, Event
from traces.export import ExportError
from traces.ledger import Ledger

if TYPE_CHECKING:
    from mlflow.entities import Run

pytestmark = pytest.mark.slow

CERTIFICATE = CertificateIssued(
    certificate_id="9" * 16,
    gate_digest="g",
    suite_digest="s",
    data_digest="d",
    patches=1000,
    false_ships=0,
    upper_bound=0.003,
    minimum_detectable=0.2,
)


def a_workspace(folder: Path, verdicts: int) -> Workspace:
    place = Workspace(root=folder, home=folder / "state")
    write(place.ledger, place.checkpoints, verdicts)
    append(place, RUN, STAGE, ENDED, CERTIFICATE)
    return place


def append(place: Workspace, *events: Event) -> None:
    with Ledger(place.ledger, place.checkpoints) as ledger:
        ledger.append(*events)


def told(uri: str, experiment: str) -> Sequence[Run]:
    """Every run of an experiment."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    return [] if found is None else client.search_runs([found.experiment_id], max_results=1000)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was made and holds nothing; making one takes MLflow seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("empty") / "m.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(empty: Path, tmp_path: Path) -> str:
    """A database of the test's own."""
    return f"sqlite:///{shutil.copy(empty, tmp_path / 'm.db')}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server on loopback."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "kept")]
    quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, *stores], stdout=log, stderr=log, env=quiet, cwd=folder, start_new_session=True
        )
        try:
            for _ in range(6_000):
                try:
                    urllib.request.urlopen(f"{uri}/health", timeout=1).close()
                    break
                except (urllib.error.URLError, TimeoutError, ConnectionError):
                    assert running.poll() is None, (folder / "log").read_text()[-2000:]
                    time.sleep(0.1)
            else:
                pytest.fail(f"the server did not answer: {(folder / 'log').read_text()[-2000:]}")
            yield uri
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def test_1_a_server_is_told_each_thing_once(server: str, tmp_path: Path) -> None:
    place = a_workspace(tmp_path, 6)
    record = kept_record(place, f"{0:016x}")
    record.mkdir(parents=True)
    (record / "report.md").write_text("# SHIP")
    first = track(place, server)
    assert (first.runs, first.ablations, first.certificates, first.reviews, first.complete) == (1, 6, 1, 2, True)
    again = track(place, server)
    assert (again.runs, again.ablations, again.certificates, again.reviews) == (0, 0, 0, 0)
    (run,) = told(server, "cws")
    assert run.data.metrics["net_sharpe"] == 0.5 and run.data.params["size.no_trade_band"] == "0.04"
    ablations = told(server, "cws-ablations")
    assert len(ablations) == 6 and {r.info.status for r in ablations} == {"FINISHED"}
    assert sum(r.data.metrics["shipped"] for r in ablations) == 2
    merged = [r for r in ablations if r.data.tags.get("cws.review") == "merged"]
    assert len(merged) == 2 and all("Ada Byron" in r.data.tags["cws.by"] for r in merged)
    (certificate,) = told(server, "cws-certificates")
    assert certificate.data.metrics["upper_bound"] == 0.003
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=server)
    (shipped,) = [r for r in ablations if r.data.tags["cws.ablation"] == f"{0:016x}"]
    assert [f.path for f in client.list_artifacts(shipped.info.run_id)] == ["report.md"]
    append(place, *ablation(99, "size/new", "band", False, 0.001, random.Random(1)))
    assert track(place, server).ablations == 1 and len(told(server, "cws-ablations")) == 7


def test_1_two_workspaces_judge_apart(tmp_path: Path, uri: str) -> None:
    for name in ("a", "b"):
        assert track(a_workspace(tmp_path / name, 3), uri).ablations == 3
    assert len(told(uri, "cws-ablations")) == 6


def test_2_killed_anywhere(tmp_path: Path, uri: str) -> None:
    place = a_workspace(tmp_path, 24)
    for last in (1, 2, 3, 4, 5, 17, 29, 60):  # in the first thing that is told, at each of its steps, and later
        assert _told_until_killed(place, uri, last) == -signal.SIGKILL
    assert track(place, uri).complete
    ablations = told(uri, "cws-ablations")
    assert sorted(r.data.tags["cws.ablation"] for r in ablations) == [f"{n:016x}" for n in range(24)]
    assert all("cws.seq" in r.data.tags and r.info.status == "FINISHED" for r in ablations)
    assert len(told(uri, "cws")) == len(told(uri, "cws-certificates")) == 1


def _told_until_killed(place: Workspace, uri: str, last: int) -> int | None:
    """The exit code of a pass that is killed just before its `last` word to MLflow."""
    from mlflow import MlflowClient

    def tell() -> None:
        calls = 0

        def counted(real: Callable[..., object]) -> Callable[..., object]:
            def call(*values: object, **named: object) -> object:
                nonlocal calls
                calls += 1
                if calls == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*values, **named)

            return call

        for name in ("create_run", "log_batch", "set_terminated", "set_tag", "set_experiment_tag"):
            setattr(MlflowClient, name, counted(getattr(MlflowClient, name)))
        track(place, uri)

    child = multiprocessing.get_context("fork").Process(target=tell)
    child.start()
    child.join(timeout=600)
    return child.exitcode


def test_3_a_verdict_reached_again(tmp_path: Path, uri: str) -> None:
    place = Workspace(root=tmp_path, home=tmp_path / "state")
    stale = ablation(1, "size/a", "band", False, 0.001, random.Random(1))
    append(place, *stale)
    track(place, uri)
    append(place, *ablation(1, "size/a", "band", True, 0.001, random.Random(2)))
    assert track(place, uri).ablations == 1
    (run,) = told(uri, "cws-ablations")
    assert run.data.tags["cws.verdict"] == "SHIP" and run.data.metrics["shipped"] == 1.0


def test_4_a_server_that_is_gone(tmp_path: Path) -> None:
    place = a_workspace(tmp_path, 1)
    log = (place.ledger / "events.jsonl").read_bytes()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://ada:secret@127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(ExportError, match=r"127\.0\.0\.1") as refused:
        track(place, uri)
    assert "secret" not in str(refused.value) and time.monotonic() - began < 60
    assert (place.ledger / "events.jsonl").read_bytes() == log


@pytest.mark.parametrize("note", ["no json", '{"offset": 10, "seq": 3, "head": "0"}', '{"offset": 9999999, "seq": 1}'])
def test_4_a_spoilt_note_costs_time_only(tmp_path: Path, uri: str, note: str) -> None:
    from mlflow import MlflowClient

    place = a_workspace(tmp_path, 2)
    track(place, uri)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("cws")
    assert experiment is not None
    (name,) = [tag for tag in experiment.tags if tag.startswith("cws.mark.")]
    client.set_experiment_tag(experiment.experiment_id, name, note)
    track(place, uri)
    assert len(told(uri, "cws-ablations")) == 2 and len(told(uri, "cws")) == 1


def test_5_time_runs_out_and_the_next_pass_goes_on(tmp_path: Path, uri: str) -> None:
    place = a_workspace(tmp_path, 12)
    passes = [track(place, uri, seconds=1e-6)]
    assert not passes[0].complete
    while not passes[-1].complete:
        passes.append(track(place, uri, seconds=1.0))
        assert len(passes) < 60
    assert len(told(uri, "cws-ablations")) == 12 and sum(p.ablations for p in passes) == 12


def test_nothing_recorded_yet(tmp_path: Path) -> None:
    place = Workspace(root=tmp_path, home=tmp_path / "none")
    assert track(place).complete and not place.home.exists()
