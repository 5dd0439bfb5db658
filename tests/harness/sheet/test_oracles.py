"""The figures of a sheet against other people's arithmetic, and against the backtest.

1. Every IC is scipy's, every quantile mean pandas', every error statsmodels', on a market with gaps.
2. What the backtest also states, it states with the same value.
3. What costs and impact are said to eat, they eat, when the book is charged with them.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from statsmodels.regression.linear_model import OLS

from harness.forward import forward_returns
from harness.sheet.inference import fixed_b_critical, long_run_variance, mean_of
from harness.sheet.information import calendar
from harness.sheet.material import HORIZONS
from harness.sheet.trading import nav_eaten, top_minus_bottom, weighted_quantile
from modules.engine.evidence import SIGNAL_LAG_BARS, fill_to_fill_returns, quantile_returns, rank_ic
from modules.engine.market import fill_prices
from modules.panel import Panel, ns
from modules.signal import evaluate, parse, warmup
from tests.harness.sheet.build import DAY_NS, REVERSAL, SETTINGS, market, sheet_of

PANEL = market()
SHEET = sheet_of(PANEL)
M = SHEET.material
SIGNAL = pd.DataFrame(M.signal)
AHEAD = {h: pd.DataFrame(v) for h, v in M.forward.items()}


def test_forward_returns_start_at_the_next_open() -> None:
    opens = PANEL["open"]
    for horizon in (1, 5):
        found = forward_returns(PANEL, "previous_close", horizon)
        for t in (0, 100, 400):
            expected = opens[t + 1 + horizon] / opens[t + 1] - 1.0
            assert found[t] == pytest.approx(expected, nan_ok=True)
        assert np.isnan(found[-1 - horizon :]).all()


def test_horizons_longer_than_a_tenth_of_the_rows_are_left_out() -> None:
    assert M.horizons == tuple(h for h in HORIZONS if h <= 49)


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_ics_are_those_of_scipy(horizon: int) -> None:
    ranks, linear = [], []
    for x, y in zip(M.signal, M.forward[horizon], strict=True):
        both = ~np.isnan(x) & ~np.isnan(y)
        enough = both.sum() >= 3
        ranks.append(scipy.stats.spearmanr(x[both], y[both]).statistic if enough else math.nan)
        linear.append(scipy.stats.pearsonr(x[both], y[both]).statistic if enough else math.nan)
    at = M.horizons.index(horizon)
    for expected, found in (
        (np.array(ranks), SHEET.information.by_horizon[at]),
        (np.array(linear), SHEET.information.pearson_by_horizon[at]),
    ):
        known = expected[~np.isnan(expected)]
        assert found.mean.count == known.size > 400
        assert found.mean.mean == pytest.approx(known.mean(), rel=1e-10)
        assert found.deviation == pytest.approx(known.std(ddof=1), rel=1e-10)
        assert found.skewness == pytest.approx(scipy.stats.skew(known), rel=1e-9)
        assert found.excess_kurtosis == pytest.approx(scipy.stats.kurtosis(known), rel=1e-9)
        assert found.share_positive == pytest.approx((known > 0).mean())
    if horizon == 1:
        assert SHEET.information.rank == pytest.approx(np.array(ranks), nan_ok=True, abs=1e-12)
        assert SHEET.information.pearson == pytest.approx(np.array(linear), nan_ok=True, abs=1e-12)


def _buckets(quantiles: int) -> pd.DataFrame:
    """floor((mean rank - 1/2) / n * quantiles), by pandas."""
    tradable = SIGNAL.where(AHEAD[1].notna())
    ranks = tradable.rank(axis=1, method="average")
    count = tradable.notna().sum(axis=1)
    return ((ranks - 0.5).mul(quantiles).div(count, axis=0)).apply(np.floor).where(count >= quantiles)


def test_quantile_returns_are_those_of_a_group_by() -> None:
    buckets = _buckets(M.quantiles)
    assert M.bucket == pytest.approx(buckets.to_numpy(), nan_ok=True)
    for horizon in M.detail:
        long = pd.DataFrame({"q": buckets.stack(), "r": AHEAD[horizon].stack()}).dropna()
        long.index.names = ["t", "i"]
        pooled = long.groupby("q")["r"].mean()
        excess = long["r"] - long.groupby("t")["r"].transform("mean")
        by_row = excess.groupby([long.index.get_level_values("t"), long["q"]]).mean().groupby("q").mean()
        found = [q for q in SHEET.quantiles.returns if q.horizon_bars == horizon]
        assert [q.mean for q in found] == pytest.approx(pooled.tolist(), rel=1e-9)
        assert [q.excess.mean for q in found] == pytest.approx(by_row.tolist(), rel=1e-8)
        assert [q.cells for q in found] == long.groupby("q").size().tolist()
        assert SHEET.quantiles.spreads[M.horizons.index(horizon)].monotonicity == pytest.approx(
            scipy.stats.spearmanr(range(M.quantiles), by_row).statistic
        )


def test_one_bar_figures_are_those_of_the_backtest() -> None:
    signal = evaluate(parse(REVERSAL), PANEL)
    first = warmup(parse(REVERSAL))
    returns = fill_to_fill_returns(fill_prices(PANEL, SETTINGS.fill_without_open))
    mean, count, spread = quantile_returns(signal, returns, SIGNAL_LAG_BARS, first, M.quantiles)
    found = [q for q in SHEET.quantiles.returns if q.horizon_bars == 1]
    assert [q.mean for q in found] == pytest.approx(mean.tolist(), rel=1e-12)
    assert [q.cells for q in found] == count.tolist()
    lagged = slice(first + SIGNAL_LAG_BARS, None)
    ic = rank_ic(signal, returns, SIGNAL_LAG_BARS, first)
    assert np.array_equal(SHEET.information.rank[:-SIGNAL_LAG_BARS], ic[lagged], equal_nan=True)
    assert SHEET.quantiles.spread[:-SIGNAL_LAG_BARS] == pytest.approx(spread[lagged], nan_ok=True, abs=1e-15)


@pytest.mark.parametrize(("horizon", "bandwidth"), [(1, 30), (5, 29), (21, 63)])
def test_errors_are_those_of_statsmodels(horizon: int, bandwidth: int) -> None:
    values = pd.Series(np.random.default_rng(1).standard_normal(500) + 0.1).rolling(horizon).sum().to_numpy()
    known = values[~np.isnan(values)]
    fit = OLS(known, np.ones(known.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": bandwidth - 1, "use_correction": False}
    )
    found = mean_of(values, horizon)
    assert found.bandwidth_bars == bandwidth
    assert (found.mean, found.error, found.t) == pytest.approx((fit.params[0], fit.bse[0], fit.tvalues[0]), rel=1e-10)


def test_a_mean_of_nothing_and_of_too_little() -> None:
    assert mean_of(np.full(5, np.nan)) == mean_of(np.empty(0))
    short = mean_of(np.arange(30.0), 5)
    assert (short.mean, short.t, short.significant) == (14.5, None, False)
    assert mean_of(np.full(100, 0.25)).error is None


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "horizon", "limit"), [(400, 1, 0.08), (1500, 21, 0.10), (1500, 63, 0.11)])
def test_overlapping_noise_is_seldom_significant(rows: int, horizon: int, limit: float) -> None:
    """Five cases in a hundred, a little more where horizons overlap; taken as independent, sixty of a hundred."""
    rng = np.random.default_rng(4)
    hits = naive = 0
    for _ in range(400):
        steps = np.concatenate([[0.0], np.cumsum(rng.standard_normal(rows + horizon))])
        values = steps[horizon:] - steps[:-horizon]
        found = mean_of(values, horizon)
        hits += found.significant
        naive += abs(values.mean() / values.std() * math.sqrt(values.size)) > 1.96
    assert hits / 400 < limit
    assert horizon == 1 or naive / 400 > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("b", [0.1, 0.5, 1.0])
def test_critical_values_are_those_of_simulation(b: float) -> None:
    rng = np.random.default_rng(7)
    draws = rng.standard_normal((3_000, 300))
    t = [abs(x.mean()) / math.sqrt(long_run_variance(x, int(b * 300)) / 300) for x in draws]
    assert fixed_b_critical(b) == pytest.approx(float(np.quantile(t, 0.95)), rel=0.06)


def test_turnover_counts_newcomers() -> None:
    buckets = _buckets(M.quantiles).to_numpy()
    for lag in M.detail:
        shares: dict[int, list[float]] = {q: [] for q in range(M.quantiles)}
        for t in range(lag, buckets.shape[0]):
            if np.isnan(buckets[t - lag]).all():
                continue
            for q, found in shares.items():
                now, before = set(np.flatnonzero(buckets[t] == q)), set(np.flatnonzero(buckets[t - lag] == q))
                if now:
                    found.append(len(now - before) / len(now))
        expected = [float(np.mean(s)) for s in shares.values()]
        assert [t.share for t in SHEET.turnover.by_quantile if t.lag_bars == lag] == pytest.approx(expected)


def test_rank_autocorrelation_is_that_of_scipy() -> None:
    expected = []
    for x, y in zip(M.signal[5:], M.signal[:-5], strict=True):
        both = ~np.isnan(x) & ~np.isnan(y)
        expected.append(scipy.stats.spearmanr(x[both], y[both]).statistic)
    assert SHEET.turnover.by_lag[1].mean == pytest.approx(float(np.nanmean(expected)), rel=1e-10)


def test_calendar_is_a_group_by_month() -> None:
    months = pd.Series(SHEET.information.rank, pd.to_datetime(M.ts)).dropna()
    expected = months.groupby([months.index.year, months.index.month]).mean()
    table = SHEET.information.calendar
    found = {(int(y), m + 1): v for y, row in zip(table.rows, table.values, strict=True) for m, v in enumerate(row)}
    for key, value in expected.items():
        assert found.pop(key) == pytest.approx(value)
    assert all(math.isnan(v) for v in found.values())


def test_short_data_have_a_calendar_of_days() -> None:
    ts = ns("2020-01-30") + np.arange(4, dtype=np.int64) * DAY_NS
    found = calendar(ts, np.array([0.1, math.nan, 0.3, 0.5]))
    assert found.rows == ("2020-01", "2020-02") and len(found.columns) == 31
    assert (found.values[0, 29], found.values[1, 0], found.values[1, 1]) == (0.1, 0.3, 0.5)
    assert found.totals.tolist() == pytest.approx([0.1, 0.4])


def test_sector_ics_are_those_of_the_sector_alone() -> None:
    assert [s.name for s in SHEET.information.sectors] == ["Banks", "Energy"]
    banks = [i for i in range(len(M.symbols)) if i % 2 == 1]
    part = Panel(PANEL.ts, tuple(PANEL.symbols[i] for i in banks), {k: v[:, banks] for k, v in PANEL.fields.items()})
    alone = sheet_of(part, quantiles=2).information.by_horizon[0].mean.mean
    assert SHEET.information.sectors[0].mean.mean == pytest.approx(alone, rel=1e-10)


def test_the_book_is_long_the_top_and_short_the_bottom() -> None:
    bucket = np.array([[0.0, 0.0, 1.0, 2.0, np.nan], [1.0, 1.0, 1.0, 2.0, 2.0]])
    book = top_minus_bottom(bucket, 3)
    assert book.tolist() == [[-0.5, -0.5, 0.0, 1.0, 0.0], [0.0] * 5]


def test_held_one_bar_the_book_earns_the_spread() -> None:
    assert SHEET.trading.holdings[0].gross.mean == pytest.approx(float(np.nanmean(SHEET.quantiles.spread)), rel=1e-9)


@pytest.mark.parametrize("at", [0, 1])
def test_break_even_leaves_nothing(at: int) -> None:
    bps = SHEET.trading.holdings[at].break_even_bps
    assert bps is not None and bps > 0
    free = SETTINGS.model_copy(  # only the cost under test is charged
        update={"half_spread_bps": bps, "commission_bps": 0.0, "borrow_bps_year": 0.0, "impact_k": 0.0}
    )
    left = sheet_of(PANEL, settings=free).trading.holdings[at]
    assert left.net.mean == pytest.approx(0.0, abs=1e-9 * abs(left.gross.mean or 0.0) + 1e-15)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_at_its_capacity_impact_eats_that_share(share: float) -> None:
    """Charged at that NAV, by weights and volumes worked out here."""
    holding = SHEET.trading.holdings[1]
    assert holding.capacity is not None and holding.gross.mean is not None and M.dollar_volume is not None
    nav = holding.capacity.half_nav if share == 0.5 else holding.capacity.all_nav
    assert nav is not None
    book = top_minus_bottom(M.bucket, M.quantiles)
    weights = pd.DataFrame(book).rolling(5, min_periods=1).mean().to_numpy()
    trades = np.abs(np.diff(weights, axis=0, prepend=weights[:1])) * nav
    paid = trades * SETTINGS.impact_k * M.sigma * np.sqrt(trades / M.dollar_volume)
    alive = ~np.isnan(M.forward[1]).all(axis=1)
    assert np.nansum(paid[alive]) / alive.sum() / nav == pytest.approx(share * holding.gross.mean, rel=1e-9)


def test_capacity_by_participation() -> None:
    holding = SHEET.trading.holdings[0]
    assert holding.capacity is not None and M.dollar_volume is not None
    nav = holding.capacity.participation_nav
    book = top_minus_bottom(M.bucket, M.quantiles)
    trades = np.abs(np.diff(book, axis=0, prepend=book[:1]))
    load, known = trades * (nav or 0.0) / M.dollar_volume, ~np.isnan(M.dollar_volume) & ~np.isnan(M.sigma)
    value = trades[known]
    inside = value[load[known] <= 0.1 * (1 + 1e-12)].sum() / value.sum()
    assert 0.95 <= inside < 0.96


def test_there_is_no_capacity_without_a_gain_or_without_impact() -> None:
    assert nav_eaten(-1e-4, 0.5, 1e-7) is None and nav_eaten(1e-4, 0.5, 0.0) is None
    assert nav_eaten(2e-4, 0.5, 1e-7) == pytest.approx(1e6)


def test_weighted_quantile_by_hand() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert [weighted_quantile(values, weights, q) for q in (0.2, 0.25, 0.5, 0.75, 0.8)] == [1.0, 1.0, 2.0, 2.0, 3.0]
    assert weighted_quantile(np.empty(0), np.empty(0), 0.5) is None


def test_a_planted_effect_is_found_and_noise_is_not() -> None:
    assert SHEET.information.by_horizon[0].mean.significant
    noise = sheet_of(market(strength=0.0, seed=10))
    assert not noise.information.by_horizon[0].mean.significant
