"""Figures of a return series. Sums run in the order of time, so a figure has the same bits everywhere.

A figure that does not exist (zero variance, no gross profit) is NaN here and absent from a module's metrics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from modules.memory import empty
from modules.panel import FloatArray, IntArray

_DAY_NS = 86_400_000_000_000
_WEEKEND_SHARE = 0.1
_INTRADAY_DAYS = 0.75


def total(values: FloatArray) -> float:
    """Sum, first to last (`accumulate` is sequential; `np.sum` is pairwise and depends on the build)."""
    return float(np.add.accumulate(values)[-1]) if values.size else 0.0


def mean(values: FloatArray) -> float:
    """Arithmetic mean; NaN for no values."""
    return total(values) / values.size if values.size else math.nan


def deviation(values: FloatArray) -> float:
    """Sample standard deviation (n - 1); NaN below two values. Exactly 0 for equal values."""
    if values.size < 2 or bool(np.all(values == values[0])):
        return math.nan if values.size < 2 else 0.0
    centred = values - mean(values)
    return math.sqrt(total(centred * centred) / (values.size - 1))


def bars_per_year(ts: IntArray) -> float:
    """Bars a year, from the median spacing of `ts` (ns UTC).

    Daily bars: 252, or 365 where more than a tenth of them fall on a weekend. Weekly 52, monthly 12, longer by the
    calendar. Intraday: the median number of bars of a day times 252 or 365. Fewer than two bars: 252.
    """
    if ts.size < 2:
        return 252.0
    days = ts // _DAY_NS
    weekend = float(np.mean((days + 3) % 7 >= 5))  # 1970-01-01 was a Thursday
    days_per_year = 365.0 if weekend > _WEEKEND_SHARE else 252.0
    spacing = float(np.median(np.diff(ts))) / _DAY_NS
    if spacing < _INTRADAY_DAYS:
        counts = np.unique(days, return_counts=True)[1]
        return float(np.median(counts)) * days_per_year
    if spacing <= 4.0:
        return days_per_year
    if spacing <= 10.0:
        return 52.0
    if spacing <= 45.0:
        return 12.0
    return 365.25 / spacing


def bars_per_day(ts: IntArray) -> float:
    """Bars a trading day: 1 for daily and slower bars, the median count of a day for intraday ones."""
    if ts.size < 2 or float(np.median(np.diff(ts))) / _DAY_NS >= _INTRADAY_DAYS:
        return 1.0
    return float(np.median(np.unique(ts // _DAY_NS, return_counts=True)[1]))


def known_clock(ts: IntArray) -> tuple[FloatArray, FloatArray]:
    """(bars a day, bars a year) as known at each bar, `[T]` each: `bars_per_day` and `bars_per_year` of what was there.

    For decisions: what a bar's volatility is worth in days must not change when later bars arrive. Intraday, only days
    that are over are counted; on the first day the bars are taken to go on around the clock, the careful side.
    """
    n = ts.size
    if n < 2:
        return np.ones(n), np.full(n, 252.0)
    per_day, per_year = np.empty(n), np.empty(n)
    from modules.engine.clock import clock

    clock(ts, per_day, per_year)
    return per_day, per_year


def known_bars_per_day(ts: IntArray) -> FloatArray:
    """The first of `known_clock` alone."""
    if ts.size < 2:
        return np.ones(ts.size)
    per_day = empty((ts.size,))
    from modules.engine.clock import clock

    clock(ts, per_day, np.empty(0))
    return per_day


def sharpe(returns: FloatArray, per_year: float) -> float:
    """Annualised Sharpe ratio, mean / deviation * sqrt(bars a year), without a riskless rate
    (W. F. Sharpe, "The Sharpe Ratio", 1994; A. Lo, "The Statistics of Sharpe Ratios", 2002, for the scaling of
    uncorrelated returns). NaN for zero variance."""
    spread = deviation(returns)
    return mean(returns) / spread * math.sqrt(per_year) if spread > 0.0 else math.nan


def annual_return(returns: FloatArray, per_year: float) -> float:
    """Compound growth a year: prod(1 + r) ** (per_year / n) - 1; -1 where the account was lost."""
    if not returns.size:
        return math.nan
    from modules.mathematics import power  # the C library's differs in its last bit between processors

    growth = float(np.multiply.accumulate(1.0 + returns)[-1])
    return power(growth, per_year / returns.size) - 1.0 if growth > 0.0 else -1.0


def annual_volatility(returns: FloatArray, per_year: float) -> float:
    """Sample deviation * sqrt(bars a year)."""
    return deviation(returns) * math.sqrt(per_year)


def max_drawdown(nav: FloatArray) -> float:
    """Largest loss from a peak as a positive fraction of that peak; 0 for a series that never falls."""
    if not nav.size:
        return math.nan
    peak = np.maximum.accumulate(nav)
    return float(np.max(1.0 - nav / peak))


def t_statistic(values: FloatArray) -> float:
    """mean / (deviation / sqrt(n)) of values taken as independent; NaN for zero variance."""
    spread = deviation(values)
    return mean(values) / spread * math.sqrt(values.size) if spread > 0.0 else math.nan


def present(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics without those that do not exist (NaN or infinite)."""
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
