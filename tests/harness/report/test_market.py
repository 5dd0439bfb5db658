"""Betas, alpha and contributions against planted ones, statsmodels, and factors made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.report.book import Book, Moves
from harness.report.study.factors import Factors, market, own_factors, ranked
from harness.report.study.market import attribute, beta
from modules.panel import Panel
from tests.harness.report.test_trips import book_of

rng = np.random.default_rng(0)
TWO = rng.normal(3e-4, 0.01, (2_000, 2))
NET = 2e-4 + TWO @ [0.5, -1.2] + rng.normal(0, 0.002, 2_000)


def factors(returns: np.ndarray = TWO) -> Factors:
    names = tuple(f"f{k}" for k in range(returns.shape[1]))
    return Factors(names, names, returns)


def test_planted_betas_are_found_and_contributions_add_up() -> None:
    found = attribute(NET, factors(), 252.0)
    assert [f.beta for f in found.loadings] == pytest.approx([0.5, -1.2], abs=0.02)
    assert found.alpha == pytest.approx(2e-4 * 252, abs=0.03) and (found.alpha_t or 0.0) > 2
    total = (found.alpha or 0.0) + sum(f.contribution for f in found.loadings)
    assert total == pytest.approx(NET.mean() * 252, rel=1e-12) and found.mean == pytest.approx(total)


@pytest.mark.slow
def test_statsmodels_has_the_same_errors() -> None:
    import statsmodels.api as sm

    lags = int(4.0 * (NET.size / 100.0) ** (2.0 / 9.0))
    fit = sm.OLS(NET, sm.add_constant(TWO)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
    found = attribute(NET, factors(), 252.0)
    assert [found.alpha_t, *(f.t for f in found.loadings)] == pytest.approx(list(fit.tvalues), rel=1e-9)
    assert found.r_squared == pytest.approx(fit.rsquared, rel=1e-9)


@pytest.mark.parametrize(
    ("returns", "made", "why"),
    [
        (NET, TWO[:, [0, 0]], "copies"),
        (np.zeros(2_000), TWO, "never moved"),
        (NET, np.column_stack([TWO[:, 0], np.zeros(2_000)]), "f1 never moved"),
        (NET[:50], TWO[:50], "50 bars"),
        (NET, np.where(np.arange(2_000)[:, None] < 1_960, np.nan, TWO), "40 bars"),
    ],
)
def test_what_cannot_be_attributed_says_why(returns: np.ndarray, made: np.ndarray, why: str) -> None:
    found = attribute(returns, factors(made), 252.0)
    assert found.loadings == () and found.alpha is None and why in found.why


def test_beta_by_direction() -> None:
    m = rng.normal(0, 0.01, 4_000)
    net = np.where(m > 0, 0.2, 1.5) * m
    found = beta(net, m, 252.0)
    assert (found.up, found.down) == (pytest.approx(0.2), pytest.approx(1.5))
    assert beta(net, np.zeros(4_000), 252.0).beta is None


def test_a_style_is_long_the_high_and_short_the_low_by_rank() -> None:
    row = ranked(np.array([[3.0, 1.0, 2.0, 5.0, 4.0, np.nan], [1.0, 2.0, np.nan, np.nan, 3.0, 4.0]]))
    assert row[0, :5] == pytest.approx(np.array([0.0, -2.0, -1.0, 2.0, 1.0]) / 6.0) and np.isnan(row[0, 5])
    assert np.isnan(row[1]).all()  # four symbols are too few


def wide(bars: int, symbols: int) -> Book:
    """An account without positions, on as many symbols as a style needs."""
    ts = np.arange(bars) * 86_400_000_000_000
    names = tuple(f"S{k}.X" for k in range(symbols))
    close = 10 * np.exp(np.cumsum(np.random.default_rng(1).normal(2e-4, 0.01, (bars, symbols)), axis=0))
    none, whole = np.empty(0), np.empty(0, dtype=np.int64)
    flat = np.zeros((bars, symbols))
    unknown = np.full((bars, symbols), -1)
    moves = Moves(whole, whole, none, none, none, none)
    return Book(Panel(ts, names, {"close": close}), 0, ts, flat, flat, flat, unknown, (), moves)


@pytest.mark.slow  # compiles the kernels of the styles
def test_styles_look_back_only() -> None:
    """Changing the last bar's prices changes the last factor return and no other."""
    book = wide(400, 8)
    whole = own_factors(book)
    assert whole.names == ("market", "momentum", "reversal", "low volatility")
    close = book.bars["close"].copy()
    close[-1] *= np.linspace(0.5, 1.5, 8)
    other = own_factors(replace(book, bars=Panel(book.bars.ts, book.symbols, {"close": close})))
    assert np.array_equal(whole.returns[:-1], other.returns[:-1], equal_nan=True)
    assert (whole.returns[-1] != other.returns[-1]).all()


@pytest.mark.slow
def test_a_late_start_gives_the_same_factors() -> None:
    book = wide(400, 8)
    whole = own_factors(book).returns
    assert np.array_equal(own_factors(replace(book, start=300)).returns, whole[300:], equal_nan=True)


def test_few_symbols_have_a_market_and_no_style() -> None:
    lots = np.zeros((300, 4), dtype=np.int64)
    close = 10 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, (300, 4)), axis=0))
    book = book_of(lots, close)
    assert own_factors(book).names == ("market",)
    gone = replace(
        book, bars=Panel(book.bars.ts, book.symbols, {"close": np.where(np.arange(300)[:, None] == 9, np.nan, close)})
    )
    assert market(gone)[[9, 10]].tolist() == [0.0, 0.0]
