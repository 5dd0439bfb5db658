"""Two series over one window, beyond their correlation. NaN in either window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite, shifted_mean, sort, squared_deviations
from modules.signal.kernels.regression import ts_beta


@kernel
def ts_coskew(x: FloatArray, y: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    x_mean, y_mean = np.empty(columns), np.empty(columns)
    x_squares, y_squares = np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start, window, y_mean)
        squared_deviations(x, start, window, x_mean, x_squares)
        squared_deviations(y, start, window, y_mean, y_squares)
        for n in range(columns):
            out[i, n] = 0.0
        for k in range(start, start + window):
            for n in range(columns):
                dx = x[k, n] - x[start, n] - x_mean[n]
                dy = y[k, n] - y[start, n] - y_mean[n]
                out[i, n] += dx * (dy * dy)
        for n in range(columns):
            scale = math.sqrt(x_squares[n] / window) * (y_squares[n] / window)
            out[i, n] = finite(out[i, n] / window / scale)


@kernel
def ts_beta_resid(y: FloatArray, x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    x_mean, y_mean = np.empty(out.shape[1]), np.empty(out.shape[1])
    ts_beta(y, x, window, first, out)
    for i in range(out.shape[0]):
        t = first + i
        start = t - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start, window, y_mean)
        for n in range(out.shape[1]):
            dx = x[t, n] - x[start, n] - x_mean[n]
            dy = y[t, n] - y[start, n] - y_mean[n]
            out[i, n] = finite(dy - out[i, n] * dx)


@kernel
def ts_resid_std(y: FloatArray, x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    x_mean, y_mean, squares = np.empty(out.shape[1]), np.empty(out.shape[1]), np.empty(out.shape[1])
    ts_beta(y, x, window, first, out)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start, window, y_mean)
        for n in range(out.shape[1]):
            squares[n] = 0.0
        for k in range(start, start + window):
            for n in range(out.shape[1]):
                dx = x[k, n] - x[start, n] - x_mean[n]
                dy = y[k, n] - y[start, n] - y_mean[n]
                residual = dy - out[i, n] * dx
                squares[n] += residual * residual
        for n in range(out.shape[1]):
            out[i, n] = finite(math.sqrt(squares[n] / (window - 2)))


@kernel
def _centred_ranks(
    x: FloatArray,
    start: int,
    n: int,
    values: FloatArray,
    order: IntArray,
    spare: FloatArray,
    spare_order: IntArray,
    out: FloatArray,
) -> bool:
    """`out[k]`: twice the rank of `x[start + k, n]` in its window, equals averaged, less the mean: whole numbers.
    False where a value is missing."""
    window = out.shape[0]
    for k in range(window):
        values[k] = x[start + k, n]
        order[k] = k
        if math.isnan(values[k]):
            return False
    sort(values, order, window, spare, spare_order)
    begin = 0
    while begin < window:
        end = begin + 1
        while end < window and values[end] == values[begin]:
            end += 1
        for j in range(begin, end):
            out[order[j]] = float(begin + end - window)
        begin = end
    return True


@kernel
def ts_spearman(x: FloatArray, y: FloatArray, window: int, first: int, out: FloatArray) -> None:
    values, spare = np.empty(window), np.empty(window)
    order, spare_order = np.empty(window, dtype=np.int64), np.empty(window, dtype=np.int64)
    x_ranks, y_ranks = np.empty(window), np.empty(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        for n in range(out.shape[1]):
            out[i, n] = math.nan
            if not _centred_ranks(x, start, n, values, order, spare, spare_order, x_ranks):
                continue
            if not _centred_ranks(y, start, n, values, order, spare, spare_order, y_ranks):
                continue
            products, x_squares, y_squares = 0.0, 0.0, 0.0  # sums of whole numbers are exact
            for k in range(window):
                products += x_ranks[k] * y_ranks[k]
                x_squares += x_ranks[k] * x_ranks[k]
                y_squares += y_ranks[k] * y_ranks[k]
            r = finite(products / math.sqrt(x_squares * y_squares))
            out[i, n] = 1.0 if r > 1.0 else -1.0 if r < -1.0 else r
