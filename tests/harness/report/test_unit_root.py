"""The tests for dependence against statsmodels, and against series whose answer is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from harness.report.study.dependence import autocorrelation, dependence, ljung_box, lo_factor
from harness.report.study.unitroot import adf, kpss, mackinnon_p


def made(kind: str, bars: int) -> np.ndarray:
    """Noise, a walk, or a series that keeps half of itself."""
    noise = np.random.default_rng(bars).normal(0.0, 0.01, bars)
    if kind == "noise":
        return noise
    if kind == "walk":
        return 10.0 + np.cumsum(noise)
    out = np.zeros(bars)
    for t in range(1, bars):
        out[t] = 0.5 * out[t - 1] + noise[t]
    return out


@pytest.mark.slow  # statsmodels takes seconds to import
@pytest.mark.parametrize("bars", [100, 121, 777, 3000])
@pytest.mark.parametrize("kind", ["noise", "walk", "half"])
def test_statsmodels_agrees(kind: str, bars: int) -> None:
    from statsmodels.stats.diagnostic import acorr_ljungbox
    from statsmodels.tsa.stattools import adfuller
    from statsmodels.tsa.stattools import kpss as oracle

    values = made(kind, bars)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tau, p, lags, *_ = adfuller(values, result_object=False)
        level, level_p, bandwidth, *_ = oracle(values, nlags="auto", result_object=False)
    mine, other = adf("x", values), kpss("x", values)
    assert (mine.statistic, mine.p_value) == pytest.approx((tau, p), rel=1e-7, abs=1e-12)
    assert mine.lags == lags
    assert (other.statistic, other.p_value, other.lags) == pytest.approx((level, level_p, bandwidth), rel=1e-9)
    table = acorr_ljungbox(values, [1, 5, 21])
    for k, q, q_p in zip((1, 5, 21), table["lb_stat"], table["lb_pvalue"], strict=True):
        assert ljung_box(autocorrelation(values, 21)[:k], bars) == pytest.approx((q, q_p), rel=1e-9, abs=1e-12)


def test_known_answers() -> None:
    assert adf("x", made("noise", 1500)).stationary and kpss("x", made("noise", 1500)).stationary
    assert not adf("x", made("walk", 1500)).stationary and not kpss("x", made("walk", 1500)).stationary
    assert kpss("x", made("walk", 1500)).p_bound == "<=" and kpss("x", made("noise", 1500)).p_bound == ">="


@pytest.mark.parametrize(("tau", "p"), [(-2.86, 0.05), (-3.43, 0.01), (-2.57, 0.10), (3.0, 1.0), (-19.0, 0.0)])
def test_published_critical_values(tau: float, p: float) -> None:
    """J. MacKinnon (2010): 1, 5 and 10 % for a constant, and the ends of the range."""
    assert mackinnon_p(tau) == pytest.approx(p, abs=2e-3)


@pytest.mark.slow
def test_the_size_of_the_tests_is_five_percent() -> None:
    """On pure noise each refuses about one in twenty; a statistic off by a factor would refuse all, or none."""
    rng = np.random.default_rng(5)
    refused, wandering = np.zeros(2), 0
    for _ in range(300):
        noise = rng.normal(size=250)
        refused += (not kpss("x", noise).stationary, ljung_box(autocorrelation(noise, 5), 250)[1] < 0.05)
        wandering += not adf("x", noise).stationary
    assert wandering <= 15
    assert (refused >= 5).all() and (refused <= 30).all()


def test_the_sharpe_factor_is_that_of_the_paper() -> None:
    """For a series that keeps rho of itself, A. Lo's closed form is met once enough lags are given."""
    rho, q = 0.2, 252
    acf = rho ** np.arange(1, 60)
    closed = 1.0 / np.sqrt(1 + 2 * rho / (1 - rho) * (1 - (1 - rho**q) / (q * (1 - rho))))
    assert lo_factor(acf, q) == pytest.approx(closed, rel=1e-6)
    assert lo_factor(np.zeros(9), q) == 1.0
    assert lo_factor(np.array([-0.6]), q) is None


@pytest.mark.parametrize("values", [np.zeros(500), np.full(500, 0.01), np.zeros(0), np.arange(20.0)])
def test_what_cannot_be_tested_is_left_out(values: np.ndarray) -> None:
    found = dependence(values, 252.0)
    assert found.ljung_box == () and found.roots == () and found.acf.size == 0


@pytest.mark.parametrize(
    "values",
    [
        np.tile([0.01, -0.01], 300),  # the past explains it whole
        np.r_[np.zeros(300), 0.5, np.zeros(300)],  # one bar moves
        np.r_[np.full(400, 0.01), np.full(400, 0.02)],  # one step
        np.full(300, -1.0) + np.r_[1.0, np.zeros(299)],  # the account is lost
    ],
)
def test_odd_series_give_finite_figures(values: np.ndarray) -> None:
    found = dependence(values, 252.0)
    figures = [x for r in found.roots for x in (r.statistic, r.p_value)] + [t.p_value for t in found.ljung_box]
    assert len(figures) > 8 and np.isfinite(figures).all()
