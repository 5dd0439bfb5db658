"""What the quantiles of the signal earned, and how far the top drew away from the bottom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.sheet.inference import Mean, mean_of
from harness.sheet.material import Material
from modules.panel import FloatArray


@dataclass(frozen=True)
class QuantileReturn:
    """One quantile (1 = lowest signal) over one horizon. `excess` is its return over that of all quantiles together, by
    row; `mean` pools all cells, as the backtest does. Fractions over the whole horizon."""

    quantile: int
    horizon_bars: int
    cells: int
    mean: float | None
    excess: Mean


@dataclass(frozen=True)
class Spread:
    """Top minus bottom over one horizon, and whether the quantiles between them are in order: `monotonicity` is the
    rank correlation of a quantile's number with its mean excess, `steps_up` the share of steps that go up."""

    horizon_bars: int
    spread: Mean
    monotonicity: float | None
    steps_up: float | None


@dataclass(frozen=True, eq=False)
class Quantiles:
    """`excess` and `spread` are over one bar, at the row of the signal: `[T, Q]` and `[T]`."""

    returns: tuple[QuantileReturn, ...]
    spreads: tuple[Spread, ...]
    excess: FloatArray
    spread: FloatArray


def quantiles(m: Material) -> Quantiles:
    """Returns by quantile for the horizons of the tables, spreads for all."""
    returns: list[QuantileReturn] = []
    spreads: list[Spread] = []
    one_bar = np.empty((0, m.quantiles))
    for horizon, ahead in m.forward.items():
        by_row, over_all = row_means(m.bucket, ahead, m.quantiles)
        excess = by_row - over_all[:, np.newaxis]
        means = [mean_of(excess[:, q], horizon) for q in range(m.quantiles)]
        spreads.append(_spread(horizon, by_row, means))
        if horizon in m.detail:
            returns += [_quantile(m, q, horizon, ahead, means[q]) for q in range(m.quantiles)]
        if horizon == 1:
            one_bar = by_row - over_all[:, np.newaxis]
    return Quantiles(tuple(returns), tuple(spreads), one_bar, one_bar[:, -1] - one_bar[:, 0])


def row_means(bucket: FloatArray, ahead: FloatArray, quantiles: int) -> tuple[FloatArray, FloatArray]:
    """`[T, Q]` mean return of each quantile by row, and `[T]` of all of them together; NaN where none is known."""
    known = ~np.isnan(ahead) & ~np.isnan(bucket)
    out = np.full((ahead.shape[0], quantiles), np.nan)
    for q in range(quantiles):
        out[:, q] = _mean_by_row(ahead, known & (bucket == q))
    return out, _mean_by_row(ahead, known)


def _mean_by_row(values: FloatArray, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    count = np.count_nonzero(where, axis=1).astype(np.float64)
    total = np.where(where, values, 0.0).sum(axis=1)
    out: FloatArray = np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0.0)
    return out


def _quantile(m: Material, q: int, horizon: int, ahead: FloatArray, excess: Mean) -> QuantileReturn:
    cells = ahead[(m.bucket == q) & ~np.isnan(ahead)]
    return QuantileReturn(q + 1, horizon, int(cells.size), float(cells.mean()) if cells.size else None, excess)


def _spread(horizon: int, by_row: FloatArray, means: list[Mean]) -> Spread:
    spread = mean_of(by_row[:, -1] - by_row[:, 0], horizon)
    heights = np.array([m.mean for m in means if m.mean is not None], dtype=np.float64)
    if heights.size < 3:  # two quantiles are always in order, one way or the other
        return Spread(horizon, spread, None, None)
    return Spread(horizon, spread, _rank_correlation(heights), float((np.diff(heights) > 0.0).mean()))


def _rank_correlation(heights: FloatArray) -> float | None:
    from modules.engine.evidence import rank_correlation

    found = rank_correlation(np.arange(heights.size, dtype=np.float64), heights)
    return found if found == found else None
