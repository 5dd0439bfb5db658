"""A finished run made of seeded random returns, through the real schemas and the real store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from modules.artifacts import ArtifactStore
from modules.canonical import Artifact
from modules.contract import STAGES, Stage
from modules.manifest import Manifest, StageRecord
from modules.panel import Panel, ns
from modules.task import Task

DAY_NS = 86_400_000_000_000
MICROS = 1_000_000
TIME = pl.Datetime("ns", "UTC")
SYMBOLS = ("A.XNAS", "B.XNAS", "C.XNYS", "D.XNYS")


def weekdays(start: str, bars: int) -> np.ndarray:
    """Bars labelled by weekdays from `start`."""
    days = np.arange(bars * 2, dtype=np.int64) + ns(start) // DAY_NS
    return days[(days + 3) % 7 < 5][:bars] * DAY_NS


def random_run(
    root: Path, *, bars: int = 900, trades: bool = True, volume: bool = True, seed: int = 3
) -> tuple[Manifest, ArtifactStore]:
    """A manifest and a store that holds what it names."""
    store = ArtifactStore(root / "artifacts")
    rng = np.random.default_rng(seed)
    ts = weekdays("2004-01-01", bars)
    times = pl.Series("event_time", ts).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    gross = rng.normal(4e-4, 0.008, bars) if trades else np.zeros(bars)
    cost = np.full(bars, 1e-4 if trades else 0.0)
    nav = 1e6 * np.cumprod(1 + gross - cost)
    before = np.concatenate([[1e6], nav[:-1]])
    artifacts: dict[Stage, dict[str, Artifact]] = {stage: {} for stage in STAGES}
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (bars, 4)), axis=0))
    fields = {"close": close} | ({"volume": np.full((bars, 4), 1e6)} if volume else {})
    artifacts["clean"]["bars"] = Panel(ts, SYMBOLS, fields)
    artifacts["clean"]["quality"] = pl.DataFrame(
        {"rule": ["stale_run"], "symbol": ["A.XNAS"], "event_time": times[:1], "field": ["close"], "value": [50.0],
         "action": ["flagged"], "detail": ["five equal closes"]},
        schema_overrides={"action": pl.Enum(["flagged", "repaired", "dropped"])},
    )  # fmt: skip
    artifacts["backtest"]["evidence"] = pl.DataFrame(
        {"event_time": times, "gross_return": gross, "net_return": gross - cost, "turnover": np.full(bars, 0.1),
         "ic": np.clip(rng.normal(0.02, 0.3, bars), -1, 1), "spread_return": gross}
    )  # fmt: skip
    artifacts["backtest"]["quantiles"] = pl.DataFrame(
        {"quantile": [1, 2, 3, 4, 5], "mean_return": [-4e-4, -1e-4, 0.0, 2e-4, 5e-4], "count": [bars] * 5}
    )
    artifacts["backtest"]["judgement"] = pl.DataFrame(
        {"criterion": ["ic_t", "coverage"], "value": [2.4, 0.98], "threshold": [2.0, 0.5], "passed": [True, True]}
    )
    lots = np.cumsum(rng.integers(-40, 41, (bars, 4)), axis=0) * trades
    artifacts["execute"]["positions"] = Panel(ts, SYMBOLS, {"lots": lots.astype(np.float64)})
    artifacts["execute"]["fills"] = fills_of(times, lots, close)
    artifacts["execute"]["orders"] = orders_of(times, artifacts["execute"]["fills"])
    artifacts["ingest"]["instruments"] = instruments(SYMBOLS)
    artifacts["execute"]["nav"] = pl.DataFrame(
        {"event_time": times, "nav_micros": np.rint(nav * MICROS).astype(np.int64),
         "cash_micros": np.zeros(bars, np.int64), "positions_micros": np.rint(nav * MICROS).astype(np.int64),
         "commission_micros": np.rint(before * cost * 0.25 * MICROS).astype(np.int64),
         "spread_micros": np.rint(before * cost * 0.75 * MICROS).astype(np.int64),
         "impact_micros": np.zeros(bars, np.int64), "borrow_micros": np.zeros(bars, np.int64),
         "gross_return": gross, "net_return": gross - cost, "turnover": np.full(bars, 0.1 if trades else 0.0),
         "gross_exposure": np.ones(bars), "net_exposure": np.zeros(bars)}
    )  # fmt: skip
    stages = tuple(_record(stage, {k: store.put(v) for k, v in artifacts[stage].items()}) for stage in STAGES)
    task = Task(
        data="toy", data_digest="d" * 64, symbols=None, signal="rank(-returns(close, 5))", seed=0,
        start_ns=int(ts[0]), end_ns=int(ts[-1]), stages={s.stage: s.module for s in stages}, objective="net_sharpe",
    )  # fmt: skip
    manifest = Manifest(
        run_id="r-toy", task=task, task_digest=task.digest, stages=stages, metrics={"net_sharpe": 0.5},
        environment={"python": "3.11"}, started_ns=0, seconds=1.0,
    )  # fmt: skip
    return manifest, store


def instruments(symbols: tuple[str, ...]) -> pl.DataFrame:
    """Lots of a share; every second symbol in another sector, the last in none."""
    sectors = [("Energy", "Health Care")[k % 2] for k in range(len(symbols) - 1)] + ["UNKNOWN"]
    return pl.DataFrame(
        {"symbol": list(symbols), "venue": [s.split(".")[-1] for s in symbols], "sector": sectors,
         "lot_size": [1.0] * len(symbols),
         "valid_from": [0] * len(symbols), "valid_to": [None] * len(symbols)},
        schema_overrides={"valid_from": TIME, "valid_to": TIME},
    )  # fmt: skip


def fills_of(times: pl.Series, lots: np.ndarray, price: np.ndarray, fee_bps: float = 2.0) -> pl.DataFrame:
    """The fills that lead to `lots` `[T, N]`, at `price`, half of the fee as spread and half as commission."""
    change = np.diff(lots, axis=0, prepend=0)
    row, column = np.nonzero(change)
    notional = np.rint(change[row, column] * price[row, column] * MICROS).astype(np.int64)
    fee = np.abs(notional) * int(fee_bps) // 20_000
    return pl.DataFrame(
        {"order_id": np.arange(row.size), "event_time": times.gather(row), "symbol": np.array(SYMBOLS)[column],
         "lots": change[row, column].astype(np.int64), "price": price[row, column], "notional_micros": notional,
         "commission_micros": fee, "spread_micros": fee, "impact_micros": np.zeros(row.size, np.int64)},
        schema_overrides={"symbol": pl.String},
    )  # fmt: skip


def orders_of(times: pl.Series, fills: pl.DataFrame) -> pl.DataFrame:
    """An order for each fill, decided at the bar before; those of the first bar at itself."""
    row = np.maximum(times.search_sorted(fills["event_time"]).to_numpy().astype(np.int64) - 1, 0)
    none = pl.Series([None] * fills.height, dtype=pl.Float64)
    return pl.DataFrame(
        {"order_id": fills["order_id"], "event_time": times.gather(row), "symbol": fills["symbol"],
         "asked_lots": fills["lots"], "allowed_lots": fills["lots"], "decision": ["APPROVE"] * fills.height,
         "rule": [""] * fills.height, "limit": none, "value": none},
        schema_overrides={"decision": pl.String, "rule": pl.String},
    )  # fmt: skip


def _record(stage: Stage, outputs: dict[str, str]) -> StageRecord:
    return StageRecord(
        stage=stage, module="toy", code_digest="c" * 64, settings={"window_bars": 5}, settings_digest="s" * 64,
        skills={}, inputs={}, outputs=outputs, digest="o" * 64, seconds=0.01, cached=False,
        metrics={"coverage": 0.98}, notes=(),
    )  # fmt: skip
