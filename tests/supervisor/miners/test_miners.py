"""Miners over a real ledger.

Invariants:
1. A run that reaches beyond the mining period, of unknown data, or made for an ablation, is never mined.
2. A run of other settings or code than those in force is no evidence against the module.
3. A pattern below its threshold gives no finding; a task run twice counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from supervisor.finding import Finding, Miner
from supervisor.mined import Mined
from supervisor.miners import MINERS
from supervisor.miners.alike_drafts import AlikeDrafts
from supervisor.miners.cost_share import CostShare
from supervisor.miners.false_alarms import FalseAlarms
from supervisor.miners.repeated_work import RepeatedWork
from supervisor.miners.risk_cuts import RiskCuts
from supervisor.miners.turnover_decay import TurnoverDecay
from tests.supervisor.conftest import CLEAN, DATA, IN_FORCE, MINING_END_NS, SIZE, Traces
from traces.events import StageRefused

COSTLY = {"execute": {"gross_pnl_usd": 100.0, "total_cost_usd": 180.0}}


def execute(**metrics: float) -> dict[str, dict[str, float]]:
    return {"execute": metrics}


def test_no_traces_no_findings(traces: Traces, tmp_path: Path) -> None:
    traces.run({}, end="2010-01-01")
    for mined in (traces.mined(), Mined(tmp_path / "absent", {}, {})):
        assert {miner.name: miner.mine(mined) for miner in MINERS} == {miner.name: [] for miner in MINERS}


def test_every_miner_has_its_file_and_its_own_name() -> None:
    names = [miner.name for miner in MINERS]
    assert len(set(names)) == len(names) >= 5
    assert [type(m).__module__.rsplit(".", 1)[1] for m in MINERS] == names
    assert [m.turn for m in MINERS] == sorted(m.turn for m in MINERS)


# --- what may be mined ------------------------------------------------------------------------------

LEFT_OUT: list[tuple[dict[str, object], dict[str, int]]] = [
    ({"end": "2002-11-10"}, {"reach beyond the mining period": 1}),
    ({"end": "2002-11-09T00:00:01Z"}, {"reach beyond the mining period": 1}),
    ({"data_digest": "e" * 64}, {"of a data version that is not registered here": 1}),
    ({"purpose": "ablation"}, {}),
    ({"purpose": "certify"}, {}),
    ({"purpose": "replay"}, {}),
]


@pytest.mark.parametrize("changes, said", LEFT_OUT, ids=str)
def test_what_is_left_out_is_no_evidence_and_is_said(
    traces: Traces, changes: dict[str, object], said: dict[str, int]
) -> None:
    traces.run(COSTLY, **changes)
    mined = traces.mined()
    assert CostShare().mine(mined) == []
    assert mined.left_out() == said


def test_a_run_that_ends_with_the_mining_period_is_mined(traces: Traces) -> None:
    run = traces.run(COSTLY, end="2002-11-09", task="t")
    traces.run(COSTLY, end="2010-01-01")
    mined = traces.mined()
    assert [f.evidence for f in CostShare().mine(mined)] == [(run,)]
    assert mined.tasks_seen(SIZE) == {"t"}
    assert mined.left_out() == {"reach beyond the mining period": 1}


@pytest.mark.parametrize("changes", [{"settings": "settings-old"}, {"code": "code-old"}], ids=str)
def test_history_is_no_evidence(traces: Traces, changes: dict[str, object]) -> None:
    traces.run(COSTLY, **changes)
    assert CostShare().mine(traces.mined()) == []


def test_a_task_counts_once_by_its_newest_run(traces: Traces) -> None:
    traces.run(COSTLY, task="t")
    newest = traces.run({"execute": {"gross_pnl_usd": 100.0, "total_cost_usd": 90.0}}, task="t")
    [finding] = CostShare().mine(traces.mined())
    assert (finding.occurrences, finding.evidence, finding.size) == (1, (newest,), 0.9)


def test_a_quote_in_a_name_is_no_sql(tmp_path: Path, traces: Traces) -> None:
    traces.run(COSTLY)
    mined = traces.mined()
    assert Mined(mined.ledger, {"x') --": 1, DATA: MINING_END_NS}, {"a'b": mined.modules[SIZE]}).left_out() == {}


# --- the patterns: a row a run, and the finding's size (None = no finding) ---------------------------

COST: list[tuple[Mapping[str, float], float | None]] = [
    ({"gross_pnl_usd": 100.0, "total_cost_usd": 51.0}, 0.51),
    ({"gross_pnl_usd": 100.0, "total_cost_usd": 300.0}, 3.0),
    ({"gross_pnl_usd": 100.0, "total_cost_usd": 50.0}, None),
    ({"gross_pnl_usd": 0.0, "total_cost_usd": 50.0}, None),  # no edge that costs could eat
    ({"gross_pnl_usd": -10.0, "total_cost_usd": 50.0}, None),
    ({}, None),
]


@pytest.mark.parametrize("metrics, size", COST, ids=str)
def test_cost_share(traces: Traces, metrics: Mapping[str, float], size: float | None) -> None:
    traces.run(execute(**metrics))
    found = CostShare().mine(traces.mined())
    assert [f.size for f in found] == ([] if size is None else [size])


def test_the_median_is_over_the_runs_that_show_it(traces: Traces) -> None:
    for cost in (10.0, 60.0, 80.0, 100.0):
        traces.run(execute(gross_pnl_usd=100.0, total_cost_usd=cost))
    [finding] = CostShare().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == (SIZE, 0.8, 3)
    assert finding.evidence == ("run-003", "run-002", "run-001")
    assert "3 of 4 profitable runs" in finding.statement
    assert {(lever.setting, lever.direction) for lever in finding.levers} >= {("no_trade_band", "raise")}


def _decay(r: float, turnover_year: float, gross: float = 1.0) -> dict[str, dict[str, float]]:
    return {
        "feature": {"rank_autocorrelation": r},
        "execute": {"turnover": turnover_year, "bars_per_year": 252.0, "mean_gross_exposure": gross},
    }


# r = 0.5: a half-life of one bar supports 2 x gross a bar, 504 x gross a year; r = sqrt(0.5): half of that.
DECAY = [
    (_decay(0.5, 504.0 * 2), 2.0),
    (_decay(0.5, 504.0), None),
    (_decay(0.5**0.5, 504.0), 2.0),
    (_decay(0.5, 504.0, gross=0.5), 2.0),
    (_decay(1.0, 504.0), None),
    (_decay(0.0, 504.0), None),
    (_decay(-0.5, 504.0), None),
    (_decay(0.5, 504.0 * 2, gross=0.0), None),
    ({"execute": {"turnover": 100.0, "bars_per_year": 252.0, "mean_gross_exposure": 1.0}}, None),
]


@pytest.mark.parametrize("metrics, size", DECAY, ids=str)
def test_turnover_decay(traces: Traces, metrics: Mapping[str, Mapping[str, float]], size: float | None) -> None:
    traces.run(metrics)
    found = TurnoverDecay().mine(traces.mined())
    assert [f.size for f in found] == ([] if size is None else [pytest.approx(size)])


CUTS: list[tuple[Mapping[str, float], float | None]] = [
    ({"orders": 100.0, "reduced": 4.0, "rejected": 4.0}, 0.08),
    ({"orders": 100.0, "rejected": 6.0}, 0.06),
    ({"orders": 100.0, "reduced": 5.0}, None),
    ({"orders": 0.0, "reduced": 0.0}, None),
    ({"orders": 100.0}, None),
]


@pytest.mark.parametrize("metrics, size", CUTS, ids=str)
def test_risk_cuts(traces: Traces, metrics: Mapping[str, float], size: float | None) -> None:
    traces.run(execute(**metrics))
    assert [f.size for f in RiskCuts().mine(traces.mined())] == ([] if size is None else [size])


_GRID = {"bars": 100.0, "symbols": 10.0, "coverage": 1.0}
ALARMS: list[tuple[Mapping[str, float], list[tuple[str, float]]]] = [
    ({"repaired_spike_suspect": 10.0, "flagged_spike": 1.0}, [("spike_suspect", 0.9)]),
    ({"repaired_spike_suspect": 10.0, "flagged_spike": 5.0}, []),
    ({"repaired_spike_suspect": 0.0, "flagged_spike": 5.0}, []),
    ({"repaired_stale_run": 0.0, "flagged_stale_run": 20.0}, [("stale_run", 0.02)]),
    ({"repaired_stale_run": 20.0, "flagged_stale_run": 20.0}, []),
    ({"repaired_gap": 0.0, "flagged_gap": 1.0}, []),
    ({"repaired_gap": 0.0, "flagged_gap": 2.0}, [("gap", 0.002)]),
    ({"repaired_ohlc_order": 0.0, "flagged_ohlc_order": 500.0}, [("ohlc_order", 0.5)]),
]


@pytest.mark.parametrize("metrics, expected", ALARMS, ids=str)
def test_false_alarms(traces: Traces, metrics: Mapping[str, float], expected: list[tuple[str, float]]) -> None:
    traces.run({"clean": {**_GRID, **metrics}})
    found = FalseAlarms().mine(traces.mined())
    assert [(f.module, f.size) for f in found] == [(CLEAN, pytest.approx(size)) for _, size in expected]
    assert all(f"rule {rule}" in f.pattern for f, (rule, _) in zip(found, expected, strict=True))


def test_alike_drafts(traces: Traces) -> None:
    for i in range(3):
        traces.draft(f"r{i}", f"mean(close, {i})", "trend", f"has a value in {i}0.5% of the cells; more are needed")
    traces.draft("r3", "rank(close)", "trend", "")
    traces.draft("r0", "x", "gap", "novelty: as before")
    traces.draft(
        "r0", "mean(close, 0)", "trend", "has a value in 00.5% of the cells; more are needed"
    )  # said twice, counted once
    [finding] = AlikeDrafts().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == ("skills/trend", 0.75, 3)
    assert finding.evidence == ("r0", "r1", "r2")
    assert finding.pattern == "drafts fail alike: has a value in N% of the cells"


def test_a_skill_that_mostly_passes_is_let_be(traces: Traces) -> None:
    for i in range(4):
        traces.draft(f"r{i}", f"a{i}", "trend", "coverage: low")
        traces.draft(f"r{i}", f"b{i}", "trend", "")
    assert AlikeDrafts().mine(traces.mined()) == []


def test_repeated_work(traces: Traces) -> None:
    for seconds in (3.0, 2.0, 4.0):
        traces.run({}, inputs="same", seconds=seconds)
    traces.run({}, inputs="same", cached=True)
    traces.run({}, inputs="same", settings="others")
    found: list[Finding] = RepeatedWork().mine(traces.mined())
    assert {f.module for f in found} == set(IN_FORCE)
    assert {(f.size, f.occurrences) for f in found} == {(7.0, 2)}
    assert found[0].evidence == ("run-000", "run-001", "run-002")
    assert not found[0].levers


def test_work_that_is_recalled_is_no_finding(traces: Traces) -> None:
    traces.run({}, inputs="same")
    for _ in range(5):
        traces.run({}, inputs="same", cached=True)
    traces.run({}, inputs="other")
    assert RepeatedWork().mine(traces.mined()) == []


def test_a_finding_is_the_same_whenever_it_is_mined(traces: Traces) -> None:
    traces.run(COSTLY)
    [first] = CostShare().mine(traces.mined())
    [again] = CostShare().mine(traces.mined())
    assert first.finding_id == again.finding_id
    assert first.event().statement == first.statement
    traces.run(COSTLY)
    [more] = CostShare().mine(traces.mined())
    assert more.finding_id != first.finding_id


def test_a_task_that_nothing_in_force_lets_through_has_been_seen(traces: Traces) -> None:
    def refused(task: str, **changes: object) -> None:
        run = traces.run({}, task=task, **changes)
        traces.events.append(
            StageRefused(
                run_id=run, stage="feature", module="expression", side="acceptance", rules={}, message="m",
                code_digest=str(changes.get("code", "code-now")),
                settings_digest=str(changes.get("settings", "settings-now")),
            )
        )  # fmt: skip

    refused("again")
    refused("other settings then", settings="others")
    refused("other code then", code="others")
    mined = traces.mined()
    assert mined.tasks_seen("size/never_run") == {"again"}


LEVERS: list[tuple[Miner, Mapping[str, Mapping[str, float]], str]] = [
    (CostShare(), COSTLY, "+no_trade_band +smoothing_bars"),
    (TurnoverDecay(), DECAY[0][0], "+no_trade_band +smoothing_bars"),
    (RiskCuts(), execute(**CUTS[0][0]), "-weight_cap -gross_leverage"),
    *(
        (FalseAlarms(), {"clean": {**_GRID, **ALARMS[at][0]}}, levers)
        for at, levers in (
            (0, "+spike_sigmas +spike_min_return_bps"),
            (3, "+stale_run_bars"),
            (6, "+gap_min_sessions"),
            (7, "+ohlc_tolerance_bps"),
        )
    ),
]


@pytest.mark.parametrize("miner, metrics, levers", LEVERS, ids=lambda value: getattr(value, "name", None))
def test_which_way_a_setting_may_mend_it(
    traces: Traces, miner: Miner, metrics: Mapping[str, Mapping[str, float]], levers: str
) -> None:
    traces.run(metrics)
    [finding] = miner.mine(traces.mined())
    assert " ".join(lever.words for lever in finding.levers) == levers
