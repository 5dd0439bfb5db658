"""Figures against textbook values and against numpy and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modules.engine import metrics as m
from modules.panel import IntArray, ns
from tests.modules.engine.cases import DAY, days

WEEK = ns("2020-01-06") + np.arange(400, dtype=np.int64) * DAY
HOURS = (days(20)[:, None] + np.arange(14, 21, dtype=np.int64) * (DAY // 24)).ravel()


@pytest.mark.parametrize(
    ("ts", "bars"),
    [
        (days(600), 252.0),
        (WEEK, 365.0),
        (WEEK[::7], 52.0),
        (WEEK[::30], 12.0),
        (WEEK[::91], 365.25 / 91),
        (HOURS, 7 * 252.0),
        (ns("2020-01-06") + np.arange(5000, dtype=np.int64) * (DAY // 24), 24 * 365.0),
        (days(1), 252.0),
    ],
    ids=["week days", "every day", "weekly", "monthly", "quarterly", "seven hours", "around the clock", "one bar"],
)
def test_bars_per_year_follow_from_the_spacing(ts: IntArray, bars: float) -> None:
    assert m.bars_per_year(ts) == bars


def test_bars_per_day() -> None:
    assert (m.bars_per_day(days(30)), m.bars_per_day(HOURS)) == (1.0, 7.0)


def test_sharpe_and_volatility_agree_with_numpy() -> None:
    r = np.random.default_rng(3).normal(0.001, 0.01, 500)
    assert m.sharpe(r, 252.0) == pytest.approx(r.mean() / r.std(ddof=1) * math.sqrt(252), rel=1e-12)
    assert m.annual_volatility(r, 252.0) == pytest.approx(r.std(ddof=1) * math.sqrt(252), rel=1e-12)
    assert m.annual_return(r, 252.0) == pytest.approx(np.prod(1 + r) ** (252 / 500) - 1, rel=1e-12)
    assert m.t_statistic(r) == pytest.approx(r.mean() / r.std(ddof=1) * math.sqrt(500), rel=1e-12)


@pytest.mark.parametrize("returns", [[], [0.01], [0.0] * 9, [0.1] * 50])
def test_a_figure_that_does_not_exist_is_absent(returns: list[float]) -> None:
    value = m.sharpe(np.array(returns), 252.0)
    assert math.isnan(value)
    assert m.present({"sharpe": value, "other": 1.0}) == {"other": 1.0}


@pytest.mark.parametrize(
    ("nav", "drawdown"),
    [([1, 2, 3], 0.0), ([1, 2, 1, 4], 0.5), ([4, 3, 5, 2, 6], 0.6), ([5], 0.0), ([2, -1], 1.5)],
)
def test_max_drawdown(nav: list[float], drawdown: float) -> None:
    assert m.max_drawdown(np.array(nav, dtype=float)) == pytest.approx(drawdown)


def test_sums_run_in_the_order_of_time() -> None:
    values = np.array([1e16, 1.0, -1e16, 1.0] * 300)
    running = 0.0
    for v in values:
        running += v
    assert m.total(values) == running
    assert m.total(values) != float(np.sum(values)) or m.total(values[::-1]) != running


def test_a_lost_account_returns_minus_one() -> None:
    assert m.annual_return(np.array([0.1, -1.5]), 252.0) == -1.0


@pytest.mark.parametrize("first", ["2024-01-03", "2024-01-06"], ids=["Wednesday", "Saturday"])
@pytest.mark.parametrize("bars_a_day", [1, 24])
def test_the_clock_as_known_sees_weekends_whatever_the_first_day(first: str, bars_a_day: int) -> None:
    """At its last bar it knows what the whole series says."""
    ts = ns(first) + np.arange(42 * bars_a_day, dtype=np.int64) * (DAY // bars_a_day)
    day, year = m.known_clock(ts)
    assert (day[-1], year[-1]) == (bars_a_day, bars_a_day * 365.0) == (m.bars_per_day(ts), m.bars_per_year(ts))
    weekdays = ts[(ts // DAY + 3) % 7 < 5]
    assert m.known_clock(weekdays)[1][-1] == bars_a_day * 252.0
