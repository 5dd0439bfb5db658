"""What was recorded, as the API tells it: the same figures as the manifest, and a run asked for here is `cws run`."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cli.api.jobs import MOST_WAITING, Jobs, TooManyJobsError
from cli.session import Stores
from harness.validation.regimes import TERCILES, TRENDS
from modules.workspace import Workspace
from tests.cli.api.conftest import Client

HOUR_S = 3_600


@pytest.mark.slow
def test_a_run_is_asked_for_and_read_back(client: Client, workspace: Workspace) -> None:
    asking = client("run", "research")
    asked = {"data": "us5", "signal": "rank(-returns(close, 9))", "start": "2003-01-01"}
    said = asking.post("/v1/pipeline-runs", json=asked)
    assert said.status_code == 202 and said.json()["state"] in ("waiting", "running")
    bad = asking.post("/v1/pipeline-runs", json={"data": "nowhere"}).json()["job_id"]
    until = time.monotonic() + HOUR_S
    while (job := asking.get(f"/v1/pipeline-runs/{bad}").json())["state"] != "failed" and time.monotonic() < until:
        time.sleep(0.5)
    assert "nowhere" in job["words"] and job["run_id"] is None
    done = asking.get(f"/v1/pipeline-runs/{said.json()['job_id']}").json()
    assert done["state"] == "done", done
    manifest = Stores(workspace).manifests.load("last")
    assert done["run_id"] == manifest.run_id and manifest.task.signal == asked["signal"]

    whole = asking.get("/v1/backtests/last").json()
    assert (whole["run_id"], whole["digest"]) == (manifest.run_id, manifest.digest)
    assert whole["metrics"]["net_sharpe"] == manifest.metrics["net_sharpe"]
    assert [s["stage"] for s in whole["stages"]] == ["ingest", "clean", "feature", "backtest", "size", "execute"]
    (row,) = asking.get("/v1/backtests", params={"data": "us5"}).json()["backtests"]
    assert row["run_id"] == manifest.run_id
    assert asking.get("/v1/backtests", params={"data": "other"}).json() == {"backtests": [], "next": None}
    assert asking.get("/v1/backtests", params={"after": manifest.run_id}).json()["backtests"] == []

    navs, after = [], -1
    for _ in range(4):
        part = asking.get("/v1/backtests/last/nav", params={"limit": 200, "after_ns": after}).json()
        navs, after = navs + part["nav"], part["next"]
    table = Stores(workspace).artifacts.get(manifest.output("nav"))
    assert [n["nav_micros"] for n in navs] == table["nav_micros"].head(800).to_list()  # type: ignore[index]

    weights = Stores(workspace).artifacts.get(manifest.output("weights"))
    last = dict(zip(weights.symbols, next(iter(weights.fields.values()))[-1].tolist(), strict=True))  # type: ignore[union-attr]
    signals = asking.get("/v1/backtests/last/signals").json()
    assert {s["symbol"]: s["weight"] for s in signals["signals"]} == {
        k: (v if np.isfinite(v) else None) for k, v in last.items()
    }
    regime = asking.get("/v1/backtests/last/regime").json()
    assert regime["volatility"] in TERCILES and regime["trend"] in TRENDS
    assert asking.get("/v1/backtests/2099").status_code == 404


def test_a_page_says_where_the_next_begins(client: Client) -> None:
    asking = client("research")
    for limit, status in ((0, 422), (201, 422), (1, 200), (200, 200)):
        assert asking.get("/v1/backtests", params={"limit": limit}).status_code == status
    said = asking.get("/v1/backtests", params={"limit": "many"}).json()
    (fault,) = said["faults"]
    assert (fault["field"], fault["value"]) == ("query.limit", "many") and "integer" in fault["rule"]


@pytest.mark.parametrize("signal", ["rank(", "__import__('os')", "", "x" * 5_000])
def test_a_signal_that_cannot_be_read_is_no_run(client: Client, signal: str) -> None:
    asking = client("run")
    said = asking.post("/v1/pipeline-runs", json={"signal": signal})
    assert said.status_code == 422 and said.json()["faults"][0]["field"] == "body.signal"
    assert asking.get("/v1/pipeline-runs").json() == {"runs": []}


def test_more_runs_than_may_wait_are_refused_and_end_with_the_server(workspace: Workspace) -> None:
    jobs = Jobs(workspace)
    try:
        with pytest.raises(TooManyJobsError):
            for _ in range(MOST_WAITING + 3):
                jobs.ask(("--data=us5",), "t")
    finally:
        jobs.close()
    assert not jobs._thread.is_alive()
    assert {j.state for j in jobs.every()} <= {"waiting", "failed"}
