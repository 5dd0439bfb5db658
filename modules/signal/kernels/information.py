"""Order, memory and dependence of a window. NaN in the window gives NaN."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean

LN2: Final = 0.6931471805599453


@kernel
def ts_entropy(x: FloatArray, window: int, bins: int, first: int, out: FloatArray) -> None:
    counts = np.empty(bins, dtype=np.int64)
    parts = np.zeros(window + 1)  # -p log p by count
    for c in range(1, window + 1):
        p = c / window
        parts[c] = -(p * mathematics.log(p))
    for i in range(out.shape[0]):
        start = first + i - window + 1
        for n in range(out.shape[1]):
            lowest, highest, missing = x[start, n], x[start, n], 0.0
            for k in range(start, start + window):
                v = x[k, n]
                lowest = v if v < lowest else lowest
                highest = v if v > highest else highest
                missing += v * 0.0
            width = finite(highest - lowest) + missing
            out[i, n] = math.nan if math.isnan(width) else 0.0
            if not width > 0.0:
                continue
            for b in range(bins):
                counts[b] = 0
            for k in range(start, start + window):
                counts[min(int((x[k, n] - lowest) / width * bins), bins - 1)] += 1
            for b in range(bins):
                out[i, n] += parts[counts[b]]


@kernel
def ts_efficiency(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += abs(x[k, n] - x[k - 1, n])
        for n in range(out.shape[1]):
            ratio = finite(abs(x[t, n] - x[t - window, n]) / out[i, n])
            out[i, n] = 1.0 if ratio > 1.0 else ratio


@kernel
def ts_hurst(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lags = 1
    while 4 << lags <= window:
        lags += 1
    middle = (lags - 1) / 2.0
    scale = 2.0 * LN2 * lags * (lags * lags - 1.0) / 12.0
    squares = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for j in range(lags):
            lag = 1 << j
            for n in range(out.shape[1]):
                squares[n] = 0.0
            for k in range(t - window + 1 + lag, t + 1):
                for n in range(out.shape[1]):
                    change = x[k, n] - x[k - lag, n]
                    squares[n] += change * change
            for n in range(out.shape[1]):
                spread = mathematics.log(squares[n] / (window - lag))
                out[i, n] += (j - middle) * spread if math.isfinite(spread) else math.nan
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / scale)


@kernel
def ts_variance_ratio(x: FloatArray, window: int, lag: int, first: int, out: FloatArray) -> None:
    steps = window + lag - 1
    ones, many = np.empty(out.shape[1]), np.empty(out.shape[1])
    freedom = float(lag) * window * (window - 1.0) / steps
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = (x[t, n] - x[t - steps, n]) / steps
            ones[n] = 0.0
            many[n] = 0.0
        for k in range(t - steps + 1, t + 1):
            for n in range(out.shape[1]):
                d = x[k, n] - x[k - 1, n] - out[i, n]
                ones[n] += d * d
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                d = x[k, n] - x[k - lag, n] - lag * out[i, n]
                many[n] += d * d
        for n in range(out.shape[1]):
            out[i, n] = finite((many[n] / freedom) / (ones[n] / (steps - 1)))


@kernel
def _partial(products: FloatArray, lag: int, old: FloatArray, new: FloatArray) -> float:
    """The last coefficient of an autoregression of `lag` terms, from `products[0 .. lag]` (Durbin's recursion)."""
    error = products[0]
    last = math.nan
    for order in range(1, lag + 1):
        total = products[order]
        for j in range(1, order):
            total -= old[j] * products[order - j]
        last = total / error
        new[order] = last
        for j in range(1, order):
            new[j] = old[j] - last * old[order - j]
        for j in range(1, order + 1):
            old[j] = new[j]
        error *= 1.0 - last * last
    r = finite(last)
    return 1.0 if r > 1.0 else -1.0 if r < -1.0 else r


@kernel
def ts_partial_autocorr(x: FloatArray, window: int, lag: int, first: int, out: FloatArray) -> None:
    rows, columns = window + lag, out.shape[1]
    mean, products = np.empty(columns), np.empty((lag + 1, columns))
    old, new, own = np.empty(lag + 1), np.empty(lag + 1), np.empty(lag + 1)
    for i in range(out.shape[0]):
        start = first + i - rows + 1
        shifted_mean(x, start, rows, mean)
        for order in range(lag + 1):
            for n in range(columns):
                products[order, n] = 0.0
            for k in range(start + order, start + rows):
                for n in range(columns):
                    earlier = x[k - order, n] - x[start, n] - mean[n]
                    products[order, n] += (x[k, n] - x[start, n] - mean[n]) * earlier
        for n in range(columns):
            for order in range(lag + 1):
                own[order] = products[order, n]
            out[i, n] = _partial(own, lag, old, new)
