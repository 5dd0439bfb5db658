"""`cws report --day`: what trading cost on a recorded day, PAPER or LIVE on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cws
from tests.modules.live.runner.desk import live, plain_desk
from tests.modules.live.runner.market import market


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one account that traded two days."""
    folder = tmp_path / "home" / "live" / "t1"
    folder.mkdir(parents=True)
    (folder / "riskd.yaml").write_text("account: t1\n")
    monkeypatch.setenv("CWS_HOME", str(tmp_path / "home"))
    found = market(minutes=9)
    start_ns = found.labels(0)[6]
    live(found, start_ns, plain_desk(found, start_ns), folder / "tape").run()
    return folder


@pytest.mark.slow
def test_a_day_is_told(cws: Cws, account: Path, tmp_path: Path) -> None:
    done = cws("report", "--day", "2024-03-05", "--json")
    assert done.code == 0, done.err
    assert done.json["mode"] == "paper" and done.json["account"] == "t"
    total = done.json["execution"]["total"]
    assert total["orders"] > 10 and total["fills"] > 5
    assert sum(total["parts"].values()) == pytest.approx(total["shortfall"])
    page = Path(done.json["html"]).read_text()
    assert page.count("PAPER t 2024-03-05") == 2 and "Implementation shortfall" in page
    assert json.loads(Path(done.json["json"]).read_text())["execution"]["total"] == total
    assert cws("report", "--day", "last", "--account", "t1").out.startswith("PAPER t 2024-03-05: ")
    again = cws("report", "--day", "2024-03-04", "--out", str(tmp_path / "x"), "--json").json
    assert again["day"] == "2024-03-04" and Path(again["html"]).parent == tmp_path / "x"


@pytest.mark.slow
def test_what_is_refused(cws: Cws, account: Path) -> None:
    missing = cws("report", "--day", "1999-01-01", "--json")
    assert missing.code == 1 and "the newest is 2024-03-05" in missing.json["error"]["message"]
    for argv in (("report",), ("report", "last", "--day", "last"), ("report", "last", "--account", "t1")):
        done = cws(*argv, "--json")
        assert done.code == 2 and "give RUN, or --day" in done.json["error"]["remedy"], argv
    stranger = cws("report", "--day", "last", "--account", "x", "--json")
    assert stranger.code == 2 and "there are: t1" in stranger.json["error"]["message"]
