"""Spreads, falls and pairs of series against numpy, pandas and scipy. The first operators are in `test_oracles.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Frames, agree, by_window, on_both_panels

_PAIR = ["close", "volume"]


def _coskew(x: FloatArray, y: FloatArray) -> float:
    return float(np.mean((x - x.mean()) * (y - y.mean()) ** 2) / (x.std() * y.var()))


def _residuals(y: FloatArray, x: FloatArray) -> FloatArray:
    line = stats.linregress(x, y)
    return y - line.intercept - line.slope * x


def _deepest(w: FloatArray) -> float:
    return float((w / np.maximum.accumulate(w) - 1).min())


ORACLES: list[Case] = [
    ("ts_product(close / 50, 10)", lambda f: (f["close"] / 50).rolling(10).apply(np.prod, raw=True)),
    ("ts_range(close, 10)", lambda f: f["close"].rolling(10).max() - f["close"].rolling(10).min()),
    ("ts_minmax(close, 10)", lambda f: (f["close"] - f["close"].rolling(10).min())
        / (f["close"].rolling(10).max() - f["close"].rolling(10).min())),
    ("ts_iqr(close, 10)", by_window(["close"], 10, stats.iqr)),
    ("ts_rms(close, 10)", by_window(["close"], 10, lambda w: np.linalg.norm(w) / np.sqrt(10))),
    ("ts_semi_std(close - 50, 10)", lambda f: (f["close"] - 50).clip(upper=0).pow(2).rolling(10)
        .apply(lambda w: np.sqrt(w.mean()), raw=True)),
    ("ts_semi_std(close, 10, 50)", lambda f: (f["close"] - 50).clip(upper=0).pow(2).rolling(10)
        .apply(lambda w: np.sqrt(w.mean()), raw=True)),
    ("ts_tstat(open - close, 10)", lambda f: (f["open"] - f["close"]).rolling(10)
        .apply(lambda w: stats.ttest_1samp(w, 0.0).statistic, raw=True)),
    ("ts_drawdown(close, 10)", lambda f: f["close"] / f["close"].rolling(10).max() - 1),
    ("ts_max_drawdown(close, 10)", by_window(["close"], 10, _deepest)),
    ("ts_spearman(close, volume, 10)", by_window(_PAIR, 10, lambda x, y: stats.spearmanr(x, y).statistic)),
    ("ts_spearman(high > 1.01 * close, close, 10)", by_window(["high", "close"], 10,
        lambda h, c: stats.spearmanr(h > 1.01 * c, c).statistic)),
    ("ts_spearman(close, volume, 33)", by_window(_PAIR, 33, lambda x, y: stats.spearmanr(x, y).statistic)),
    ("ts_coskew(close, volume, 10)", by_window(_PAIR, 10, _coskew)),
    ("ts_beta_resid(close, volume, 10)", by_window(_PAIR, 10, lambda y, x: _residuals(y, x)[-1])),
    ("ts_resid_std(close, volume, 10)", by_window(_PAIR, 10, lambda y, x: np.sqrt((_residuals(y, x) ** 2).sum() / 8))),
]  # fmt: skip


@on_both_panels(ORACLES)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


CONSTANT_WINDOWS = [
    ("ts_range(close, 5)", 0.0), ("ts_iqr(close, 5)", 0.0), ("ts_minmax(close, 5)", None),
    ("ts_drawdown(close, 5)", 0.0),
    ("ts_max_drawdown(close, 5)", 0.0), ("ts_semi_std(close, 5)", 0.0), ("ts_resid_std(open, close, 5)", None),
    ("ts_beta_resid(close, open, 5)", None), ("ts_tstat(close, 5)", None), ("ts_coskew(close, open, 5)", None),
    ("ts_spearman(close, open, 5)", None), ("ts_entropy(close, 5)", 0.0), ("ts_efficiency(close, 5)", None),
    ("ts_hurst(close, 16)", None), ("ts_variance_ratio(close, 5, 2)", None), ("ts_partial_autocorr(close, 5)", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CONSTANT_WINDOWS, ids=[c[0] for c in CONSTANT_WINDOWS])
def test_a_constant_is_exactly_constant(text: str, expected: float | None) -> None:
    """0.1 has no exact sum of five, so a plain mean would leave a deviation of a rounding error."""
    panel = Panel(np.arange(20), ("A", "B"), {"close": np.full((20, 2), 0.1), "open": np.full((20, 2), 0.7)})
    last = evaluate(parse(text), panel)[-1]
    assert np.isnan(last).all() if expected is None else (last == expected).all()


def test_a_fall_from_nothing_has_no_share() -> None:
    close = np.array([-1.0, 2, 1, 0, 4])[:, None]
    panel = Panel(np.arange(5), ("A",), {"close": close})
    np.testing.assert_array_equal(evaluate(parse("ts_drawdown(close, 2)"), panel)[:, 0], [np.nan, 0, -0.5, -1, 0])
    np.testing.assert_array_equal(
        evaluate(parse("ts_max_drawdown(close, 2)"), panel)[:, 0], [np.nan, np.nan, -0.5, -1, np.nan]
    )
