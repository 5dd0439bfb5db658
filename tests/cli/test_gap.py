"""`cws gap`: the table for people, the object for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cws


@pytest.mark.slow
def test_gap_of_a_run(cws: Cws, tmp_path: Path) -> None:
    run = cws("run", "--data", "us5", "--json").json
    done = cws("gap", "last", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["run_id"] == run["run_id"] and found["notes"] == []
    assert sum(p["annual_bps"] for p in found["parts"]) == found["annual_bps"] < 0.0
    assert found["recorded"]["annual_bps"] == pytest.approx(run["metrics"]["annual_return"] * 1e4, abs=1e-5)
    assert found["recorded"]["sharpe"] == pytest.approx(run["metrics"]["net_sharpe"], abs=1e-6)
    assert all(c["holds"] and c["difference"] < 1e-9 for c in found["checks"])
    shown = cws("gap", run["run_id"][:15])
    assert shown.code == 0 and "vector result" in shown.out and "recorded run" in shown.out and "agree" in shown.out
    page = Path(cws("report", "last", "--out", str(tmp_path), "--json").json["html"]).read_text()
    assert "Gap to the vector result" in page and "From the vector result to this account" in page
    assert (tmp_path / "gap.png").exists()


def test_a_run_that_is_not_there(cws: Cws) -> None:
    done = cws("gap", "nothing", "--json")
    assert done.code == 2 and "there are no runs" in done.json["error"]["message"]
