"""Losses against closed forms, simulation and quantstats."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from harness.report.statistics import performance
from harness.report.study.path import worst_drawdowns
from modules.tail import (
    LEVELS,
    cornish_fisher,
    coverage,
    historical,
    kupiec,
    monotone,
    monte_carlo,
    normal,
    over,
    shape,
    skew_kurt,
    tails,
)


def test_historical_by_hand() -> None:
    found = historical(np.arange(1.0, 101.0) / 100.0 - 0.5)  # -0.49 ... 0.50, the five lowest -0.49 ... -0.45
    assert found.var == pytest.approx((0.45, 0.49)) and found.cvar == pytest.approx((0.47, 0.49))


def test_a_mean_beyond_the_quantile_is_never_smaller() -> None:
    for seed in range(6):
        found = tails(np.random.default_rng(seed).standard_t(3, 400) * 0.01, 252.0, 0)
        for t in found.tails:
            for var, cvar in zip(t.var, t.cvar, strict=True):
                assert var is None or cvar is None or cvar >= var - 1e-12


def test_normal_is_the_distribution_itself() -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.02, 200_000)
    found = normal(returns)
    for level, var, cvar in zip(LEVELS, found.var, found.cvar, strict=True):
        q = NormalDist().inv_cdf(1 - level)
        assert var == pytest.approx(-(0.001 + 0.02 * q), rel=0.01)
        below = np.sort(returns)[: int((1 - level) * returns.size)]
        assert cvar == pytest.approx(-below.mean(), rel=0.02)


def test_cornish_fisher_is_the_normal_where_nothing_is_skewed() -> None:
    half = np.abs(np.random.default_rng(1).normal(0.0, 1.0, 50_000))
    pair = np.concatenate([half, -half])
    assert abs(skew_kurt(pair)[0]) < 1e-12
    lifted = pair * (1.0 + 1e-3 * pair**2)  # tails a little heavier: the expansion is one
    assert monotone(*skew_kurt(lifted))
    assert cornish_fisher(lifted).var == pytest.approx(normal(lifted).var, rel=0.05)


def test_cornish_fisher_beyond_is_the_mean_of_its_own_quantiles() -> None:
    """The closed form against the integral of the quantile function over the tail."""
    returns = np.random.default_rng(2).standard_t(9, 5_000) * 0.01
    returns += 0.004 * np.maximum(-returns / 0.01 - 1, 0) * -1  # a longer left
    found = cornish_fisher(returns)
    s, k = skew_kurt(returns)
    assert monotone(s, k) and s < 0
    for level, cvar in zip(LEVELS, found.cvar, strict=True):
        p = (np.arange(20_000) + 0.5) / 20_000 * (1 - level)
        z = np.array([NormalDist().inv_cdf(x) for x in p])
        w = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
        assert cvar == pytest.approx(-(returns.mean() + returns.std(ddof=1) * w.mean()), rel=1e-3)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "holds"),
    [(0.0, 0.0, True), (0.0, 2.0, True), (-0.5, 3.0, True), (0.0, 9.0, False), (1.5, 1.0, False), (0.0, -0.5, False)],
)
def test_where_the_expansion_is_a_distribution(skewness: float, kurtosis: float, holds: bool) -> None:
    z = np.linspace(-12, 12, 20_001)
    s, k = skewness, kurtosis
    w = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    assert monotone(s, k) is holds is bool((np.diff(w) > 0).all())


def test_fat_tails_are_said_to_have_no_expansion() -> None:
    found = cornish_fisher(np.random.default_rng(3).standard_t(2, 2_000) * 0.01)
    assert found.var == (None, None) and "no distribution" in found.note


def test_monte_carlo_is_its_seed_and_meets_the_normal() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, 3_000)
    first, again, other = (monte_carlo(returns, 21, 5, seed) for seed in (7, 7, 8))
    assert first == again and first.var != other.var and "seed 7" in first.note
    assert first.var[0] == pytest.approx(normal(returns, 21).var[0], rel=0.1)


def test_monte_carlo_keeps_what_follows_each_other() -> None:
    """Bars that repeat in fives: blocks far longer than that know it, single bars do not."""
    returns = np.repeat(np.random.default_rng(5).normal(0.0, 0.01, 800), 5)
    long, short = (monte_carlo(returns, 20, block, 1).var[0] for block in (200, 1))
    windows = historical(returns, 20).var[0]
    assert windows is not None and long == pytest.approx(windows, rel=0.1)
    assert short is not None and long is not None and short < 0.6 * long


def test_monte_carlo_over_one_bar_is_the_sample_itself() -> None:
    returns = np.random.default_rng(6).standard_t(4, 2_000) * 0.01
    assert monte_carlo(returns, 1, 7, 3).var == pytest.approx(historical(returns).var, rel=0.1)


def test_periods_compound() -> None:
    assert over(np.array([0.1, -0.5, 0.2]), 2) == pytest.approx([1.1 * 0.5 - 1, 0.5 * 1.2 - 1])


def test_coverage_is_fair_on_noise_and_sees_a_regime_change() -> None:
    rng = np.random.default_rng(6)
    calm, wild = rng.normal(0, 0.01, 4_000), rng.normal(0, 0.03, 400)
    fair = [c for level in LEVELS if (c := coverage(calm, level, 252.0))]
    assert [c.forecasts for c in fair] == [4_000 - 299] * 2 and min(c.p_value for c in fair) > 0.01
    assert fair[0].exceeded == pytest.approx(fair[0].expected, rel=0.25)
    broken = coverage(np.concatenate([calm[:1_000], wild]), 0.95, 252.0)
    assert broken is not None and broken.p_value < 0.01


def test_kupiec_by_hand() -> None:
    # 10 of 100 where 5 are expected: 2 (ln(.1^10 .9^90) - ln(.05^10 .95^90)) = 4.131, p = 0.0421
    assert kupiec(10, 100, 0.05) == pytest.approx(0.0421, abs=1e-4)
    assert kupiec(5, 100, 0.05) == pytest.approx(1.0)
    assert 0.0 <= kupiec(0, 100, 0.01) <= 1.0 and kupiec(100, 100, 0.05) < 1e-9


@pytest.mark.parametrize("returns", [np.zeros(500), np.full(500, 0.01), np.empty(0), np.ones(10)])
def test_what_never_moves_has_no_tail(returns: np.ndarray) -> None:
    found = tails(returns, 252.0, 0)
    assert found.tails == () and found.shape is None


def test_an_account_that_is_lost_has_finite_losses() -> None:
    returns = np.random.default_rng(8).normal(0, 0.01, 500)
    returns[250] = -1.0
    returns[251:] = 0.0
    found = tails(returns, 252.0, 0).tails
    figures = [v for t in found for v in (*t.var, *t.cvar) if v is not None]
    assert len(figures) > 15 and np.isfinite(figures).all()
    drawn = [v for t in found if t.method in ("historical", "Monte Carlo") for v in (*t.var, *t.cvar)]
    assert max(v or 0.0 for v in drawn) <= 1.0


@pytest.mark.slow
def test_quantstats_and_scipy_agree() -> None:
    import pandas as pd
    import quantstats.stats as qs
    from scipy import stats

    returns = np.random.default_rng(9).standard_t(5, 2_500) * 0.01
    series = pd.Series(returns, index=pd.bdate_range("2000-01-03", periods=returns.size))
    found, whole = shape(returns), performance(returns, 252.0)
    assert found.skewness == pytest.approx(stats.skew(returns))
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns))
    assert found.jarque_bera_p == pytest.approx(stats.jarque_bera(returns).pvalue, abs=1e-12)
    assert -normal(returns).var[0] == pytest.approx(qs.value_at_risk(series, confidence=0.95), rel=1e-6)
    assert (found.best, found.worst) == (qs.best(series), qs.worst(series))
    assert whole.sharpe == pytest.approx(qs.sharpe(series, periods=252))
    assert whole.volatility == pytest.approx(qs.volatility(series, periods=252))
    assert whole.max_drawdown == pytest.approx(qs.max_drawdown(series))
    assert whole.hit_rate == pytest.approx(qs.win_rate(series))
    theirs = qs.drawdown_details(qs.to_drawdown_series(series))["max drawdown"].min() / 100
    ours = worst_drawdowns(series.index.as_unit("ns").asi8, returns)[0].depth
    assert ours == pytest.approx(theirs, rel=1e-4)
