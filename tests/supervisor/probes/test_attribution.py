"""A run's account taken apart, on accounts small enough to reckon by hand, and on a real run.

1. Profit by symbol sums to the change of NAV, but for what belongs to no symbol (borrowing).
2. What a decision's close does not know of a bar later is not used: regimes read bars before the one they judge.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ablations.suite import load_suite
from modules.artifacts import ArtifactStore
from modules.contract import TIME
from modules.datastore import DataStore
from modules.manifest import ManifestStore
from modules.panel import FloatArray, Panel
from modules.task import load_pipeline
from modules.workspace import CHECKOUT
from supervisor.bench import Bench
from supervisor.inforce import modules_in_force
from supervisor.mined import Mined
from supervisor.miners import MINERS
from supervisor.probes import PROBES, Room
from supervisor.probes._attribution import (
    Account,
    _market_volatility,
    fill_figures,
    profit_by_symbol,
    sharpe_by_regime,
    sharpe_by_year,
)
from traces.ledger import Ledger

DAY_NS = 86_400_000_000_000


def times(days: list[int]) -> pl.Series:
    return pl.Series([d * DAY_NS for d in days], dtype=pl.Int64).cast(TIME)


def account(volume: FloatArray | None = None) -> Account:
    """Two symbols over four bars: 200 of A are bought at 10, held at 12; B is sold short at 20, bought back at 25."""
    ts = np.arange(4, dtype=np.int64) * DAY_NS
    close = np.array([[10.0, 20.0], [10.5, 21.0], [11.0, 25.0], [12.0, 26.0]])
    fields = {"close": close} | ({"volume": volume} if volume is not None else {})
    fills = pl.DataFrame(
        {
            "order_id": [0, 1, 2], "event_time": times([1, 1, 2]), "symbol": ["A", "B", "B"],
            "lots": [2, -3, 3], "price": [10.0, 20.0, 25.0],
            "notional_micros": [2_000_000_000, -60_000_000, 75_000_000],
            "commission_micros": [1_000_000, 0, 0], "spread_micros": [0, 500_000, 0], "impact_micros": [0, 0, 250_000],
        }
    )  # fmt: skip
    orders = pl.DataFrame({"order_id": [0, 1, 2], "event_time": times([0, 0, 1])})
    instruments = pl.DataFrame(
        {"symbol": ["A", "B"], "sector": ["X", "Y"], "lot_size": [100.0, 1.0], "valid_from": times([0, 0])}
    )
    return Account(
        bars=Panel(ts, ("A", "B"), fields),
        positions=Panel(ts, ("A", "B"), {"lots": np.array([[0.0, 0.0], [2.0, -3.0], [2.0, 0.0], [2.0, 0.0]])}),
        nav=pl.DataFrame({"event_time": times([0, 1, 2, 3]), "net_return": [0.0, 0.1, -0.1, 0.2]}),
        orders=orders,
        fills=fills,
        instruments=instruments,
    )


def test_profit_by_symbol() -> None:
    assert profit_by_symbol(account()) == {"A": pytest.approx(2 * 100 * 12 - 2_001.0), "B": pytest.approx(-15.75)}


def test_what_fills_cost() -> None:
    found = fill_figures(account())
    money = 2_000 + 60 + 75
    assert found["fills"] == 3.0 and found["modelled_bps"] == pytest.approx(1.75 / money * 1e4)
    # A and B fill at the close of their decision; the last is decided at 21 and filled at 25
    assert found["delay_bps"] == pytest.approx(75 * (1 - 21 / 25) / money * 1e4)
    assert found["shortfall_bps"] == pytest.approx(found["modelled_bps"] + found["delay_bps"])
    assert "participation_p95" not in found


def test_a_short_that_is_sold_lower_than_decided_falls_short() -> None:
    made = account()
    sold = made.fills.with_columns(
        price=pl.when(pl.col("order_id") == 1).then(19.0).otherwise(pl.col("price")),
        notional_micros=pl.when(pl.col("order_id") == 1).then(-57_000_000).otherwise(pl.col("notional_micros")),
    ).filter(pl.col("order_id") == 1)
    found = fill_figures(Account(made.bars, made.positions, made.nav, made.orders, sold, made.instruments))
    assert found["delay_bps"] == pytest.approx((20 / 19 - 1) * 1e4)


def test_participation_counts_shares_not_lots() -> None:
    volume = np.array([[0.0, 0.0], [1_000.0, 300.0], [1.0, 0.0], [1.0, 1.0]])
    found = fill_figures(account(volume))
    assert found["participation_max"] == pytest.approx(0.2)  # 200 of 1,000; 3 of 300; no volume at the last
    assert found["large_share"] == 0.5


def test_no_fills_no_figures() -> None:
    made = account()
    none = Account(made.bars, made.positions, made.nav, made.orders, made.fills.clear(), made.instruments)
    assert fill_figures(none) == profit_by_symbol(none) == {}


def test_years_with_few_bars_say_nothing() -> None:
    days = [*range(0, 100), *range(365, 395)]  # 1970, and 30 bars of 1971
    returns = np.random.Generator(np.random.PCG64(1)).normal(0.001, 0.01, len(days))
    found = sharpe_by_year(pl.DataFrame({"event_time": times(days), "net_return": returns}))
    assert list(found) == ["1970"]
    first = returns[:100]
    assert found["1970"] == pytest.approx(first.mean() / first.std(ddof=1) * np.sqrt(365.0))


def test_regimes_read_what_was_known_before_the_bar() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    sizes = np.repeat([0.002, 0.01, 0.05], 300)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1.0, (900, 2)) * sizes[:, None], axis=0))
    bars = Panel(np.arange(900, dtype=np.int64) * DAY_NS, ("A", "B"), {"close": close})
    volatility = _market_volatility(close)
    assert np.isnan(volatility[:61]).all() and not np.isnan(volatility[61:]).any()
    later = close.copy()
    later[500:] *= 3.0
    assert np.array_equal(_market_volatility(later)[:501], volatility[:501], equal_nan=True)
    assert not np.array_equal(_market_volatility(later)[:502], volatility[:502], equal_nan=True)
    returns = np.where(np.arange(900) < 361, 0.01, np.where(np.arange(900) < 661, 0.0, -0.01))
    nav = pl.DataFrame({"event_time": times(list(range(900))), "net_return": returns + rng.normal(0, 1e-3, 900)})
    found = sharpe_by_regime(nav, bars)
    assert found["calm"] > 20.0 > found["usual"] > -20.0 > found["volatile"]


# --- real runs ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_runs_are_taken_apart_and_mined(tmp_path: Path) -> None:
    suite, data = load_suite("fast"), DataStore(tmp_path / "data")
    store = ArtifactStore(tmp_path / "artifacts")
    with Ledger(tmp_path / "ledger", tmp_path / "checkpoints") as ledger:
        bench = Bench(
            suite=suite, version=data.current(suite.data), spec=load_pipeline(CHECKOUT / "pipeline.yaml"), data=data,
            store=store, manifests=ManifestStore(tmp_path / "runs"), emit=ledger.append,
        )  # fmt: skip
        manifests = [bench.trace(task) for task in bench.tasks("size/rank_neutral")[:3]]

        def mined() -> Mined:
            ends = {bench.version.digest: bench.version.mining_end_ns}
            return Mined(tmp_path / "ledger", ends, modules_in_force())

        for probe in PROBES:
            assert probe.measure(Room(mined(), store, ledger.append, time.monotonic() + 60.0)) == ()
            before = dict(mined().counts)
            assert probe.measure(Room(mined(), store, ledger.append, time.monotonic() + 60.0)) == ()
            assert dict(mined().counts) == before, f"{probe.name} measured twice"
    for manifest in manifests:
        [row] = mined().sql(f"SELECT * FROM run_profiled WHERE run_id = '{manifest.run_id}'").to_dicts()
        metrics = manifest.metrics
        whole = metrics["net_pnl_usd"] + metrics["borrow_usd"]
        assert sum(row["symbols"].values()) == pytest.approx(whole, abs=0.01)
        assert sum(row["sectors"].values()) == pytest.approx(whole, abs=0.01)
        assert row["figures"]["modelled_bps"] == pytest.approx(5.0) and row["figures"]["delay_bps"] == 0.0
        assert len(row["years"]) >= 16 and set(row["regimes"]) == {"calm", "usual", "volatile"}
    found = {miner.name: miner.mine(mined()) for miner in MINERS}
    assert {"cost_share", "blind_symbols", "missed_faults", "seeded_alarms", "edge_settings"} <= {
        name for name, findings in found.items() if findings
    }
    runs = {manifest.run_id for manifest in manifests}
    assert all(set(f.evidence) <= runs for f in (*found["cost_share"], *found["blind_symbols"]))
