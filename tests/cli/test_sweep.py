"""`cws sweep`: discovery data only, every combination a trial once, bad grids refused before a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.datastore import DataStore
from modules.panel import ns
from tests.cli.conftest import Cws
from traces.events import TrialRecorded
from traces.reader import read

REVERSAL = "rank(-returns(close, {days}))"


def trials(home: Path) -> list[TrialRecorded]:
    return [r.event for r in read(home / "ledger") if isinstance(r.event, TrialRecorded)]


@pytest.mark.slow
def test_every_combination_is_a_trial_once(cws: Cws, home: Path) -> None:
    done = cws("sweep", REVERSAL, "--grid", "days=2:6:2", "--data", "us5", "--top", "2", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["combinations"], found["new_trials"], found["trials_on_data"], len(found["best"])) == (3, 3, 3, 2)
    assert found["best"][0]["sharpe"] >= found["best"][1]["sharpe"]
    assert ns(found["last"]) < DataStore(home / "data").current("us5").mining_end_ns
    recorded = trials(home)
    assert {t.subject for t in recorded} == {REVERSAL.format(days=d) for d in (2, 4, 6)}
    assert all(t.family == "screen" and t.p_value is not None for t in recorded)
    again = cws("sweep", REVERSAL, "--grid", "days=2,4,8", "--data", "us5")
    assert again.code == 0 and "1 new trials, 4 on this data" in again.out
    rule = "ts_mean(close, {fast}) > ts_mean(close, {slow})"
    grids = ("--grid", "fast=5,10", "--grid", "slow=30,60")
    one = cws("sweep", rule, *grids, "--data", "us5", "--symbol", "IBM.NYSE", "--json").json
    assert one["vectorbt_difference"] < 1e-9 and one["new_trials"] == 4
    assert trials(home)[-1].subject.endswith("[IBM.NYSE]")


def test_a_bad_grid_is_no_look(cws: Cws, home: Path) -> None:
    done = cws("sweep", REVERSAL, "--grid", "bars=2:6:2", "--data", "us5", "--json")
    assert done.code == 2 and "places without values: days" in done.json["error"]["message"]
    assert not (home / "ledger").exists()
