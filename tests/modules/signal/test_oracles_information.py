"""Entropy, memory and random walks against scipy, statsmodels, arch and the published formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from arch.unitroot import VarianceRatio
from scipy import stats
from statsmodels.tsa.stattools import pacf

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Frames, agree, by_window, on_both_panels


def _entropy(bins: int) -> Callable[[FloatArray], float]:
    return lambda w: float(stats.entropy(np.histogram(w, bins)[0]))


def _hurst(w: FloatArray) -> float:
    """Slope of the log of the structure function of order 2 on log lag, halved."""
    lags = [2**j for j in range(20) if 2**j <= w.size / 4]
    moments = [np.mean((w[lag:] - w[:-lag]) ** 2) for lag in lags]
    return float(np.polyfit(np.log(lags), np.log(moments), 1)[0] / 2)


def _ratio(lag: int) -> Callable[[FloatArray], float]:
    return lambda w: float(VarianceRatio(w, lag, trend="c", debiased=True, overlap=True).vr)


def _partial(lag: int) -> Callable[[FloatArray], float]:
    return lambda w: float(pacf(w, nlags=lag, method="ldb")[lag])


ORACLES: list[Case] = [
    ("ts_entropy(close, 20)", by_window(["close"], 20, _entropy(10))),
    ("ts_entropy(close, 10, 4)", by_window(["close"], 10, _entropy(4))),
    ("ts_efficiency(close, 10)", lambda f: f["close"].diff(10).abs() / f["close"].diff().abs().rolling(10).sum()),
    ("ts_hurst(close, 16)", by_window(["close"], 16, _hurst)),
    ("ts_hurst(close, 33)", by_window(["close"], 33, _hurst)),
    ("ts_variance_ratio(close, 10, 2)", by_window(["close"], 12, _ratio(2))),
    ("ts_variance_ratio(close, 10, 5)", by_window(["close"], 15, _ratio(5))),
    ("ts_partial_autocorr(close, 20)", by_window(["close"], 21, _partial(1))),
    ("ts_partial_autocorr(close, 20, 4)", by_window(["close"], 24, _partial(4))),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


def _series(values: FloatArray) -> Panel:
    return Panel(np.arange(values.shape[0]), tuple(f"S{n}" for n in range(values.shape[1])), {"x": values})


KNOWN = [
    # what it is, the signal, its true value, how near the mean of 200 samples must come
    ("a random walk", "ts_hurst(x, 250)", 0.5, 0.02), ("noise", "ts_hurst(x, 250)", 0.0, 0.02),
    ("a line", "ts_hurst(x, 250)", 1.0, 1e-12),
    ("a random walk", "ts_variance_ratio(x, 200, 5)", 1.0, 0.03),
    ("noise", "ts_variance_ratio(x, 200, 5)", 0.2, 0.01),
    ("persistence", "ts_partial_autocorr(x, 200)", 0.6, 0.03),
    ("persistence", "ts_partial_autocorr(x, 200, 2)", 0.0, 0.03),
    ("a line", "ts_efficiency(x, 50)", 1.0, 1e-12),
]  # fmt: skip


def _sample(kind: str) -> FloatArray:
    shocks = np.random.default_rng(8).normal(size=(260, 200))
    if kind == "a random walk":
        return np.cumsum(shocks, axis=0)
    if kind == "a line":
        return np.arange(260.0)[:, None] * np.abs(shocks[0])
    if kind == "persistence":
        values = shocks.copy()
        for t in range(1, 260):
            values[t] += 0.6 * values[t - 1]
        return values
    return shocks


@pytest.mark.parametrize(("kind", "text", "true", "within"), KNOWN, ids=[f"{k[1]} of {k[0]}" for k in KNOWN])
def test_known_processes_are_recognised(kind: str, text: str, true: float, within: float) -> None:
    last = evaluate(parse(text), _series(_sample(kind)))[-1]
    assert abs(last.mean() - true) < within
