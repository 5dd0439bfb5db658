"""Returns and trades by the calendar (UTC labels): seasons with their errors, periods compounded, heat maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from modules.engine.metrics import bars_per_day
from modules.panel import FloatArray, IntArray

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOURS: Final = tuple(f"{h:02d}" for h in range(24))
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
LEAST: Final = 8
"""Bars that a season needs to have a mean with an error."""
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True)
class Season:
    """Mean net return a bar of one season; `t` against zero. None where it has too few bars."""

    name: str
    bars: int
    mean: float | None
    t: float | None


@dataclass(frozen=True)
class Seasonality:
    """One division of the calendar. `p_value`: the seasons have one mean (B. Welch, 1951: variances may differ); None
    where fewer than two seasons can be compared."""

    kind: str
    seasons: tuple[Season, ...]
    p_value: float | None


@dataclass(frozen=True)
class PeriodQuantiles:
    """Quantiles (`QUANTILES`) of the compound net return over whole periods, the first and last left out where they
    may be cut."""

    period: str
    count: int
    quantiles: tuple[float, ...]
    positive: float


@dataclass(frozen=True)
class Year:
    """One calendar year. Returns are compound; `sharpe` None below a month of bars."""

    year: int
    bars: int
    gross: float
    net: float
    volatility: float | None
    sharpe: float | None
    max_drawdown: float
    turnover: float


@dataclass(frozen=True, eq=False)
class HeatMap:
    """`values[r, c]`, NaN where there was no bar; weekdays down, hours or months across."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    across: str
    traded: FloatArray  # share of all that was traded
    net: FloatArray  # mean net return a bar


def _parts(ts: IntArray) -> dict[str, IntArray]:
    days = ts // _DAY_NS
    months = ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    return {
        "day": days,
        "weekday": (days + 3) % 7,
        "hour": ts % _DAY_NS // 3_600_000_000_000,
        "week": (days + 3) // 7,
        "month": months,
        "quarter": months // 3,
        "year": months // 12 + 1970,
    }


def seasonality(ts: IntArray, returns: FloatArray) -> tuple[Seasonality, ...]:
    """By weekday, by month, by the first and last three days of a month; by hour where there are several bars a day."""
    part = _parts(ts)
    found = [
        _seasons("weekday", part["weekday"], WEEKDAYS, returns),
        _seasons("month", part["month"] % 12, MONTHS, returns),
        _seasons("day of month", _turn(part["month"], part["day"]), ("first 3", "between", "last 3"), returns),
    ]
    if bars_per_day(ts) > 1.0:
        found.append(_seasons("hour", part["hour"], HOURS, returns))
    return tuple(s for s in found if len(s.seasons) > 1)


def _turn(month: IntArray, day: IntArray) -> IntArray:
    """0 on the first three traded days of a month, 2 on its last three, 1 between."""
    days, at = np.unique(day, return_inverse=True)
    of = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first = np.searchsorted(of, of, side="left")
    last = np.searchsorted(of, of, side="right") - 1
    place = np.arange(days.size)
    label = np.where(place - first < 3, 0, np.where(last - place < 3, 2, 1))
    found: IntArray = label[at]
    return found


def _seasons(kind: str, label: IntArray, names: tuple[str, ...], returns: FloatArray) -> Seasonality:
    groups = {name: returns[label == k] for k, name in enumerate(names)}
    return Seasonality(
        kind,
        tuple(_season(name, values) for name, values in groups.items() if values.size),
        welch([v for v in groups.values() if v.size >= LEAST]),
    )


def _season(name: str, values: FloatArray) -> Season:
    if values.size < LEAST:
        return Season(name, int(values.size), None, None)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    t = mean / deviation * math.sqrt(values.size) if deviation > 0.0 else None
    return Season(name, int(values.size), mean, t)


