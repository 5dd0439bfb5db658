"""Candidates on the mining period: what is compared, what is given up, and that every look is counted."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ablations.patch import Change, Patch
from ablations.suite import Suite, SuiteError, load_suite
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.manifest import ManifestStore
from modules.task import load_pipeline
from modules.workspace import CHECKOUT
from supervisor.bench import Bench
from supervisor.screen import IDLE_TASKS, screen
from tests.supervisor.conftest import CLEAN, SIZE
from traces.events import Event, PatchScreened, RunStarted, TrialRecorded

BAND = Patch(module=SIZE, changes={"no_trade_band": Change(old=0.0, new=0.04)})
WORSE = Patch(module=SIZE, changes={"weight_cap": Change(old=0.05, new=0.001)})
GUARD = {"metric": "net_sharpe", "better": "lower", "tolerance": 0.0}
IDLE = Patch(module=CLEAN, changes={"stale_run_bars": Change(old=10, new=250)})


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> Bench:
    home: Path = tmp_path_factory.mktemp("state")
    data = DataStore(home / "data")
    full = load_suite("fast")
    suite = Suite.model_validate({**full.model_dump(), "tasks": full.model_dump()["tasks"][:6]})
    return Bench(
        suite=suite,
        version=data.current("us20"),
        spec=load_pipeline(CHECKOUT / "pipeline.yaml"),
        data=data,
        store=ArtifactStore(home / "artifacts"),
        manifests=ManifestStore(home / "runs"),
        emit=events.append,
    )


@pytest.mark.slow
def test_candidates_are_compared_on_mining_data_alone(bench: Bench, events: list[Event]) -> None:
    before = len(events)
    ranked = screen(bench, [WORSE, BAND], time.monotonic() + 300)
    assert ranked[0].patch == BAND
    assert ranked[0].promising and ranked[0].delta > ranked[0].lower_bound > 0.0
    assert all(s.lower_bound <= ranked[0].lower_bound for s in ranked)
    runs = [e for e in events[before:] if isinstance(e, RunStarted)]
    assert len(runs) == 3 * len(bench.suite.tasks)
    tasks = {t.digest for t in bench.tasks(SIZE)}
    assert {e.task_digest for e in runs} == tasks
    assert all(t.end_ns == bench.version.mining_end_ns for t in bench.tasks(SIZE))


@pytest.mark.slow
def test_the_same_look_is_the_same_trial_and_is_made_once(bench: Bench, events: list[Event]) -> None:
    bench.known.clear()
    before = len(events)
    [first] = screen(bench, [BAND], time.monotonic() + 300)
    bench.known.clear()
    assert screen(bench, [BAND], time.monotonic() + 300) == [first]
    trials = [e for e in events[before:] if isinstance(e, TrialRecorded)]
    assert len(trials) == 2 and len({t.trial_id for t in trials}) == 1
    assert trials[0].family == "screen" and trials[0].p_value is None
    looks = [e for e in events[before:] if isinstance(e, PatchScreened)]
    assert len({e.question for e in looks}) == 1 and looks[0].delta == first.delta
    before = len(events)
    assert screen(bench, [BAND], time.monotonic() - 1) == [first]  # known: it needs no time and no trial
    assert len(events) == before


@pytest.mark.slow
def test_a_candidate_that_moves_no_bit_is_given_up_early(bench: Bench, events: list[Event]) -> None:
    bench.known.clear()
    screen(bench, [IDLE], time.monotonic() + 300)  # so that the baseline is recalled below
    bench.known.clear()
    before = len(events)
    assert screen(bench, [IDLE], time.monotonic() + 300) == []
    runs = [e for e in events[before:] if isinstance(e, RunStarted)]
    assert len(runs) == IDLE_TASKS
    assert [e.outcome for e in events[before:] if isinstance(e, PatchScreened)] == ["idle"]


@pytest.mark.slow
def test_what_time_did_not_reach_is_left_out(bench: Bench) -> None:
    bench.known.clear()
    assert screen(bench, [BAND, WORSE], time.monotonic() - 1) == []
    assert screen(bench, [], time.monotonic() + 1) == []


def test_what_a_human_merges_meanwhile_is_loaded_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stale = Patch(module=SIZE, changes={"no_trade_band": Change(old=0.01, new=0.04)})
    assert screen(bench, [stale], time.monotonic() + 300) == []  # not of what is in force: left out, and no error
    before = bench.base(SIZE)
    assert bench.loaded
    elsewhere = tmp_path / "settings.yaml"
    elsewhere.write_text("no_trade_band: 0.01\n")
    monkeypatch.setattr("supervisor.bench.settings_path", lambda stage, name: elsewhere)
    bench._refresh()
    assert not bench.loaded and not bench._baselines
    assert bench.base(SIZE) == before  # read again: the settings of this checkout are what they were


def test_the_bench_refuses_to_leave_the_mining_period(bench: Bench) -> None:
    [task, *_] = bench.tasks(SIZE)
    beyond = task.model_copy(update={"end_ns": bench.version.mining_end_ns + 1})
    for act in (lambda: bench.trace(beyond), lambda: bench.measure(beyond, BAND, "nav.net_return")):
        with pytest.raises(SuiteError, match="may not share a bar"):
            act()


def test_candidates_are_ranked_by_what_is_sure() -> None:
    from supervisor.screen import Screened

    sure, lucky = Screened(BAND, 0.1, 0.05), Screened(WORSE, 0.5, -0.2)
    assert sure.promising and not lucky.promising
    assert not Screened(BAND, float(np.nextafter(0, -1)), 0.1).promising
    costly, dearer = (Screened(BAND, 0.1, 0.05, ("turnover",), excess) for excess in (0.2, 0.5))
    assert not costly.promising and 0.0 > costly.worth > dearer.worth


@pytest.mark.slow
def test_a_guard_that_breaks_on_mining_data_is_no_candidate(bench: Bench) -> None:
    suite = bench.suite.model_dump()
    wary = replace(bench, known={}, suite=Suite.model_validate({**suite, "guards": [*suite["guards"], GUARD]}))
    [found] = screen(wary, [BAND], time.monotonic() + 300)
    assert found.broken == ("net_sharpe",) and found.excess > 0.0 and not found.promising
    [free] = screen(bench, [BAND], time.monotonic() + 300)
    assert free.broken == () and free.promising and free.lower_bound == found.lower_bound
