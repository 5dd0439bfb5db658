"""Figures of a report against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.report.drawing import thin
from harness.report.statistics import (
    drawdown,
    luck_sharpe,
    monthly,
    performance,
    rolling_mean,
)
from harness.report.text import figure, number, percent
from modules.panel import ns

DAY = 86_400_000_000_000


def _days(*dates: str) -> np.ndarray:
    return np.array([ns(d) for d in dates])


def test_drawdown_counts_from_the_start() -> None:
    # 1 -> 0.9 -> 0.99 -> 1.188 -> 0.594
    found = drawdown(np.array([-0.1, 0.1, 0.2, -0.5]))
    assert found == pytest.approx([-0.1, -0.01, 0.0, -0.5])


def test_performance_by_hand() -> None:
    returns = np.array([0.01, -0.01, 0.02, 0.0])
    found = performance(returns, per_year=4.0)
    assert found.sharpe == pytest.approx(0.005 / np.std(returns, ddof=1) * 2)
    assert found.annual_return == pytest.approx(1.01 * 0.99 * 1.02 - 1)
    assert found.max_drawdown == pytest.approx(-0.01)
    assert found.max_drawdown_bars == 1
    assert found.hit_rate == pytest.approx(2 / 3)


def test_a_series_that_never_moves_has_no_sharpe() -> None:
    found = performance(np.zeros(10), per_year=252.0)
    assert (found.sharpe, found.hit_rate, found.max_drawdown, found.annual_return) == (None, None, 0.0, 0.0)


def test_a_ruined_account_has_no_annual_return() -> None:
    assert performance(np.array([0.1, -1.0, 0.0]), per_year=252.0).annual_return is None


def test_months_compound_and_gaps_stay_empty() -> None:
    ts = _days("2001-11-29", "2001-11-30", "2002-01-02")
    table = monthly(ts, np.array([0.1, 0.1, -0.5]))
    assert table.years == (2001, 2002)
    assert table.months[0, 10] == pytest.approx(0.21)
    assert table.months[1, 0] == pytest.approx(-0.5)
    assert np.isfinite(table.months).sum() == 2
    assert table.totals == pytest.approx([0.21, -0.5])


@pytest.mark.parametrize(("trials", "years", "expected"), [(1, 10.0, None), (0, 10.0, None), (10, 0.0, None)])
def test_luck_needs_two_trials_and_time(trials: int, years: float, expected: None) -> None:
    assert luck_sharpe(trials, years) is expected


def test_luck_agrees_with_simulation() -> None:
    best = np.random.default_rng(0).standard_normal((20_000, 50)).max(axis=1).mean()
    found = luck_sharpe(50, 9.0)
    assert found is not None
    assert found * math.sqrt(9.0) == pytest.approx(best, rel=0.02)


def test_rolling_mean_starts_when_the_window_is_full() -> None:
    found = rolling_mean(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    assert np.isnan(found[0]) and found[1:] == pytest.approx([1.5, 2.5, 3.5])


def test_thinning_keeps_every_extreme() -> None:
    values = np.random.default_rng(1).standard_normal(10_000)
    ts, kept = thin(np.arange(10_000), values, buckets=50)
    assert kept.size <= 102
    assert kept.max() == values.max() and kept.min() == values.min()
    assert (np.diff(ts) > 0).all()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1234.5, "1,234.50"),
        (-0.5, "\u22120.50"),
        (-0.001, "0.00"),
        (None, "\u2013"),
        (math.nan, "\u2013"),
        (0.0, "0.00"),
    ],
)
def test_number(value: float | None, expected: str) -> None:
    assert number(value) == expected


def test_percent_signs() -> None:
    assert (percent(0.123, signed=True), percent(-0.1)) == ("+12.3 %", "\u221210.0 %")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (132880.0, "132,880"),
        (0.0, "0"),
        (4.98650, "4.987"),
        (0.00087123, "0.0008712"),
        (1234.56, "1,235"),
        (None, "\u2013"),
    ],
)
def test_figure(value: float | None, expected: str) -> None:
    assert figure(value) == expected