def welch(groups: list[FloatArray]) -> float | None:
    """p-value of equal means where variances may differ; None where a group has none or there are fewer than two."""
    from scipy.special import fdtrc

    sizes = np.array([g.size for g in groups], dtype=np.float64)
    variances = np.array([g.var(ddof=1) for g in groups])
    k = len(groups)
    if k < 2 or not (variances > 0.0).all():
        return None
    means = np.array([g.mean() for g in groups])
    weight = sizes / variances
    total = float(weight.sum())
    centre = float((weight * means).sum()) / total
    between = float((weight * (means - centre) ** 2).sum()) / (k - 1)
    spread = float(((1.0 - weight / total) ** 2 / (sizes - 1)).sum())
    statistic = between / (1.0 + 2.0 * (k - 2) / (k * k - 1.0) * spread)
    return float(fdtrc(k - 1, (k * k - 1.0) / (3.0 * spread), statistic))


def period_quantiles(ts: IntArray, returns: FloatArray) -> tuple[PeriodQuantiles, ...]:
    """By day, week, month, quarter and year, of those with more than two whole ones and longer than a bar."""
    part = _parts(ts)
    found = []
    for name in ("day", "week", "month", "quarter", "year"):
        key = part[name]
        compound = compounded(key, returns)[1:-1] if name != "day" else compounded(key, returns)
        if compound.size < 3 or (name != "day" and compound.size + 2 >= returns.size):
            continue
        quantiles = tuple(float(q) for q in np.quantile(compound, QUANTILES))
        found.append(PeriodQuantiles(name, int(compound.size), quantiles, float((compound > 0.0).mean())))
    return tuple(found)


def compounded(key: IntArray, returns: FloatArray) -> FloatArray:
    """Compound return of each run of equal keys, in their order."""
    starts = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
    growth: FloatArray = np.multiply.reduceat(1.0 + returns, starts) - 1.0
    return growth


def years(ts: IntArray, gross: FloatArray, net: FloatArray, turnover: FloatArray, per_year: float) -> tuple[Year, ...]:
    """Every calendar year, oldest first."""
    found = []
    label = _parts(ts)["year"]
    for year in np.unique(label):
        mask = label == year
        r = net[mask]
        deviation = float(r.std(ddof=1)) if r.size > 1 else 0.0
        curve = np.concatenate([[1.0], np.cumprod(1.0 + r)])
        enough = deviation > 0.0 and r.size >= per_year / 12
        found.append(
            Year(
                year=int(year),
                bars=int(r.size),
                gross=float(np.prod(1.0 + gross[mask]) - 1.0),
                net=float(curve[-1] - 1.0),
                volatility=deviation * math.sqrt(per_year) if enough else None,
                sharpe=float(r.mean()) / deviation * math.sqrt(per_year) if enough else None,
                max_drawdown=float((curve / np.maximum.accumulate(curve) - 1.0).min()),
                turnover=float(turnover[mask].sum()),
            )
        )
    return tuple(found)


def heat_map(ts: IntArray, turnover: FloatArray, net: FloatArray) -> HeatMap:
    """Weekday by hour where there are several bars a day, else weekday by month."""
    part = _parts(ts)
    by_hour = bars_per_day(ts) > 1.0
    across, names = (part["hour"], HOURS) if by_hour else (part["month"] % 12, MONTHS)
    rows, columns = np.unique(part["weekday"]), np.unique(across)
    traded, mean = (np.full((rows.size, columns.size), np.nan) for _ in range(2))
    total = float(turnover.sum())
    for r, weekday in enumerate(rows):
        for c, column in enumerate(columns):
            mask = (part["weekday"] == weekday) & (across == column)
            if mask.any():
                traded[r, c] = float(turnover[mask].sum()) / total if total > 0.0 else 0.0
                mean[r, c] = float(net[mask].mean())
    return HeatMap(
        tuple(WEEKDAYS[k] for k in rows),
        tuple(names[k] for k in columns),
        "hour (UTC)" if by_hour else "month",
        traded,
        mean,
    )
