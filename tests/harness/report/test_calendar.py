"""Seasons, periods and heat maps on days that are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.report.study.calendar import (
    compounded,
    heat_map,
    period_quantiles,
    seasonality,
    welch,
    years,
)
from modules.panel import ns

DAY = 86_400_000_000_000


def weekdays(start: str, bars: int) -> np.ndarray:
    """Bars labelled by weekdays from `start`."""
    days = np.arange(bars * 2) + ns(start) // DAY
    return days[(days + 3) % 7 < 5][:bars] * DAY


def test_a_planted_weekday_is_found_and_nothing_else() -> None:
    ts = weekdays("2010-01-04", 2_000)
    returns = np.random.default_rng(0).normal(0.0, 0.005, ts.size)
    returns[(ts // DAY + 3) % 7 == 2] += 0.002  # Wednesdays
    found = {s.kind: s for s in seasonality(ts, returns)}
    means = {s.name: s.mean for s in found["weekday"].seasons}
    assert max(means, key=lambda k: means[k] or 0.0) == "Wed" and list(means) == ["Mon", "Tue", "Wed", "Thu", "Fri"]
    assert (found["weekday"].p_value or 1.0) < 1e-6 < 0.01 < (found["month"].p_value or 0.0)


def test_days_of_the_month_are_of_traded_days() -> None:
    ts = weekdays("2024-02-01", 21)  # 1 to 29 February 2024, a Thursday to a Thursday
    found = {s.kind: s for s in seasonality(ts, np.linspace(0, 1, 21))}
    assert [(s.name, s.bars) for s in found["day of month"].seasons] == [
        ("first 3", 3),
        ("between", 15),
        ("last 3", 3),
    ]


@pytest.mark.slow
def test_welch_is_the_one_of_statsmodels() -> None:
    from statsmodels.stats.oneway import anova_oneway

    rng = np.random.default_rng(1)
    groups = [rng.normal(0.1 * k, 1.0 + k, 40 + 11 * k) for k in range(5)]
    assert welch(groups) == pytest.approx(anova_oneway(groups, use_var="unequal", welch_correction=True).pvalue)


def test_welch_needs_two_groups_that_vary() -> None:
    assert welch([np.arange(9.0)]) is None and welch([np.arange(9.0), np.zeros(9)]) is None


def test_periods_are_whole_and_compound() -> None:
    ts = weekdays("2024-01-10", 60)  # from the midst of a week to early April
    returns = np.full(60, 0.01)
    found = {p.period: p for p in period_quantiles(ts, returns)}
    assert set(found) == {"day", "week"}  # of months only two are whole
    assert found["week"].count == 11 and found["week"].quantiles == pytest.approx((1.01**5 - 1,) * 7)
    assert compounded(np.array([1, 1, 2]), np.array([0.1, 0.1, -0.5])) == pytest.approx([0.21, -0.5])


def test_years_by_hand() -> None:
    ts = np.array([ns("2001-12-31"), ns("2002-01-02"), ns("2002-01-03")])
    first, second = years(ts, np.array([0.1, 0.0, 0.0]), np.array([0.1, -0.5, 0.2]), np.ones(3), 252.0)
    assert (first.year, first.bars, first.net, first.sharpe, first.max_drawdown) == (
        2001,
        1,
        pytest.approx(0.1),
        None,
        0.0,
    )
    assert (second.net, second.max_drawdown, second.turnover) == (pytest.approx(-0.4), pytest.approx(-0.5), 2.0)


def test_heat_map_by_month_and_by_hour() -> None:
    daily = heat_map(weekdays("2024-01-01", 260), np.ones(260), np.full(260, 1e-4))
    assert daily.across == "month" and daily.columns[0] == "Jan" and len(daily.rows) == 5
    assert np.nansum(daily.traded) == pytest.approx(1.0)
    ts = (np.arange(24 * 14) * 3_600_000_000_000) + ns("2024-01-01")
    busy = (ts // 3_600_000_000_000 % 24 == 15).astype(float)
    hourly = heat_map(ts, busy, busy * 0.01)
    assert hourly.columns == tuple(f"{h:02d}" for h in range(24)) and hourly.rows[-1] == "Sun"
    assert hourly.traded[:, 15] == pytest.approx([1 / 7] * 7) and hourly.net[0, 15] == pytest.approx(0.01)
    assert hourly.traded[:, 14].sum() == 0.0


def test_a_run_that_never_trades_has_an_empty_heat_map() -> None:
    assert np.nansum(heat_map(weekdays("2024-01-01", 30), np.zeros(30), np.zeros(30)).traded) == 0.0
