"""Operators against other people's code: pandas, scipy and numpy, to 1e-10 relative."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import PANEL, Case, Frame, Frames, agree, on_both_panels


def _rolled(function: Callable[[FloatArray], float], window: int) -> Callable[[Frames], Frame]:
    return lambda f: f["close"].rolling(window).apply(function, raw=True)


def _slope(w: FloatArray) -> float:
    return float(stats.linregress(np.arange(w.size), w).slope)


def _resid(w: FloatArray) -> float:
    line = stats.linregress(np.arange(w.size), w)
    return float(w[-1] - line.intercept - line.slope * (w.size - 1))


def _buckets(row: FloatArray, buckets: int) -> FloatArray:
    ranks = stats.rankdata(row, nan_policy="omit")
    return np.floor((ranks - 0.5) / np.count_nonzero(~np.isnan(row)) * buckets)


def _across(function: Callable[[FloatArray], FloatArray]) -> Callable[[Frames], Frame]:
    return lambda f: Frame(np.array([function(row) for row in f["close"].to_numpy()]))


def _winsorized(row: FloatArray) -> FloatArray:
    return np.clip(row, np.nanquantile(row, 0.1), np.nanquantile(row, 0.9))


def _true_range(f: Frames) -> Frame:
    before = f["close"].shift(1)
    parts = [f["high"] - f["low"], (f["high"] - before).abs(), (f["low"] - before).abs()]
    return Frame(np.max([p.to_numpy() for p in parts], axis=0))


def _last_atr(f: Frames) -> Frame:
    return _true_range(f).rolling(5).mean().where(f["close"].notna())


def _rsi(f: Frames) -> Frame:
    change = f["close"].diff()
    return 100 * change.clip(lower=0).rolling(5).sum() / change.abs().rolling(5).sum()


def _stochastic(f: Frames) -> Frame:
    low, high = f["low"].rolling(5).min(), f["high"].rolling(5).max()
    return (f["close"] - low) / (high - low) + 0 * f["close"].rolling(5).sum()


def _ema(f: Frames) -> Frame:
    close = f["close"]
    smooth = close.ewm(span=5, adjust=False, ignore_na=True).mean()
    return smooth.where(close.notna() & (close.notna().cumsum() >= 5))


def _dates(panel: Panel) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(panel.ts.astype("datetime64[ns]"))


def _calendar(part: Callable[[pd.DatetimeIndex], FloatArray]) -> Callable[[Frames], Frame]:
    return lambda f: Frame(np.repeat(np.asarray(part(_dates(PANEL)), dtype=float)[:, None], 6, axis=1))


def _pairwise(f: Frames, function: str, x: str, y: str) -> Frame:
    both = f[x].notna() & f[y].notna()
    return getattr(f[x].where(both).rolling(10), function)(f[y].where(both), pairwise=False)


ORACLES: list[Case] = [
    ("close + open", lambda f: f["close"] + f["open"]),
    ("close - open", lambda f: f["close"] - f["open"]),
    ("close * open", lambda f: f["close"] * f["open"]),
    ("close / open", lambda f: f["close"] / f["open"]),
    ("-close", lambda f: -f["close"]),
    ("close ** 0.5", lambda f: f["close"] ** 0.5),
    ("abs(open - close)", lambda f: (f["open"] - f["close"]).abs()),
    ("log(close)", lambda f: np.log(f["close"])),
    ("exp(close / 50)", lambda f: np.exp(f["close"] / 50)),
    ("sqrt(close)", lambda f: np.sqrt(f["close"])),
    ("sign(open - close)", lambda f: np.sign(f["open"] - f["close"])),
    ("signed_power(open - close, 0.5)", lambda f: np.sign(f["open"] - f["close"])
        * (f["open"] - f["close"]).abs() ** 0.5),
    ("where(open > close, open, close)", lambda f: f["open"].where(f["open"] > f["close"], f["close"])
        .where(f["open"].notna() & f["close"].notna())),
    ("clip(close, 45, 55)", lambda f: f["close"].clip(45, 55)),
    ("max(open, close)", lambda f: Frame(np.maximum(f["open"], f["close"]))),
    ("min(open, close)", lambda f: Frame(np.minimum(f["open"], f["close"]))),
    ("coalesce(open, close)", lambda f: f["open"].fillna(f["close"])),
    ("is_missing(open)", lambda f: f["open"].isna().astype(float)),
    ("delay(close, 3)", lambda f: f["close"].shift(3)),
    ("delta(close, 3)", lambda f: f["close"].diff(3)),
    ("returns(close, 3)", lambda f: f["close"].pct_change(3, fill_method=None)),
    ("log_returns(close, 3)", lambda f: np.log(f["close"]).diff(3)),
    ("ts_sum(close, 10)", lambda f: f["close"].rolling(10).sum()),
    ("ts_mean(close, 10)", lambda f: f["close"].rolling(10).mean()),
    ("ts_var(close, 10)", lambda f: f["close"].rolling(10).var()),
    ("ts_std(close, 10)", lambda f: f["close"].rolling(10).std()),
    ("ts_zscore(close, 10)", lambda f: (f["close"] - f["close"].rolling(10).mean()) / f["close"].rolling(10).std()),
    ("ts_skew(close, 10)", _rolled(lambda w: stats.skew(w, bias=False), 10)),
    ("ts_kurt(close, 10)", _rolled(lambda w: stats.kurtosis(w, bias=False), 10)),
    ("ts_min(close, 10)", lambda f: f["close"].rolling(10).min()),
    ("ts_max(close, 10)", lambda f: f["close"].rolling(10).max()),
    ("ts_argmin(close, 10)", _rolled(lambda w: float(np.argmin(w[::-1])), 10)),
    ("ts_argmax(close, 10)", _rolled(lambda w: float(np.argmax(w[::-1])), 10)),
    ("ts_rank(close, 10)", _rolled(lambda w: (stats.rankdata(w)[-1] - 1) / (w.size - 1), 10)),
    ("ts_rank(sign(open - close), 10)", lambda f: np.sign(f["open"] - f["close"]).rolling(10)
        .apply(lambda w: (stats.rankdata(w)[-1] - 1) / 9, raw=True)),
    ("ts_median(close, 10)", lambda f: f["close"].rolling(10).median()),
    ("ts_quantile(close, 10, 0.3)", lambda f: f["close"].rolling(10).quantile(0.3)),
    ("ts_mad(close, 10)", _rolled(lambda w: float(np.abs(w - w.mean()).mean()), 10)),
    ("decay_linear(close, 10)", _rolled(lambda w: float(np.average(w, weights=np.arange(1, 11))), 10)),
    ("ts_slope(close, 10)", _rolled(_slope, 10)),
    ("ts_rsquare(close, 10)", _rolled(lambda w: float(stats.linregress(np.arange(10), w).rvalue ** 2), 10)),
    ("ts_resid(close, 10)", _rolled(_resid, 10)),
    ("ts_cov(close, volume, 10)", lambda f: _pairwise(f, "cov", "close", "volume")),
    ("ts_corr(close, volume, 10)", lambda f: _pairwise(f, "corr", "close", "volume")),
    ("ts_beta(volume, close, 10)", lambda f: _pairwise(f, "cov", "volume", "close") / f["close"]
        .where(f["volume"].notna()).rolling(10).var()),
    ("ts_autocorr(close, 10, 2)", lambda f: f["close"].rolling(12)
        .apply(lambda w: float(stats.pearsonr(w[2:], w[:-2]).statistic), raw=True)),
    ("count_true(open > close, 10)", lambda f: (f["open"] > f["close"]).astype(float)
        .where(f["open"].notna() & f["close"].notna()).rolling(10).sum()),
    ("days_since(close > 0, 10)", lambda f: 0 * f["close"].rolling(10).sum()),
    ("coverage(close, 10)", lambda f: f["close"].notna().astype(float).rolling(10).mean()),
    ("ffill_limit(close, 2)", lambda f: f["close"].ffill(limit=2).mask(np.arange(80)[:, None].repeat(6, 1) < 2)),
    ("ema(close, 5)", _ema),
    ("rank(close)", lambda f: (f["close"].rank(axis=1) - 1).div(f["close"].count(axis=1) - 1, axis=0)),
    ("zscore(close)", _across(lambda r: (r - np.nanmean(r)) / np.nanstd(r, ddof=1))),
    ("demean(close)", _across(lambda r: r - np.nanmean(r))),
    ("scale(open - close)", lambda f: (f["open"] - f["close"]).div((f["open"] - f["close"]).abs().sum(axis=1), axis=0)),
    ("winsorize(close, 0.1)", _across(_winsorized)),
    ("quantile_bucket(close, 3)", _across(lambda r: _buckets(r, 3))),
    ("rsi(close, 5)", _rsi),
    ("atr(high, low, close, 5)", _last_atr),
    ("bollinger(close, 10, 2)", lambda f: (f["close"] - f["close"].rolling(10).mean())
        / (2 * f["close"].rolling(10).std())),
    ("stochastic(high, low, close, 5)", _stochastic),
    ("parkinson(high, low, 5)", lambda f: np.sqrt((np.log(f["high"] / f["low"]) ** 2).rolling(5).mean()
        / (4 * np.log(2)))),
    ("day_of_week + 0 * 1", _calendar(lambda d: d.day_of_week)),
    ("day_of_month", _calendar(lambda d: d.day)),
    ("month", _calendar(lambda d: d.month)),
    ("hour", _calendar(lambda d: d.hour)),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


LOGIC = [
    ("x > y", [0, 1, 0, None]), ("x < y", [1, 0, 0, None]), ("x >= y", [0, 1, 1, None]), ("x <= y", [1, 0, 1, None]),
    ("x == y", [0, 0, 1, None]), ("x != y", [1, 1, 0, None]), ("x and y", [0, 1, 1, None]), ("x or y", [1, 1, 1, None]),
    ("not x", [1, 0, 0, 0]), ("not y", [0, 0, 0, None]), ("x / (y - 1)", [None, None, 2, None]),
    ("where(x, x, y)", [1, 2, 2, 5]), ("max(x, y)", [1, 2, 2, None]),
    ("log(x)", [None, np.log(2), np.log(2), np.log(5)]),
    ("sqrt(x - 1)", [None, 1, 1, 2]), ("exp(x * 1000)", [1, None, None, None]), ("x ** -1", [None, 0.5, 0.5, 0.2]),
    ("(-x) ** 0.5", [0, None, None, None]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LOGIC, ids=[c[0] for c in LOGIC])
def test_truth_tables(text: str, expected: list[float | None]) -> None:
    nan = np.nan
    panel = Panel(
        np.array([0]), ("A", "B", "C", "D"), {"x": np.array([[0.0, 2, 2, 5]]), "y": np.array([[1.0, 1, 2, nan]])}
    )
    wanted = np.array([[nan if e is None else e for e in expected]])
    np.testing.assert_array_equal(evaluate(parse(text), panel), wanted)


CONSTANT_WINDOWS = [
    ("ts_std(close, 5)", 0.0), ("ts_var(close, 5)", 0.0), ("ts_slope(close, 5)", 0.0), ("ts_mad(close, 5)", 0.0),
    ("ts_rank(close, 5)", 0.5), ("ts_argmax(close, 5)", 0.0), ("rank(close)", 0.5), ("demean(close)", 0.0),
    ("ts_zscore(close, 5)", None), ("ts_skew(close, 5)", None), ("ts_kurt(close, 5)", None), ("rsi(close, 5)", None),
    ("ts_corr(close, open, 5)", None), ("ts_beta(open, close, 5)", None), ("zscore(close)", None),
    ("ts_autocorr(close, 5)", None), ("ts_rsquare(close, 5)", None), ("stochastic(close, close, close, 5)", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CONSTANT_WINDOWS, ids=[c[0] for c in CONSTANT_WINDOWS])
def test_a_constant_is_exactly_constant(text: str, expected: float | None) -> None:
    """0.1 has no exact sum of five, so a plain mean would leave a deviation of a rounding error."""
    panel = Panel(np.arange(12), ("A", "B", "C"), {"close": np.full((12, 3), 0.1), "open": np.full((12, 3), 0.7)})
    last = evaluate(parse(text), panel)[-1]
    assert np.isnan(last).all() if expected is None else (last == expected).all()


def test_days_since_counts_back_to_the_last_true_bar() -> None:
    close = np.array([0.0, 1, 0, 0, 0, 0, 2, 0])[:, None]
    panel = Panel(np.arange(8), ("A",), {"close": close})
    np.testing.assert_array_equal(
        evaluate(parse("days_since(close, 3)"), panel)[:, 0], [np.nan, np.nan, 1, 2, np.nan, np.nan, 0, 1]
    )
