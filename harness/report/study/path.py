"""The path of the account: its worst drawdowns, and measures over a moving window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.report.statistics import drawdown
from modules.panel import FloatArray, IntArray

WORST = 10


@dataclass(frozen=True)
class Drawdown:
    """From the last peak before it to the bar that regained it; `recovered_ns` None where none did. The peak may be the
    start, before the first bar: `peak_ns` is then the first bar."""

    peak_ns: int
    trough_ns: int
    recovered_ns: int | None
    depth: float
    bars: int
    bars_to_trough: int
    bars_to_recover: int | None


@dataclass(frozen=True, eq=False)
class Rolling:
    """`[T]` each, over the last `window_bars`, NaN before; `beta` against the mean of all symbols."""

    window_bars: int
    sharpe: FloatArray
    volatility: FloatArray
    beta: FloatArray
    max_drawdown: FloatArray


def worst_drawdowns(ts: IntArray, returns: FloatArray, count: int = WORST) -> tuple[Drawdown, ...]:
    """The deepest first; those of equal depth by time."""
    under = drawdown(returns)
    below = np.concatenate([[False], under < 0.0, [False]])
    edges = np.flatnonzero(np.diff(below.astype(np.int8)))
    spans = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))  # under water on a <= t < b
    depths = [float(under[a:b].min()) for a, b in spans]
    chosen = sorted(range(len(spans)), key=lambda k: (depths[k], spans[k][0]))[:count]
    found = []
    for k in chosen:
        a, b = spans[k]
        trough = a + int(np.argmin(under[a:b]))
        ended = b < ts.size
        found.append(
            Drawdown(
                peak_ns=int(ts[max(a - 1, 0)]),
                trough_ns=int(ts[trough]),
                recovered_ns=int(ts[b]) if ended else None,
                depth=depths[k],
                bars=b - a,
                bars_to_trough=trough - a + 1,
                bars_to_recover=b - trough if ended else None,
            )
        )
    return tuple(found)


def rolling(returns: FloatArray, market: FloatArray, window: int, per_year: float) -> Rolling:
    """Moments by moving sums of deviations from the whole mean, which keeps them exact enough to draw."""
    n = returns.size
    out = np.full((4, n), np.nan)
    if 2 <= window <= n:
        r, m = returns - returns.mean(), market - market.mean()
        sum_r, sum_m, sum_rr, sum_mm, sum_rm = (_moving_sum(x, window) for x in (r, m, r * r, m * m, r * m))
        var_r = np.maximum(sum_rr - sum_r**2 / window, 0.0) / (window - 1)
        var_m = np.maximum(sum_mm - sum_m**2 / window, 0.0) / (window - 1)
        cov = (sum_rm - sum_r * sum_m / window) / (window - 1)
        deviation = np.sqrt(var_r)
        moved, market_moved = var_r > 1e-18, var_m > 1e-18
        at = slice(window - 1, None)
        out[0, at] = np.divide(
            (sum_r / window + returns.mean()) * math.sqrt(per_year),
            deviation,
            out=np.full(deviation.size, np.nan),
            where=moved,
        )
        out[1, at] = deviation * math.sqrt(per_year)
        out[2, at] = np.divide(cov, var_m, out=np.full(cov.size, np.nan), where=market_moved)
        out[3] = _rolling_drawdown(returns, window)
    return Rolling(window, *out)


def _moving_sum(values: FloatArray, window: int) -> FloatArray:
    total = np.concatenate([[0.0], np.cumsum(values)])
    moved: FloatArray = total[window:] - total[:-window]
    return moved


def _rolling_drawdown(returns: FloatArray, window: int) -> FloatArray:
    """`[T]` fraction below the highest point of the last `window` bars."""
    curve = np.cumprod(1.0 + returns)
    highest = pl.Series(curve).rolling_max(window).to_numpy()
    above = highest > 0.0  # false before the window is full
    under: FloatArray = np.divide(curve, highest, out=np.full(curve.size, np.nan), where=above) - 1.0
    return under
