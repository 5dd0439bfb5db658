"""Miners of profiles, planted faults and compared features: over events that the probes would write.

Invariants:
1. A part is a blind spot only where enough runs agree; a strategy that is bad everywhere has none.
2. Only what was measured of the modules in force counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from supervisor.finding import Finding
from supervisor.miners.blind_regimes import BlindRegimes
from supervisor.miners.blind_sectors import BlindSectors
from supervisor.miners.blind_symbols import BlindSymbols
from supervisor.miners.blind_years import BlindYears
from supervisor.miners.duplicate_features import DuplicateFeatures
from supervisor.miners.missed_faults import MissedFaults
from supervisor.miners.participation import Participation
from supervisor.miners.seeded_alarms import SeededAlarms
from supervisor.miners.shortfall import Shortfall
from supervisor.miners.unused_features import UnusedFeatures
from tests.supervisor.conftest import CLEAN, FEATURE, NOW, SIZE, Traces
from traces.events import FaultsPlanted, FeaturesCompared, RunProfiled


def profile(traces: Traces, run_id: str | None = None, **parts: Mapping[str, float]) -> None:
    empty: dict[str, Mapping[str, float]] = {k: {} for k in ("years", "regimes", "sectors", "symbols", "figures")}
    traces.events.append(
        RunProfiled.model_validate({"run_id": run_id or traces.run({}), "measure": "m", **empty, **parts})
    )


def levers(finding: Finding) -> str:
    return " ".join(lever.words for lever in finding.levers)


def test_years(traces: Traces) -> None:
    for fall in (2.0, 3.0, 1.5):
        profile(traces, years={"2001": 1.0, "2002": 1.0 - fall, "2003": 1.0, "2004": 0.5})
    [finding] = BlindYears().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == (SIZE, 1.75, 3)  # below the median year, 0.75
    assert finding.pattern == "the result collapses in 2002" and finding.evidence[0] == "run-001"
    assert levers(finding) == "-vol_bars -target_vol"
    assert BlindYears(fall=1.3).mine(traces.mined()) == BlindYears(least=4).mine(traces.mined()) == []
    profile(traces, years={"2001": 1.0, "2002": 1.0, "2003": 1.0})
    assert len(BlindYears(share=0.75).mine(traces.mined())) == 1
    assert BlindYears(share=0.76).mine(traces.mined()) == []


def test_a_run_that_is_bad_in_every_year_has_no_blind_one(traces: Traces) -> None:
    for _ in range(5):
        profile(traces, years={"2001": -3.0, "2002": -3.1, "2003": -2.9})
    assert BlindYears().mine(traces.mined()) == []


def test_regimes(traces: Traces) -> None:
    for _ in range(3):
        profile(traces, regimes={"calm": 1.0, "usual": 0.5, "volatile": -0.5})
    [finding] = BlindRegimes().mine(traces.mined())
    assert (finding.size, finding.pattern) == (1.5, "the result collapses in volatile markets")
    assert levers(finding) == "-vol_bars -target_vol"
    assert BlindRegimes(fall=1.5).mine(traces.mined()) == []


def test_a_regime_that_earns_is_not_blind(traces: Traces) -> None:
    for _ in range(3):
        profile(traces, regimes={"calm": 3.0, "volatile": 0.5})
    assert BlindRegimes().mine(traces.mined()) == []


def test_a_regime_that_is_not_known_is_not_the_best(traces: Traces) -> None:
    for known in ("calm", "usual", "volatile"):
        worst = "usual" if known == "volatile" else "volatile"
        for _ in range(3):
            profile(traces, regimes={known: 1.0, worst: -1.0})
    assert {(f.pattern, f.size, f.occurrences) for f in BlindRegimes().mine(traces.mined())} == {
        ("the result collapses in volatile markets", 2.0, 6),
        ("the result collapses in usual markets", 2.0, 3),
    }


def test_sectors_and_symbols(traces: Traces) -> None:
    for _ in range(3):
        profile(
            traces,
            sectors={"Energy": -30.0, "Health": 60.0, "Utilities": -10.0},
            symbols={"A": -60.0, "B": 20.0, "C": 10.0, "D": -10.0},
        )
    [sector], [symbol] = BlindSectors().mine(traces.mined()), BlindSymbols().mine(traces.mined())
    assert (sector.pattern, sector.size) == ("sector Energy loses whatever the signal", pytest.approx(0.3))
    assert (symbol.pattern, symbol.size) == ("symbol A loses whatever the signal", pytest.approx(2.4))
    assert (levers(sector), levers(symbol)) == ("-sector_cap", "-weight_cap")
    assert BlindSectors(part=0.31).mine(traces.mined()) == BlindSymbols(times=2.5).mine(traces.mined()) == []
    profile(traces, sectors={"Energy": 30.0}, symbols={"A": 60.0})
    assert len(BlindSectors(share=0.75).mine(traces.mined())) == 1
    assert BlindSectors(share=0.8).mine(traces.mined()) == BlindSymbols(share=0.8).mine(traces.mined()) == []


def test_fills(traces: Traces) -> None:
    profile(traces, figures={"shortfall_bps": 9.0, "modelled_bps": 5.0, "participation_p95": 0.04})
    profile(traces, figures={"shortfall_bps": 6.0, "modelled_bps": 5.0, "participation_p95": 0.01})
    profile(traces, figures={"shortfall_bps": 6.0, "modelled_bps": 0.0})
    [cost], [capacity] = Shortfall().mine(traces.mined()), Participation().mine(traces.mined())
    assert (cost.size, cost.evidence, capacity.size, capacity.evidence) == (1.8, ("run-000",), 0.04, ("run-000",))
    assert levers(cost) == "+smoothing_bars +no_trade_band"
    assert levers(capacity) == "+smoothing_bars +no_trade_band -weight_cap"
    assert "1 of 2 runs" in cost.statement and "1 of 2 runs" in capacity.statement
    assert Shortfall(times=1.8).mine(traces.mined()) == Participation(share=0.04).mine(traces.mined()) == []


def test_what_other_settings_did_is_history(traces: Traces) -> None:
    for _ in range(3):
        profile(traces, traces.run({}, settings="others"), regimes={"calm": 1.0, "volatile": -2.0})
    assert BlindRegimes().mine(traces.mined()) == []


def test_a_run_that_was_measured_anew_counts_once_and_as_measured_last(traces: Traces) -> None:
    run = traces.run({})
    profile(traces, run, figures={"participation_p95": 0.5})
    profile(traces, run, figures={"participation_p95": 0.02})
    assert [f.size for f in Participation().mine(traces.mined())] == [0.02]


def trial(traces: Traces, trial_id: str, settings: str = NOW.settings_digest, **changes: object) -> None:
    fields: dict[str, object] = {
        "planted": {"spike": 10, "stale": 10},
        "found": {"spike": 8, "stale": 10},
        "alarms": {"spike": 3, "stale_run": 90, "gap": 5},
        "standing": {},
        **changes,
    }
    traces.events.append(
        FaultsPlanted.model_validate(
            {
                "trial_id": trial_id, "module": CLEAN, "code_digest": NOW.code_digest, "settings_digest": settings,
                "data_digest": "d", "seed": 1, "cells": 10_000, **fields,
            }
        )
    )  # fmt: skip


def test_missed_faults(traces: Traces) -> None:
    trial(traces, "a")
    trial(traces, "b", settings="others", found={})
    trial(traces, "c", data_digest="another", found={"spike": 10, "stale": 10})
    trial(traces, "c", data_digest="another", planted={"spike": 1}, found={"spike": 1})  # tried anew: the last counts
    [finding] = MissedFaults().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == (CLEAN, pytest.approx(2 / 11), 2)
    assert finding.pattern.endswith("spike") and finding.evidence == ("a", "c")
    assert {lever.words for lever in finding.levers} == {
        "-spike_sigmas",
        "-spike_min_return_bps",
        "-spike_reversion_share",
    }
    assert MissedFaults(recall=9 / 11).mine(traces.mined()) == []


def test_a_kind_that_nothing_was_made_for_has_no_lever(traces: Traces) -> None:
    trial(traces, "a", planted={"level_shift": 4}, found={})
    assert [(f.size, f.levers) for f in MissedFaults().mine(traces.mined())] == [(1.0, ())]


def test_seeded_alarms(traces: Traces) -> None:
    trial(traces, "a")
    [finding] = SeededAlarms().mine(traces.mined())
    assert (finding.size, finding.occurrences) == (pytest.approx(0.9), 90)
    assert "rule stale_run" in finding.pattern and [lever.words for lever in finding.levers] == ["+stale_run_bars"]
    assert SeededAlarms(share=0.01).mine(traces.mined()) == SeededAlarms(precision=0.1).mine(traces.mined()) == []
    both = SeededAlarms(share=0.0001).mine(traces.mined())
    assert [f.pattern.split()[1] for f in both] == ["gap", "stale_run"]  # a rule that found nothing has no precision


def compared(traces: Traces, **changes: object) -> None:
    fields: dict[str, object] = {
        "features": ("a@1", "b@1", "c@1", "d@1"),
        "used": ("a@1", "b@1", "c@1"),
        "alike": {"a@1 b@1": 0.99, "a@1 c@1": -0.97, "a@1 d@1": 1.0},
        "settings_digest": NOW.settings_digest,
        **changes,
    }
    traces.events.append(
        FeaturesCompared.model_validate(
            {
                "comparison_id": f"c{len(traces.events)}", "module": FEATURE, "code_digest": NOW.code_digest,
                "data_digest": "d", "floor": 0.95, **fields,
            }
        )
    )  # fmt: skip


def test_features_that_say_the_same(traces: Traces) -> None:
    compared(traces)
    compared(traces, settings_digest="others", alike={"b@1 c@1": 0.999})
    for value in (0.98, 0.97):
        compared(traces, alike={"a@1 b@1": value})  # on other data: the median of three
    found = DuplicateFeatures().mine(traces.mined())
    assert [(f.pattern, f.size) for f in found] == [
        ("a@1 and b@1 rank alike", 0.98),
        ("a@1 and c@1 rank inversely", 0.97),
    ]


def test_features_that_nobody_used(traces: Traces) -> None:
    traces.run({}, values={"feature": {"members": '["a@1", "b@1"]'}})
    traces.run({}, values={"feature": {"members": '["c@1"]'}}, settings="others")
    compared(traces)
    [finding] = UnusedFeatures().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == (FEATURE, 0.25, 1)
    assert "d@1" in finding.statement and "2 runs" in finding.statement
    traces.run({}, values={"feature": {"members": '["d@1"]'}}, settings="others")
    assert UnusedFeatures().mine(traces.mined()) == []


def test_features_of_no_run_are_not_said_to_be_unused(traces: Traces) -> None:
    compared(traces)
    traces.run({})
    assert UnusedFeatures().mine(traces.mined()) == []
