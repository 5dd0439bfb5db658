"""IC and quantiles against scipy, and on a planted effect."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from modules.engine.evidence import fill_to_fill_returns, quantile_returns, rank_correlation, rank_ic

RNG = np.random.default_rng(2)


def test_rank_correlation_agrees_with_scipy() -> None:
    for n in (3, 10, 57):
        x, y = RNG.integers(0, 9, n).astype(float), RNG.normal(size=n)
        assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert math.isnan(rank_correlation(np.ones(4), np.arange(4.0)))


def test_ic_joins_a_signal_with_the_return_that_its_order_earns() -> None:
    returns = RNG.normal(size=(30, 12))
    signal = np.full((30, 12), math.nan)
    signal[:-2] = returns[2:]  # a signal that knows the return two rows on: fill at t+1, out at t+2
    ic = rank_ic(signal, returns, 2, 4)
    assert np.isnan(ic[:6]).all(), "no evidence from signals before the start"
    np.testing.assert_allclose(ic[6:], 1.0)


def test_too_few_symbols_give_no_ic() -> None:
    assert np.isnan(rank_ic(RNG.normal(size=(9, 2)), RNG.normal(size=(9, 2)), 2, 0)).all()


def test_quantiles_of_a_planted_effect() -> None:
    signal = np.tile(np.arange(10.0), (8, 1))
    returns = np.tile(np.arange(10.0) / 100, (8, 1))
    returns[5, 3] = math.nan
    means, counts, spread = quantile_returns(signal, returns, 2, 0, 5)
    assert counts.tolist() == [12, 12, 11, 12, 12], "nine symbols leave the middle quantile one"
    np.testing.assert_allclose(means[[0, 4]], [0.005, 0.085], atol=1e-9)
    np.testing.assert_allclose(spread[[2, 3]], 0.08)
    assert np.isnan(spread[:2]).all()


def test_rows_with_fewer_symbols_than_quantiles_are_left_out() -> None:
    means, counts, spread = quantile_returns(RNG.normal(size=(9, 4)), RNG.normal(size=(9, 4)), 2, 0, 5)
    assert counts.sum() == 0
    assert np.isnan(means).all()
    assert np.isnan(spread).all()


def test_fill_to_fill_returns() -> None:
    got = fill_to_fill_returns(np.array([[100.0], [110.0], [math.nan], [121.0]]))
    np.testing.assert_allclose(got[:, 0], [math.nan, 0.1, math.nan, math.nan])
