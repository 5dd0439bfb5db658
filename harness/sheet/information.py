"""What the signal knew: information coefficients by bar, month, sector and horizon, and how they are distributed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.sheet.inference import Mean, mean_of
from harness.sheet.material import MINIMUM_SYMBOLS, Material
from modules.panel import FloatArray, IntArray

SHORT_SPAN_NS: Final = 120 * 86_400_000_000_000
"""Below this span a table of months would hold a cell or four: days stand in it instead."""


@dataclass(frozen=True)
class Distribution:
    """The mean of a series of ICs over one horizon, and its shape. `ratio` is mean / deviation (ICIR), a bar, not a
    year; skewness and excess kurtosis are the population moments. None where the series does not vary."""

    horizon_bars: int
    mean: Mean
    deviation: float | None
    ratio: float | None
    share_positive: float | None
    skewness: float | None
    excess_kurtosis: float | None


@dataclass(frozen=True, eq=False)
class Calendar:
    """Mean rank IC by time: year x month, or month x day where the data are short. NaN where there is none."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: FloatArray  # [rows, columns]
    totals: FloatArray  # [rows]


@dataclass(frozen=True)
class Sector:
    """Rank IC among the symbols of one sector, on the next bar; `symbols` counts all that were ever in it."""

    name: str
    symbols: int
    mean: Mean


@dataclass(frozen=True, eq=False)
class Information:
    """Everything about ICs. `rank` and `pearson` are `[T]` over one bar, at the row of the signal."""

    rank: FloatArray
    pearson: FloatArray
    by_horizon: tuple[Distribution, ...]
    pearson_by_horizon: tuple[Distribution, ...]
    one_bar_later: Mean
    calendar: Calendar
    sectors: tuple[Sector, ...]
    sectors_left_out: int


def information(m: Material) -> Information:
    """All information coefficients of a signal."""
    ranks = {h: rank_ics(m.signal, ahead) for h, ahead in m.forward.items()}
    pearsons = {h: pearson_ics(m.signal, ahead) for h, ahead in m.forward.items()}
    later = np.full(m.signal.shape, np.nan)
    later[:-1] = m.forward[1][1:]
    sectors, left_out = by_sector(m)
    return Information(
        rank=ranks[1],
        pearson=pearsons[1],
        by_horizon=tuple(distribution(ic, h) for h, ic in ranks.items()),
        pearson_by_horizon=tuple(distribution(ic, h) for h, ic in pearsons.items()),
        one_bar_later=mean_of(rank_ics(m.signal, later)),
        calendar=calendar(m.ts, ranks[1]),
        sectors=sectors,
        sectors_left_out=left_out,
    )


def rank_ics(signal: FloatArray, ahead: FloatArray) -> FloatArray:
    """`[T]`: Spearman correlation of each row with the returns ahead; NaN below three symbols and if all are tied."""
    from modules.engine.evidence import rank_ic

    return rank_ic(np.ascontiguousarray(signal), np.ascontiguousarray(ahead), 0, 0)


def pearson_ics(signal: FloatArray, ahead: FloatArray) -> FloatArray:
    """`[T]`: linear correlation of each row with the returns ahead of it; NaN below three symbols."""
    from modules.signal.kernels.cross import row_correlation

    both = ~np.isnan(signal) & ~np.isnan(ahead)
    enough = (np.count_nonzero(both, axis=1) >= MINIMUM_SYMBOLS)[:, np.newaxis] & both
    x, y = (np.ascontiguousarray(np.where(enough, v, np.nan)) for v in (signal, ahead))
    x.setflags(write=False)
    out = np.empty(signal.shape[0])
    row_correlation(x, y, out)
    return out


def distribution(ic: FloatArray, horizon_bars: int) -> Distribution:
    """Mean, spread and shape of a series of ICs."""
    known = ic[~np.isnan(ic)]
    mean = mean_of(ic, horizon_bars)
    spread = float(known.std(ddof=1)) if known.size > 1 else 0.0
    if mean.mean is None or spread == 0.0:
        share = float((known > 0.0).mean()) if known.size else None
        return Distribution(horizon_bars, mean, None, None, share, None, None)
    centred = known - known.mean()
    second = float((centred**2).mean())
    return Distribution(
        horizon_bars=horizon_bars,
        mean=mean,
        deviation=spread,
        ratio=mean.mean / spread,
        share_positive=float((known > 0.0).mean()),
        skewness=float((centred**3).mean()) / second**1.5,
        excess_kurtosis=float((centred**4).mean()) / second**2 - 3.0,
    )


def normal_scores(count: int) -> FloatArray:
    """`[count]`: standard normal quantiles at (i - 1/2) / count (Hazen's plotting positions), ascending."""
    from scipy.special import ndtri

    scores: FloatArray = np.asarray(ndtri((np.arange(count) + 0.5) / count), dtype=np.float64)
    return scores


def calendar(ts: IntArray, ic: FloatArray) -> Calendar:
    """Mean of the ICs of each month (UTC labels), or of each day where the data span less than 120 days."""
    known = ~np.isnan(ic)
    times, values = ts[known].astype("datetime64[ns]"), ic[known]
    month = times.astype("datetime64[M]").astype(np.int64)
    short = times.size < 2 or int(ts[-1] - ts[0]) < SHORT_SPAN_NS
    if short:
        row, column, width = month, (times.astype("datetime64[D]") - times.astype("datetime64[M]")).astype(np.int64), 31
        columns = tuple(str(d) for d in range(1, 32))
    else:
        row, column, width = month // 12 + 1970, month % 12, 12
        columns = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    first, last = (int(row.min()), int(row.max())) if row.size else (0, -1)
    table = np.full((last - first + 1, width), np.nan)
    totals = np.full(last - first + 1, np.nan)
    cell = (row - first) * width + column
    for key in np.unique(cell):
        table[int(key) // width, int(key) % width] = values[cell == key].mean()
    for key in np.unique(row):
        totals[int(key) - first] = values[row == key].mean()
    names = tuple(f"{1970 + r // 12}-{r % 12 + 1:02d}" if short else str(r) for r in range(first, last + 1))
    return Calendar(names, columns, table, totals)


def by_sector(m: Material) -> tuple[tuple[Sector, ...], int]:
    """Rank IC within each sector over the next bar, largest sector first, and how many sectors are too small for one.

    What is not known to be in a sector is in none.
    """
    priced = ~np.isnan(m.close)
    found: list[Sector] = []
    small = 0
    for number, name in enumerate(m.sector_names):
        inside = m.sector == number
        members = int(np.count_nonzero((inside & priced).any(axis=0)))
        mean = mean_of(rank_ics(np.where(inside, m.signal, np.nan), m.forward[1]))
        if mean.mean is None or members < MINIMUM_SYMBOLS:
            small += members > 0
            continue
        found.append(Sector(name, members, mean))
    return tuple(sorted(found, key=lambda s: (-s.symbols, s.name))), small


def annual(ratio: float | None, per_year: float) -> float | None:
    """A ratio of mean to deviation of independent bars, a year."""
    return None if ratio is None else ratio * math.sqrt(per_year)
