"""The figures of a report: pure functions of return series. Sums here are for reading, never compared bit by bit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.report.series import COST_TYPES, Account, RunSeries
from modules.engine.metrics import bars_per_year
from modules.panel import FloatArray, IntArray

EULER_GAMMA = 0.5772156649015329
BPS = 10_000.0


@dataclass(frozen=True)
class Performance:
    """One return series. `sharpe` and `volatility` are annualised; None where they have no meaning."""

    sharpe: float | None
    annual_return: float | None
    volatility: float | None
    max_drawdown: float
    max_drawdown_bars: int
    hit_rate: float | None


@dataclass(frozen=True)
class MonthTable:
    """Compounded returns by calendar month: `[years, 12]`, NaN where there was no bar, and by year."""

    years: tuple[int, ...]
    months: FloatArray
    totals: FloatArray


@dataclass(frozen=True)
class Statistics:
    """Everything numeric in the report that is not a metric of a stage."""

    bars_per_year: float
    years: float
    gross: Performance
    net: Performance
    months: MonthTable
    turnover_per_year: float
    cost_bps_per_year: dict[str, float]
    cost_share: dict[str, float]
    ic_mean: float | None
    ic_t: float | None
    luck_sharpe: float | None


def statistics(series: RunSeries, trials_count: int) -> Statistics:
    """All figures of one run."""
    account = series.account
    per_year = bars_per_year(account.ts)
    years = account.ts.size / per_year
    costs = cost_bps_per_year(account, years)
    total = sum(costs.values())
    ic_mean, ic_t = _mean_and_t(series.ic)
    return Statistics(
        bars_per_year=per_year,
        years=years,
        gross=performance(account.gross_return, per_year),
        net=performance(account.net_return, per_year),
        months=monthly(account.ts, account.net_return),
        turnover_per_year=float(account.turnover.mean()) * per_year,
        cost_bps_per_year=costs,
        cost_share={k: (v / total if total > 0 else 0.0) for k, v in costs.items()},
        ic_mean=ic_mean,
        ic_t=ic_t,
        luck_sharpe=luck_sharpe(trials_count, years),
    )


def equity(returns: FloatArray) -> FloatArray:
    """Growth of 1, `[T]`."""
    curve: FloatArray = np.cumprod(1.0 + returns, dtype=np.float64)
    return curve


def drawdown(returns: FloatArray) -> FloatArray:
    """Fraction below the highest equity so far (start = 1 included), `[T]`, <= 0."""
    curve = equity(returns)
    under: FloatArray = curve / np.maximum(np.maximum.accumulate(curve), 1.0) - 1.0
    return under


def performance(returns: FloatArray, per_year: float) -> Performance:
    """The usual figures of one series; None where the series never moved."""
    curve = equity(returns)
    under = drawdown(returns)
    spread = float(returns.std(ddof=1)) if returns.size > 1 else 0.0
    moved = returns[returns != 0.0]
    years = returns.size / per_year
    alive = curve.size > 0 and float(curve[-1]) > 0.0
    return Performance(
        sharpe=float(returns.mean()) / spread * math.sqrt(per_year) if spread > 0 else None,
        annual_return=float(curve[-1]) ** (1.0 / years) - 1.0 if alive else None,
        volatility=spread * math.sqrt(per_year) if returns.size > 1 else None,
        max_drawdown=float(under.min(initial=0.0)),
        max_drawdown_bars=_longest(under < 0.0),
        hit_rate=float((moved > 0).mean()) if moved.size else None,
    )


def _longest(below: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def monthly(ts: IntArray, returns: FloatArray) -> MonthTable:
    """Compound the bars of each calendar month (UTC labels)."""
    month = ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    years = month // 12 + 1970
    first, last = int(years.min()), int(years.max())
    table = np.full((last - first + 1, 12), np.nan)
    totals = np.full(last - first + 1, np.nan)
    for key in np.unique(month):
        table[int(key) // 12 + 1970 - first, int(key) % 12] = np.prod(1.0 + returns[month == key]) - 1.0
    for year in np.unique(years):
        totals[int(year) - first] = np.prod(1.0 + returns[years == year]) - 1.0
    return MonthTable(tuple(range(first, last + 1)), table, totals)


def cost_bps_per_year(account: Account, years: float) -> dict[str, float]:
    """Each cost as basis points of the NAV at the bar before, a year."""
    before = np.concatenate([account.nav[:1], account.nav[:-1]])
    return {kind: float((account.costs[kind] / before).sum()) / years * BPS for kind in COST_TYPES}


def _mean_and_t(values: FloatArray) -> tuple[float | None, float | None]:
    if values.size < 2:
        return None, None
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    return mean, mean / spread * math.sqrt(values.size) if spread > 0 else None


def luck_sharpe(trials_count: int, years: float) -> float | None:
    """Annual Sharpe ratio that the best of `trials_count` worthless strategies shows by luck over `years`.

    Expected maximum of N standard normals, Bailey and Lopez de Prado (2014), "The Deflated Sharpe
    Ratio", over the standard error of a yearly Sharpe near zero, 1/sqrt(years). None below two trials.
    """
    if trials_count < 2 or years <= 0:
        return None
    quantile = NormalDist().inv_cdf
    best = (1 - EULER_GAMMA) * quantile(1 - 1 / trials_count) + EULER_GAMMA * quantile(1 - 1 / (trials_count * math.e))
    return best / math.sqrt(years)


def rolling_mean(values: FloatArray, window: int) -> FloatArray:
    """Mean of the last `window` values, `[T]`; NaN before the window is full."""
    out = np.full(values.size, np.nan)
    if 0 < window <= values.size:
        total = np.concatenate([[0.0], np.cumsum(values)])
        out[window - 1 :] = (total[window:] - total[:-window]) / window
    return out


def rolling_mean_of_known(values: FloatArray, window: int) -> FloatArray:
    """Mean of the known values among the last `window`, `[T]`; NaN where fewer than half of them are known."""
    known = ~np.isnan(values)
    count = rolling_mean(known.astype(np.float64), window)
    total = rolling_mean(np.where(known, values, 0.0), window)
    out: FloatArray = np.divide(total, count, out=np.full(values.size, np.nan), where=count >= 0.5)
    return out
