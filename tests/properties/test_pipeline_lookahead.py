"""Nothing that a run writes about a bar changes when later bars arrive.

1. Truncation. One task ended at t1 and at t2 > t1: every row of bars, quality, signal, evidence, weights, orders,
   fills, nav and positions up to the last bar known at t1 is the same to the bit. There is no exception near t1: the
   orders of the last bar are decided alike, and only their fills, which belong to the next bar, are not there yet. Left
   out are the tables that sum over the run (quantiles, judgement) and columns of later symbols, which hold nothing.
2. Intraday the same, also where the number of bars a day and the trading of weekends change on the way.
3. Noise earns nothing: no signal of any kind has a gross Sharpe or an IC beyond what luck gives.
4. The screen's IC is the backtest's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from harness.screen import screen
from modules.artifacts import ArtifactStore
from modules.canonical import Artifact
from modules.contract import TIME, Module, Stage
from modules.engine.metrics import bars_per_day, bars_per_year, known_clock
from modules.ingest.adding import AddOptions, add_files
from modules.panel import Panel, ns
from modules.pipeline import RawSource, execute
from modules.task import load_modules
from tests.pipelines import Desk

pytestmark = pytest.mark.slow

DAY, HOUR = 86_400_000_000_000, 3_600_000_000_000
PANELS = ("bars", "signal", "weights", "positions")
TABLES = ("quality", "evidence", "nav", "orders", "fills")
REPAIRING: dict[str, object] = {"spike_action": "mask", "stale_action": "mask", "max_fill_bars": 2}


def artifacts(
    desk: Desk, raw: pl.DataFrame, end: str | int | None, signal: str, size: str, start: str | int | None = None,
    clean: Mapping[str, object] | None = None,
) -> dict[str, Artifact]:  # fmt: skip
    task = desk.task(signal=signal, start=start, end=end)
    task = task.model_copy(update={"stages": {**task.stages, "size": size}})
    modules: dict[Stage, Module] = load_modules(task, desk.version)
    modules["clean"] = modules["clean"].with_settings(clean or {})
    manifest = execute(task, modules, RawSource("made", lambda: raw), desk.store, lambda e: None, use_cache=False)
    return {name: desk.store.get(d) for record in manifest.stages for name, d in record.outputs.items()}


def differences(short: Mapping[str, Any], long: Mapping[str, Any]) -> list[str]:
    """Artifacts of `short` that differ from what `long` says of the same bars."""
    last = int(short["bars"].ts[-1])
    found = []
    for name in PANELS:
        a: Panel = short[name]
        b: Panel = long[name].between(int(long[name].ts[0]), last)
        columns = [b.symbols.index(s) for s in a.symbols]
        for field in sorted(set(a.fields) | set(b.fields)):
            empty = np.full(a.shape, np.nan)
            x = a.fields.get(field, empty)
            y = np.ascontiguousarray(b.fields[field][:, columns]) if field in b else empty
            if x.tobytes() != y.tobytes() or not np.array_equal(a.ts, b.ts):
                found.append(f"{name}.{field}")
            others = [c for c in range(len(b.symbols)) if c not in columns]
            found += [f"{name} holds a symbol of later"] if np.nan_to_num(b[field][:, others]).any() else []
    for name in TABLES:
        x, y = short[name], long[name].filter(pl.col("event_time") <= pl.lit(last).cast(TIME))
        if not x.equals(y, null_equal=True):
            found.append(name)
    return found


def spoiled(raw: pl.DataFrame) -> pl.DataFrame:
    """us5 with holes, days that nobody has, a late start, an early end, an absence, spikes, zero volumes."""
    rng = np.random.default_rng(1)
    t, ticker = raw["source_event_time"].to_physical().to_numpy(), raw["Ticker"].to_numpy()
    drop = (rng.random(raw.height) < 0.03) | np.isin(t, rng.choice(np.unique(t), 20))
    drop |= (ticker == "IBM") & (t > ns("2007-03-01"))
    drop |= (ticker == "MSFT") & (t < ns("2003-01-15"))
    drop |= (ticker == "AAPL") & (t > ns("2005-01-01")) & (t < ns("2005-05-01"))
    spike = np.where(rng.random(raw.height) < 0.003, 1.4, 1.0)
    stale = rng.random(raw.height) < 0.01
    return raw.with_columns(
        *[pl.col(c) * pl.Series(spike) for c in ("Open", "High", "Low", "Close", "Adj Close")],
        pl.when(pl.Series(stale)).then(0).otherwise(pl.col("Volume")).alias("Volume"),
    ).filter(pl.Series(~drop))


US5 = [
    ("rank(-returns(close, 5))", "rank_neutral", {}),
    ("returns(close, 126) / ts_std(returns(close, 1), 63)", "vol_target", REPAIRING),
    (
        "ffill_limit(open / delay(close, 1) + volume / ts_mean(ffill_limit(volume, 9), 21), 9)",
        "vol_target",
        {},
    ),
]


@pytest.mark.parametrize(("signal", "size", "clean"), US5, ids=["reversal", "momentum-repaired", "gap-volume"])
def test_1_bars_that_come_later_change_nothing(
    signal: str, size: str, clean: dict[str, object], tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    raw = spoiled(desk.data.raw(desk.version))
    whole = artifacts(desk, raw, None, signal, size, "2002-01-03", clean)
    fills = whole["fills"]
    assert isinstance(fills, pl.DataFrame) and fills.height > 500
    for end in ("2002-12-20", "2005-03-15", "2009-12-25"):
        assert differences(artifacts(desk, raw, end, signal, size, "2002-01-03", clean), whole) == [], end


def test_1_on_closes_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "us20")
    raw = desk.data.raw(desk.version).filter(pl.col("source_event_time") < pl.lit(ns("1996-01-01")).cast(TIME))
    whole = artifacts(desk, raw, None, "rank(returns(delay(close, 21), 126))", "vol_target")
    short = artifacts(desk, raw, "1993-05-03", "rank(returns(delay(close, 21), 126))", "vol_target")
    assert differences(short, whole) == []


def hourly(days: int, seed: int = 0) -> pl.DataFrame:
    """Seven hours on weekdays, then around the clock on all days and every half hour; four symbols with holes."""
    rng = np.random.default_rng(seed)
    start = ns("2015-01-05")
    stamps = [
        start + d * DAY + h * HOUR // 2
        for d in range(days)
        for h in (range(48) if d > days // 2 else range(18, 32, 2))
        if d > days // 2 or d % 7 < 5
    ]
    parts = []
    for symbol in ("AA", "BB", "CC", "DD"):
        kept = [s for s in stamps if rng.random() > 0.02]
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, len(kept))))
        time = pl.Series(kept).cast(TIME).dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        parts.append(pl.DataFrame({"time": time, "symbol": symbol, "close": close}))
    return pl.concat(parts)


@pytest.mark.parametrize("size", ["rank_neutral", "vol_target"])
def test_2_intraday_the_clock_is_what_was_known(size: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, "hours")
    hourly(120).write_csv(tmp_path / "hours.csv")
    add_files(desk.data, "hours", [tmp_path / "hours.csv"], AddOptions(interval_s=3600))
    raw = desk.data.raw(desk.version)
    signal = "rank(-returns(close, 3))"
    whole = artifacts(desk, raw, None, signal, size)
    for end in ("2015-02-10", "2015-03-09", ns("2015-03-17") + 5 * HOUR):
        assert differences(artifacts(desk, raw, end, signal, size), whole) == [], end


CLOCKS: list[tuple[str, Callable[[int], int]]] = [
    ("every weekday", lambda i: (i // 5 * 7 + i % 5) * DAY),
    ("every day", lambda i: i * DAY),
    ("every week", lambda i: i * 7 * DAY),
    ("every month", lambda i: i * 30 * DAY),
    ("every quarter", lambda i: i * 91 * DAY),
    ("seven hours of weekdays", lambda i: (i // 35 * 7 + i // 7 % 5) * DAY + (14 + i % 7) * HOUR),
    ("around the clock", lambda i: i * HOUR),
]


@pytest.mark.parametrize("clock", [c for _, c in CLOCKS], ids=[n for n, _ in CLOCKS])
def test_2_the_known_clock_comes_to_what_the_whole_says(clock: Callable[[int], int]) -> None:
    ts = np.array([ns("2001-01-01") + clock(i) for i in range(480)], dtype=np.int64)
    per_day, per_year = known_clock(ts)
    assert (per_day[-1], per_year[-1]) == pytest.approx((bars_per_day(ts), bars_per_year(ts)))
    for cut in (1, 2, 9, 100, 301):
        short_day, short_year = known_clock(ts[:cut])
        assert short_day.tobytes() == per_day[:cut].tobytes()
        assert short_year.tobytes() == per_year[:cut].tobytes()


NOISE = (
    "rank(-returns(close, 1))", "rank(returns(close, 20))", "close / ts_mean(close, 20)", "rsi(close, 14)",
    "-ts_std(returns(close, 1), 20)", "open / delay(close, 1)", "close / open", "(close - low) / (high - low)",
    "volume / ts_mean(volume, 20)",
    "ts_corr(returns(close, 1), delay(returns(close, 1), 1), 30)", "ts_argmax(close, 20)", "-close / ts_max(close, 60)",
)  # fmt: skip


def noise(seed: int, *, opened: bool, rows: int = 700, symbols: int = 12) -> pl.DataFrame:
    """Independent random walks, as rows to be registered."""
    rng = np.random.default_rng(seed)
    night, day = rng.normal(0.0, 0.008, (2, rows, symbols))
    close = 50.0 * np.exp(np.cumsum(night + day, axis=0))
    open_ = close * np.exp(-day)
    high = np.maximum(open_, close) * (1.0 + np.abs(rng.normal(0, 0.003, close.shape)))
    low = np.minimum(open_, close) * (1.0 - np.abs(rng.normal(0, 0.003, close.shape)))
    dates = np.repeat(np.datetime64("2005-01-03") + np.arange(rows), symbols)
    columns = {"date": dates, "symbol": np.tile([f"S{i:02d}" for i in range(symbols)], rows), "close": close.ravel()}
    if opened:
        volume = np.floor(rng.lognormal(13.0, 0.5, close.shape))
        columns |= {"open": open_.ravel(), "high": high.ravel(), "low": low.ravel(), "volume": volume.ravel()}
    return pl.DataFrame(columns)


@pytest.mark.slow
@pytest.mark.parametrize("opened", [True, False], ids=["open", "closes"])
def test_3_noise_earns_nothing(opened: bool, tmp_path: Path) -> None:
    """Mean gross Sharpe over signals and seeds: its standard error is 1 / sqrt(years x runs) where runs are alike."""
    found, ics = [], []
    for seed in range(4):
        desk = Desk(tmp_path / str(seed), "noise")
        path = tmp_path / f"noise{seed}.parquet"
        noise(seed, opened=opened).write_parquet(path)
        add_files(desk.data, "noise", [path])
        for k, signal in enumerate(NOISE):
            if not opened and any(f in signal for f in ("open", "low", "volume")):
                continue
            task = desk.task(signal=signal, start=desk.version.first_ns + 70 * DAY)
            task = task.model_copy(update={"stages": {**task.stages, "size": ("rank_neutral", "vol_target")[k % 2]}})
            manifest = execute(task, load_modules(task, desk.version), desk.raw(), desk.store, lambda e: None)
            found.append(manifest.metrics["gross_sharpe"])
            ics.append(manifest.metrics["ic_t_stat"])
    years = 490 / 365
    assert abs(np.mean(found)) < 3.0 / np.sqrt(years * len(found) / 2), found
    assert abs(np.mean(ics)) < 3.0 / np.sqrt(len(ics) / 2), ics
    assert max(np.abs(ics)) < 4.0, ics


@pytest.mark.parametrize("opened", [True, False], ids=["open", "closes"])
def test_4_screen_and_backtest_have_one_ic(opened: bool, tmp_path: Path) -> None:
    desk = Desk(tmp_path, "noise")
    path = tmp_path / "noise.parquet"
    table = noise(9, opened=opened)
    table.filter(pl.Series(np.random.default_rng(0).random(table.height) > 0.03)).write_parquet(path)
    add_files(desk.data, "noise", [path])
    for signal in ("rank(-returns(close, 5))", "ts_mean(returns(close, 1), 20)"):
        manifest = desk.run(desk.task(signal=signal), until="backtest")
        bars = ArtifactStore(desk.home / "artifacts").get(manifest.stages[1].outputs["bars"])
        assert isinstance(bars, Panel)
        assert screen(signal, bars).ic == pytest.approx(manifest.metrics["ic_mean"], rel=1e-12)
