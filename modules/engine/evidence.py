"""What a signal knew: rank IC and returns by quantile, on returns that an order could have earned.

A signal of row t is traded at the fill of bar t+1, so it is judged on the return from the fill price of t+1 to
that of t+2. That return belongs to row t+2, when it is known; nothing in a row depends on later bars.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.weights import average_ranks
from modules.jit import kernel
from modules.panel import FloatArray, IntArray

SIGNAL_LAG_BARS: Final = 2
MINIMUM_SYMBOLS: Final = 3


def fill_to_fill_returns(fill: FloatArray) -> FloatArray:
    """`[T, N]` return from the fill price of the bar before to that of this bar; NaN where either is missing."""
    out = np.full(fill.shape, np.nan)
    out[1:] = fill[1:] / fill[:-1] - 1.0
    return out


@kernel
def rank_correlation(x: FloatArray, y: FloatArray) -> float:
    """Spearman's rho (C. Spearman, 1904): the correlation of mean ranks. NaN where one side is constant."""
    n = x.size
    a = average_ranks(x)
    b = average_ranks(y)
    middle = 0.5 * float(n + 1)
    xy = 0.0
    xx = 0.0
    yy = 0.0
    for i in range(n):
        xy += (a[i] - middle) * (b[i] - middle)
        xx += (a[i] - middle) * (a[i] - middle)
        yy += (b[i] - middle) * (b[i] - middle)
    if xx == 0.0 or yy == 0.0:
        return np.nan
    return float(max(-1.0, min(1.0, xy / np.sqrt(xx * yy))))


@kernel
def rank_ic(signal: FloatArray, returns: FloatArray, lag: int, start: int) -> FloatArray:
    """Information coefficient `[T]`: rank correlation of `signal[t - lag]` with `returns[t]` across symbols.

    (R. Grinold, R. Kahn, "Active Portfolio Management", 2000.) NaN below three symbols and for signals before `start`.
    """
    rows, symbols = signal.shape
    out = np.full(rows, np.nan)
    x = np.empty(symbols)
    y = np.empty(symbols)
    for t in range(start + lag, rows):
        n = 0
        for i in range(symbols):
            if signal[t - lag, i] == signal[t - lag, i] and returns[t, i] == returns[t, i]:
                x[n] = signal[t - lag, i]
                y[n] = returns[t, i]
                n += 1
        if n >= MINIMUM_SYMBOLS:
            out[t] = rank_correlation(x[:n], y[:n])
    return out


@kernel
def quantile_returns(
    signal: FloatArray, returns: FloatArray, lag: int, start: int, quantiles: int
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Mean of `returns[t]` by quantile of `signal[t - lag]`, over all cells; their counts; and top minus bottom by row.

    Quantile 0 holds the lowest signals: floor((rank - 1/2) / n * quantiles), ties together. A row needs at least
    `quantiles` symbols. Returns (mean [Q], count [Q], spread [T]); NaN where nothing is known.
    """
    rows, symbols = signal.shape
    total = np.zeros(quantiles)
    count = np.zeros(quantiles, dtype=np.int64)
    spread = np.full(rows, np.nan)
    x = np.empty(symbols)
    y = np.empty(symbols)
    for t in range(start + lag, rows):
        n = 0
        for i in range(symbols):
            if signal[t - lag, i] == signal[t - lag, i] and returns[t, i] == returns[t, i]:
                x[n] = signal[t - lag, i]
                y[n] = returns[t, i]
                n += 1
        if n < max(2, quantiles):
            continue
        ranks = average_ranks(x[:n])
        edge = np.zeros(2)
        edge_count = np.zeros(2)
        for k in range(n):
            q = min(quantiles - 1, int((ranks[k] - 0.5) / float(n) * float(quantiles)))
            total[q] += y[k]
            count[q] += 1
            if q == 0 or q == quantiles - 1:
                side = 0 if q == 0 else 1
                edge[side] += y[k]
                edge_count[side] += 1.0
        if edge_count[0] > 0.0 and edge_count[1] > 0.0:
            spread[t] = edge[1] / edge_count[1] - edge[0] / edge_count[0]
    for q in range(quantiles):
        total[q] = total[q] / float(count[q]) if count[q] > 0 else np.nan
    return total, count, spread
