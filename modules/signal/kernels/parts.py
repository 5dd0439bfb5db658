"""Pieces of operators, on their own: what several operators over one window have in common is computed once.

Put together they have the bits of the single kernels (`moments`, `regression`, `order`, `rolling`). Called with
windows, then rows that stand beside the output, then numbers, `first` and `out`; `twin` is a second result of the pass.
"""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations
from modules.signal.kernels.order import interpolated, present_or_last, replace
from modules.signal.kernels.regression import (
    products_of_deviations,
    time_products,
    time_squares,
)


@kernel
def centre(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        shifted_mean(x, first + i - window + 1, window, out[i])


@kernel
def squares(x: FloatArray, mean: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        squared_deviations(x, first + i - window + 1, window, mean[i], out[i])


@kernel
def times(x: FloatArray, mean: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        time_products(x, first + i - window + 1, window, mean[i], out[i])


@kernel
def squares_times(x: FloatArray, mean: FloatArray, window: int, first: int, out: FloatArray, twin: FloatArray) -> None:
    """`squares`, with `times` as the twin."""
    middle = (window - 1) / 2.0
    columns = out.shape[1]
    for i in range(out.shape[0]):
        start = first + i - window + 1
        oldest, m, total, timed = x[start], mean[i], out[i], twin[i]
        for n in range(columns):
            total[n] = timed[n] = 0.0
        k = window % 2
        for j in range(k):
            a = x[start + j]
            for n in range(columns):
                e = a[n] - oldest[n] - m[n]
                total[n] += e * e
                timed[n] += (j - middle) * e
        while k < window:
            a, b = x[start + k], x[start + k + 1]
            p, q = k - middle, k + 1 - middle
            for n in range(columns):
                e, f = a[n] - oldest[n] - m[n], b[n] - oldest[n] - m[n]
                total[n] = (total[n] + e * e) + f * f
                timed[n] = (timed[n] + p * e) + q * f
            k += 2


@kernel
def products(
    x: FloatArray, y: FloatArray, x_mean: FloatArray, y_mean: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    for i in range(out.shape[0]):
        start = first + i - window + 1
        products_of_deviations(x, start, x_mean[i], y, start, y_mean[i], window, out[i])


@kernel
def products_squares(
    x: FloatArray,
    y: FloatArray,
    x_mean: FloatArray,
    y_mean: FloatArray,
    window: int,
    first: int,
    out: FloatArray,
    twin: FloatArray,
) -> None:
    """`products`, with `squares` of y as the twin."""
    columns = out.shape[1]
    for i in range(out.shape[0]):
        start = first + i - window + 1
        o, p, m, q, total, square = x[start], y[start], x_mean[i], y_mean[i], out[i], twin[i]
        for n in range(columns):
            total[n] = square[n] = 0.0
        k = window % 2
        for j in range(k):
            a, c = x[start + j], y[start + j]
            for n in range(columns):
                g = c[n] - p[n] - q[n]
                total[n] += (a[n] - o[n] - m[n]) * g
                square[n] += g * g
        while k < window:
            a, b, c, d = x[start + k], x[start + k + 1], y[start + k], y[start + k + 1]
            for n in range(columns):
                g, h = c[n] - p[n] - q[n], d[n] - p[n] - q[n]
                total[n] = (total[n] + (a[n] - o[n] - m[n]) * g) + (b[n] - o[n] - m[n]) * h
                square[n] = (square[n] + g * g) + h * h
            k += 2


@kernel
def variance(squared: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(squared[i, n] / (window - 1))


@kernel
def deviation(squared: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = math.sqrt(finite(squared[i, n] / (window - 1)))


@kernel
def score(x: FloatArray, mean: FloatArray, squared: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            away = x[t, n] - x[t - window + 1, n] - mean[i, n]
            out[i, n] = finite(away / math.sqrt(squared[i, n] / (window - 1)))


@kernel
def covariance(product: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(product[i, n] / (window - 1))


@kernel
def correlation(product: FloatArray, x_squared: FloatArray, y_squared: FloatArray, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            r = finite(product[i, n] / (math.sqrt(x_squared[i, n]) * math.sqrt(y_squared[i, n])))
            out[i, n] = 1.0 if r > 1.0 else -1.0 if r < -1.0 else r


@kernel
def beta(product: FloatArray, squared: FloatArray, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(product[i, n] / squared[i, n])


@kernel
def slope(timed: FloatArray, window: int, first: int, out: FloatArray) -> None:
    scale = time_squares(window)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(timed[i, n] / scale)


@kernel
def residual(x: FloatArray, mean: FloatArray, timed: FloatArray, window: int, first: int, out: FloatArray) -> None:
    scale = time_squares(window)
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            away = x[t, n] - x[t - window + 1, n] - mean[i, n]
            out[i, n] = finite(away - finite(timed[i, n] / scale) * ((window - 1) / 2.0))


@kernel
def straightness(timed: FloatArray, squared: FloatArray, window: int, first: int, out: FloatArray) -> None:
    root = math.sqrt(time_squares(window))
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            r = finite(timed[i, n] / (root * math.sqrt(squared[i, n])))
            out[i, n] = min(r * r, 1.0) if r == r else math.nan


@kernel
def share_true(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    """`ts_mean` of zeros and ones: the sum is a whole number, exact in any order, so it is kept from row to row."""
    columns = out.shape[1]
    present, count = np.zeros(columns), np.zeros(columns)
    for t in range(first - window + 1, first + out.shape[0]):
        row = x[t]
        for n in range(columns):
            missing = math.isnan(row[n])
            present[n] = 0.0 if missing else present[n] + 1.0
            count[n] += 0.0 if missing else row[n]
        if t >= first:
            into, leaving = out[t - first], x[t - window + 1]
            for n in range(columns):
                into[n] = math.nan if present[n] < window else count[n] / window
                count[n] -= 0.0 if math.isnan(leaving[n]) else leaving[n]


@kernel
def quantiles(
    x: FloatArray, window: int, level: float, twin_level: float, first: int, out: FloatArray, twin: FloatArray
) -> None:
    """`ts_quantile` at two levels of one sorted window."""
    columns = out.shape[1]
    held = np.full((window, columns), math.inf)
    old, new, put = np.full(columns, math.inf), np.empty(columns), np.empty(columns)
    start = first - window + 1
    for t in range(start, first + out.shape[0]):
        present_or_last(x[t], new)
        replace(held, min(t - start + 1, window), old, new, put)
        if t >= first:
            interpolated(held, level, out[t - first])
            interpolated(held, twin_level, twin[t - first])
            present_or_last(x[t - window + 1], old)
