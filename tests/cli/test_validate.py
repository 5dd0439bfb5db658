"""`cws validate`: the table, the file below the run, the trials it counts, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.validation.limits import LIMITS
from harness.validation.report import Verdict
from harness.validation.store import ValidationStore
from modules.manifest import ManifestStore, RunError
from tests.cli.conftest import Cws
from traces.events import RunStarted, TrialRecorded
from traces.reader import read

SIGNAL = "rank(-returns(close, 5))"


def _trials(home: Path) -> list[str]:
    return [r.event.trial_id for r in read(home / "ledger") if isinstance(r.event, TrialRecorded)]


@pytest.mark.slow
def test_validate_writes_a_report_that_can_be_read_and_comes_out_the_same(cws: Cws, home: Path) -> None:
    ran = cws("run", "--data", "us5", "--signal", SIGNAL, "--no-report", "--json")
    assert ran.code == 0, ran.err
    first = cws("validate", "last", "--quick", "--json")
    assert first.code == 1, first.err
    found = first.json
    assert found["verdict"] == "failed"
    report = found["report"]
    assert [c["name"] for c in report["checks"]] == list(LIMITS)
    assert report["run_digest"] == ran.json["digest"] and report["quick"] and report["draws"] == 200
    trials = _trials(home)
    assert report["trials"]["count"] == len(set(trials)) == len(trials) > 5
    assert {r.event.purpose for r in read(home / "ledger") if isinstance(r.event, RunStarted)} == {"run", "validate"}
    assert [m.run_id for m in ManifestStore(home / "runs")] == [ran.json["run_id"]]

    again = cws("validate", "last", "--quick", "--json")
    assert again.json == found and _trials(home) == trials
    manifest = ManifestStore(home / "runs").load("last")
    store = ValidationStore(home / "runs")
    kept = store.load(manifest)
    assert kept.digest == found["digest"] and kept.verdict is Verdict.FAILED
    shown = cws("validate", "last", "--quick", "--seed", "7")
    assert shown.code == 1 and "deflated sharpe" in shown.out and "walk-forward" in shown.out
    assert store.load(manifest).digest != kept.digest

    path = store.path(manifest.run_id)
    whole = json.loads(path.read_text())
    whole["report"]["net_sharpe"] = 9.0
    path.write_text(json.dumps(whole))
    with pytest.raises(RunError, match="it was changed"):
        store.load(manifest)
    path.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        store.load(manifest)
    path.unlink()
    with pytest.raises(RunError, match="was not validated"):
        store.load(manifest)


@pytest.mark.slow
def test_a_run_too_short_is_told_so_and_is_no_pass(cws: Cws) -> None:
    cws("run", "--data", "us5", "--signal", SIGNAL, "--from", "2010-01-04", "--to", "2010-06-30", "--no-report")
    done = cws("validate", "last", "--quick", "--json")
    assert done.code == 1 and done.json["verdict"] == "too little evidence"
    assert {c["verdict"] for c in done.json["report"]["checks"]} == {"too little evidence"}
    assert "bars; at least 252 are needed" in done.json["report"]["checks"][0]["words"]


def test_refuses_a_run_that_is_not_there(cws: Cws) -> None:
    assert "there are no runs yet" in cws("validate", "last").err
