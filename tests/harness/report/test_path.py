"""Drawdowns and moving measures against a plain loop over every window."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.report.study.path import rolling, worst_drawdowns

DAY = 86_400_000_000_000


def test_drawdowns_by_hand() -> None:
    # 1 -> 0.9 -> 1.08 -> 1.08 -> 0.54 -> 0.81 -> 1.215 -> 1.0935
    returns = np.array([-0.1, 0.2, 0.0, -0.5, 0.5, 0.5, -0.1])
    deep, first, last = worst_drawdowns(np.arange(7) * DAY, returns)
    assert (deep.depth, deep.peak_ns // DAY, deep.trough_ns // DAY, deep.recovered_ns) == (
        pytest.approx(-0.5),
        2,
        3,
        5 * DAY,
    )
    assert (deep.bars, deep.bars_to_trough, deep.bars_to_recover) == (2, 1, 2)
    assert (first.depth, first.peak_ns, first.recovered_ns) == (pytest.approx(-0.1), 0, DAY)
    assert (last.recovered_ns, last.bars_to_recover, last.bars) == (None, None, 1)


def test_the_worst_are_the_deepest_and_spans_do_not_overlap() -> None:
    returns = np.random.default_rng(0).normal(2e-4, 0.01, 3_000)
    found = worst_drawdowns(np.arange(3_000) * DAY, returns)
    depths = [d.depth for d in found]
    curve = np.cumprod(1 + returns)
    assert len(found) == 10 and depths == sorted(depths)
    assert depths[0] == pytest.approx(float((curve / np.maximum(np.maximum.accumulate(curve), 1.0) - 1).min()))
    spans = sorted((d.peak_ns, d.recovered_ns or 3_000 * DAY) for d in found)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_a_series_that_never_falls_has_none() -> None:
    assert worst_drawdowns(np.arange(5) * DAY, np.full(5, 0.01)) == ()


def test_rolling_measures_are_those_of_each_window() -> None:
    rng = np.random.default_rng(1)
    market = rng.normal(0, 0.01, 300)
    returns = 0.7 * market + rng.normal(0, 0.004, 300)
    found = rolling(returns, market, 60, 252.0)
    assert np.isnan(found.sharpe[:59]).all() and np.isnan(found.max_drawdown[:59]).all()
    for t in range(59, 300, 20):
        r, m = returns[t - 59 : t + 1], market[t - 59 : t + 1]
        assert found.sharpe[t] == pytest.approx(r.mean() / r.std(ddof=1) * math.sqrt(252))
        assert found.volatility[t] == pytest.approx(r.std(ddof=1) * math.sqrt(252))
        assert found.beta[t] == pytest.approx(np.cov(r, m)[0, 1] / m.var(ddof=1))
        curve = np.cumprod(1 + returns)[t - 59 : t + 1]
        assert found.max_drawdown[t] == pytest.approx(curve[-1] / curve.max() - 1)


def test_what_does_not_move_has_no_ratio() -> None:
    still = rolling(np.zeros(50), np.zeros(50), 10, 252.0)
    assert np.isnan(still.sharpe).all() and np.isnan(still.beta).all() and np.nanmax(still.volatility) == 0.0
    assert np.isnan(rolling(np.ones(3), np.ones(3), 10, 252.0).volatility).all()
