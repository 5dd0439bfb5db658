"""`cws signal sheet`: files, figures, the trial it counts, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modules.datastore import DataStore
from modules.panel import ns
from tests.cli.conftest import Cws
from traces.events import TrialRecorded
from traces.reader import read

REVERSAL = "rank(-returns(close, 5))"


@pytest.mark.slow
def test_sheet_writes_its_files_and_counts_one_look(cws: Cws, home: Path, tmp_path: Path) -> None:
    done = cws("signal", "sheet", REVERSAL, "--data", "us5", "--out", str(tmp_path / "sheet"), "--json")
    assert done.code == 0, done.err
    found = done.json
    names = {p.name for p in (tmp_path / "sheet").iterdir()}
    assert {"sheet.html", "sheet.json", "series.csv", "ic.png"} <= names and len(found["pngs"]) == 16
    assert found["quantiles"] == 2 and found["symbols"] == 4
    assert found["trials_on_data"] == 1
    sealed = DataStore(home / "data").current("us5").lockbox_start_ns
    assert ns(found["end"]) < sealed
    figures = json.loads(Path(found["json"]).read_text())
    assert figures["rank_ic"][0]["mean"]["mean"] == found["rank_ic"]
    trials = [r.event for r in read(home / "ledger") if isinstance(r.event, TrialRecorded)]
    assert [(t.family, t.subject, t.p_value) for t in trials] == [("screen", REVERSAL, None)]


@pytest.mark.slow
def test_a_second_look_at_the_same_is_no_new_one_and_gives_the_same_bytes(cws: Cws, tmp_path: Path) -> None:
    first = cws("signal", "sheet", REVERSAL, "--data", "us5", "--out", str(tmp_path / "a"), "--json").json
    again = cws("signal", "sheet", REVERSAL, "--data", "us5", "--out", str(tmp_path / "b"), "--json").json
    assert again["trials_on_data"] == first["trials_on_data"] == 1
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    other = cws("signal", "sheet", "rank(-returns(close, 6))", "--data", "us5", "--quantiles", "3")
    assert other.code == 0 and "trials on data" in other.out and "sheet.html" in other.out


REFUSED = [
    ("the same for all", ["month + 0 * returns(close, 1)"], "same for all symbols"),
    ("no such field", ["rank(nothing)"], "unknown field nothing"),
    ("units", ["close + volume"], "volume"),
    ("quantiles", [REVERSAL, "--quantiles", "1"], "--quantiles"),
]


@pytest.mark.parametrize(("argv", "message"), [r[1:] for r in REFUSED], ids=[r[0].replace(" ", "-") for r in REFUSED])
def test_refuses(cws: Cws, home: Path, tmp_path: Path, argv: list[str], message: str) -> None:
    done = cws("signal", "sheet", *argv, "--data", "us5", "--out", str(tmp_path / "x"), "--json")
    assert done.code == 2 and message in done.json["error"]["message"]
    assert not (tmp_path / "x").exists()
    ledger = home / "ledger"
    assert not ledger.exists() or not any(isinstance(r.event, TrialRecorded) for r in read(ledger))


def test_a_file_is_no_folder(cws: Cws, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    assert cws("signal", "sheet", REVERSAL, "--data", "us5", "--out", str(taken)).code == 2
