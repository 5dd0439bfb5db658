"""Export of a recorded run to a real MLflow database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.traces.samples import ONE_OF_EACH, folders
from traces.export import RunExport, run_export, to_mlflow
from traces.log import LedgerError
from traces.reader import read


@pytest.fixture
def recorded(tmp_path: Path) -> RunExport:
    place = folders(tmp_path)
    place.open().append(*ONE_OF_EACH)
    report = tmp_path / "report.html"
    report.write_text("<html>report</html>")
    return run_export(read(place.ledger, place.checkpoint), "run-1", [report])


def test_a_run_is_gathered_from_its_events(recorded: RunExport) -> None:
    assert recorded.status == "FINISHED" and recorded.ended_ns is not None
    assert recorded.params["signal"] == "rank(-returns(close, 5))"
    assert recorded.params["module.size"] == "rank_neutral"
    assert recorded.params["size.no_trade_band"] == "0.04"
    assert recorded.metrics == {"net_sharpe": -0.69, "turnover": 0.41, "size.gross": 1.0, "seconds": 1.25}
    assert recorded.tags["cws.size.weights"] == "2" * 64


def test_a_run_that_failed_and_one_that_never_was(tmp_path: Path) -> None:
    place = folders(tmp_path)
    started = ONE_OF_EACH[0].model_copy(update={"run_id": "run-2"})
    place.open().append(started, *ONE_OF_EACH)
    failed = run_export(read(place.ledger), "run-2")
    assert failed.status == "FAILED" and failed.tags["cws.error"].startswith("ContractError: close")
    assert failed.tags["cws.clean.refused"] == "3 rows"
    with pytest.raises(LedgerError, match="run-9"):
        run_export(read(place.ledger), "run-9")


def test_a_missing_artifact_is_named(recorded: RunExport, tmp_path: Path) -> None:
    run = recorded.model_copy(update={"artifacts": (tmp_path / "gone.html",)})
    with pytest.raises(LedgerError, match=r"gone\.html"):
        to_mlflow(run, f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_mlflow_holds_the_run_once(recorded: RunExport, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    spoilt = recorded.model_copy(update={"metrics": {**recorded.metrics, "ic": None, "odd (name)": 2.0}})
    first = to_mlflow(spoilt, uri, tmp_path / "artifacts")
    assert to_mlflow(spoilt, uri, tmp_path / "artifacts") == first
    stored = MlflowClient(tracking_uri=uri).get_run(first)
    assert stored.data.params["size.no_trade_band"] == "0.04"
    assert stored.data.metrics == {**recorded.metrics, "odd _name_": 2.0}
    assert stored.data.tags["cws.run_id"] == "run-1" and stored.data.tags["cws.digest"] == "f" * 64
    assert (stored.info.status, stored.info.end_time) == ("FINISHED", (recorded.ended_ns or 0) // 1_000_000)
    copies = [p.read_text() for p in (tmp_path / "artifacts").rglob("report.html")]
    assert copies == ["<html>report</html>"]
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {t} WHERE run_uuid = ?", [first]).fetchone()[0]
            for t in ("runs", "metrics")
        ]
    assert counts == [1, 5]
