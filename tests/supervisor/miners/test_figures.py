"""Miners of runs' figures. A row: figures by stage, settings by stage, and the size of the finding (None = silent)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from supervisor.bounds import Bound
from supervisor.finding import Miner
from supervisor.mined import InForce
from supervisor.miners.band_too_wide import BandTooWide
from supervisor.miners.edge_settings import EdgeSettings
from supervisor.miners.fill_lag import FillLag
from supervisor.miners.idle_capital import IdleCapital
from supervisor.miners.jumpy_signal import JumpySignal
from supervisor.miners.late_signal import LateSignal
from supervisor.miners.oversmoothed import Oversmoothed
from supervisor.miners.slow_rebalance import SlowRebalance
from supervisor.miners.stale_signal import StaleSignal
from supervisor.miners.thin_signal import ThinSignal
from supervisor.miners.unfilled_orders import UnfilledOrders
from supervisor.miners.volatility_out_of_reach import VolatilityOutOfReach
from tests.supervisor.conftest import EXECUTE, FEATURE, SIZE, Traces

Figures = Mapping[str, Mapping[str, float]]
WAITS = {"size": {"smoothing_bars": 5}}
BANDED = {"size": {"no_trade_band": 0.01}}
AT_ONCE = {"size": {"smoothing_bars": 1, "no_trade_band": 0.0}}
SMOOTH = {"feature": {"smoothing_bars": 10}}


def book(autocorrelation: float, turnover: float, gross: float = 1.0) -> Figures:
    """Half-life 1 bar at 0.5: one turn of the book a half-life is 504 a year."""
    return {
        "feature": {"rank_autocorrelation": autocorrelation},
        "execute": {"turnover": turnover, "bars_per_year": 252.0, "mean_gross_exposure": gross},
    }


def decay(ic: float, later: float, t: float = 3.0) -> Figures:
    return {"backtest": {"ic_mean": ic, "ic_delay_1": later, "ic_t_stat": t}}


def jumps(autocorrelation: float, cost: float, gross: float = 100.0) -> Figures:
    return {
        "feature": {"rank_autocorrelation": autocorrelation},
        "execute": {"total_cost_usd": cost, "gross_pnl_usd": gross},
    }


def knows(autocorrelation: float, t: float) -> Figures:
    return {"feature": {"rank_autocorrelation": autocorrelation}, "backtest": {"ic_t_stat": t}}


def saves(cost: float, gross: float = 100.0, fills: float = 50.0) -> Figures:
    return {"execute": {"total_cost_usd": cost, "gross_pnl_usd": gross, "fills": fills}}


def sharpe(now: float, later: float) -> Figures:
    return {"execute": {"net_sharpe": now, "net_sharpe_next_close": later}}


ROWS: list[tuple[Miner, str, Figures, Mapping[str, object], float | None]] = [
    (SlowRebalance(), SIZE, book(0.5, 100.8), {}, 0.8),
    (SlowRebalance(), SIZE, book(0.5, 127.0), {}, None),
    (SlowRebalance(), SIZE, book(0.5, 126.0 / 4, 0.25), {}, None),
    (SlowRebalance(), SIZE, book(0.5, 0.0), {}, 1.0),
    (SlowRebalance(), SIZE, book(1.0, 0.0), {}, None),
    (IdleCapital(), SIZE, {"size": {"mean_gross": 0.2}}, {}, 0.8),
    (IdleCapital(), SIZE, {"size": {"mean_gross": 0.5}}, {}, None),
    (BandTooWide(), SIZE, {"size": {"mean_gross": 0.1, "mean_positions": 8.0}}, BANDED, 0.8),
    (BandTooWide(), SIZE, {"size": {"mean_gross": 0.2, "mean_positions": 8.0}}, BANDED, None),
    (BandTooWide(), SIZE, {"size": {"mean_gross": 0.1, "mean_positions": 8.0}}, AT_ONCE, None),
    (BandTooWide(), SIZE, {"size": {"mean_gross": 0.0, "mean_positions": 8.0}}, BANDED, None),
    (LateSignal(), SIZE, decay(0.04, 0.01), WAITS, 0.75),
    (LateSignal(), SIZE, decay(0.04, 0.01), BANDED, 0.75),
    (LateSignal(), SIZE, decay(0.04, 0.01), AT_ONCE, None),
    (LateSignal(), SIZE, decay(0.04, 0.01), {}, None),
    (LateSignal(), SIZE, decay(0.04, 0.03), WAITS, None),
    (LateSignal(), SIZE, decay(0.04, 0.01, t=1.9), WAITS, None),
    (LateSignal(), SIZE, decay(-0.04, 0.01), WAITS, None),
    (FillLag(), EXECUTE, sharpe(0.75, 0.25), {}, 0.5),
    (FillLag(), EXECUTE, sharpe(0.75, 0.5), {}, None),
    (FillLag(), EXECUTE, sharpe(-0.25, -1.0), {}, None),
    (FillLag(), EXECUTE, {"execute": {"net_sharpe": 0.75}}, {}, None),
    (UnfilledOrders(), EXECUTE, {"execute": {"orders": 100.0, "unfilled": 2.0}}, {}, 0.02),
    (UnfilledOrders(), EXECUTE, {"execute": {"orders": 100.0, "unfilled": 1.0}}, {}, None),
    (UnfilledOrders(), EXECUTE, {"execute": {"orders": 0.0, "unfilled": 0.0}}, {}, None),
    (VolatilityOutOfReach(), SIZE, {"size": {"capped_share": 0.9}}, {}, 0.9),
    (VolatilityOutOfReach(), SIZE, {"size": {"capped_share": 0.5}}, {}, None),
    (ThinSignal(), FEATURE, {"feature": {"coverage": 0.75}}, {}, 0.25),
    (ThinSignal(), FEATURE, {"feature": {"coverage": 0.8}}, {}, None),
    (ThinSignal(), FEATURE, {"clean": {"coverage": 0.1}}, {}, None),
    (JumpySignal(), FEATURE, jumps(0.5, 30.0), {}, 0.5),
    (JumpySignal(), FEATURE, jumps(0.95, 30.0), {}, None),
    (JumpySignal(), FEATURE, jumps(0.5, 25.0), {}, None),
    (JumpySignal(), FEATURE, jumps(0.5, 30.0, -100.0), {}, None),
    (Oversmoothed(), FEATURE, saves(10.0), SMOOTH, 0.9),
    (Oversmoothed(), FEATURE, saves(-5.0, -100.0), SMOOTH, 1.0),
    (Oversmoothed(), SIZE, saves(10.0), {"size": {"smoothing_bars": 10}}, 0.9),
    (Oversmoothed(), FEATURE, saves(25.0), SMOOTH, None),
    (Oversmoothed(), FEATURE, saves(10.0), {"feature": {"smoothing_bars": 9}}, None),
    (Oversmoothed(), FEATURE, saves(10.0), {}, None),
    (Oversmoothed(), FEATURE, saves(10.0, fills=0.0), SMOOTH, None),
    (StaleSignal(), FEATURE, knows(0.95, 0.5), SMOOTH, 1.5),
    (StaleSignal(), FEATURE, knows(0.95, 2.5), SMOOTH, None),
    (StaleSignal(), FEATURE, knows(0.5, 0.5), SMOOTH, None),
    (StaleSignal(), FEATURE, knows(0.95, 0.5), {}, None),
]


LEVERS: Mapping[str, str] = {
    "slow_rebalance": "-smoothing_bars -no_trade_band",
    "band_too_wide": "-no_trade_band",
    "idle_capital": "+weight_cap +gross_leverage +sector_cap +target_vol -no_trade_band",
    "late_signal": "-smoothing_bars -no_trade_band",
    "fill_lag": "",
    "unfilled_orders": "+min_order_usd",
    "volatility_out_of_reach": "-target_vol -vol_bars +vol_bars",
    "thin_signal": "-least_present -smoothing_bars",
    "jumpy_signal": "+smoothing_bars",
    "oversmoothed": "-smoothing_bars",
    "stale_signal": "-smoothing_bars",
}
"""Which setting may mend what, and which way."""


def test_each_row(traces: Traces) -> None:
    """All rows in one ledger: each is a module of its own, whose settings alone are in force when it is mined."""
    for at, (_, _, figures, values, _) in enumerate(ROWS):
        traces.run(figures, settings=f"row-{at}", task=f"row-{at}", values=values)
    traces.mined()
    for at, (miner, module, _, _, size) in enumerate(ROWS):
        traces.in_force = {name: InForce(f"row-{at}", "code-now") for name in traces.in_force}
        found = miner.mine(traces.mined())
        expected = [] if size is None else [(module, pytest.approx(size), (f"run-{at:03d}",))]
        assert [(f.module, f.size, f.evidence) for f in found] == expected, (at, ROWS[at])
        assert all(f.occurrences == 1 and f.module in f.statement for f in found)
        assert all(" ".join(lever.words for lever in f.levers) == LEVERS[miner.name] for f in found)


EDGES: list[tuple[float, list[str]]] = [
    (0.0, ["+band"]),
    (0.00005, ["+band"]),
    (0.0002, []),
    (0.05, ["-band"]),
    (0.02, []),
]


def test_settings_at_their_bounds(traces: Traces) -> None:
    traces.run({})
    bounds = {"band": Bound("band", 0.0, 0.05, whole=False), "flag": Bound("flag", 0.0, 1.0, whole=True)}
    for value, levers in EDGES:
        traces.in_force[SIZE] = InForce("settings-now", "code-now", {"band": value, "flag": False, "free": 0.0}, bounds)
        found = EdgeSettings().mine(traces.mined())
        assert [lever.words for f in found for lever in f.levers] == levers
        assert [f.evidence for f in found] == [("run-000",)] * len(levers)
    traces.in_force[SIZE] = InForce("never run", "code-now", {"band": 0.0}, bounds)
    assert EdgeSettings().mine(traces.mined()) == []
