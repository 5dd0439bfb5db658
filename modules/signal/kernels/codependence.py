"""Two series over one window, beyond their correlation. NaN in either window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations
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
def _enter(values: FloatArray, begin: int, t: int, window: int, ranks: IntArray) -> int:
    """Takes `values[t]` into the window that began at `begin` and, once it is full, lets `values[begin]` go.

    `ranks[k]` becomes 2 * (values below `values[k]`) + (values equal to it, itself included): twice the rank, equals
    averaged, less 1. Counts are exact, so they may be kept; NaN counts nowhere. Returns 1 for a NaN that came in, less
    1 for one that went.
    """
    full = t - begin == window
    new, old = values[t], values[begin] if full else math.nan
    held, places = values[begin:t], ranks[begin:t]
    own = 1
    for k in range(held.shape[0]):
        v = held[k]
        places[k] += (2 if new < v else 1 if new == v else 0) - (2 if old < v else 1 if old == v else 0)
        own += 2 if v < new else 1 if v == new else 0
    if full:
        own -= 2 if old < new else 1 if old == new else 0
    ranks[t] = own
    return int(math.isnan(new)) - int(full and math.isnan(old))


@kernel
def ts_spearman(x: FloatArray, y: FloatArray, window: int, first: int, out: FloatArray) -> None:
    start = first - window + 1
    rows = out.shape[0] + window - 1
    xs, ys = np.empty(rows), np.empty(rows)
    x_ranks, y_ranks = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for n in range(out.shape[1]):
        missing = 0
        for t in range(rows):
            xs[t], ys[t] = x[start + t, n], y[start + t, n]
            begin = max(t - window, 0)
            missing += _enter(xs, begin, t, window, x_ranks) + _enter(ys, begin, t, window, y_ranks)
            if t < window - 1:
                continue
            x_part, y_part = x_ranks[t - window + 1 : t + 1], y_ranks[t - window + 1 : t + 1]
            products, x_squares, y_squares = 0, 0, 0  # whole numbers: their sums are exact in any order
            for k in range(window):
                dx, dy = x_part[k] - window, y_part[k] - window
                products += dx * dy
                x_squares += dx * dx
                y_squares += dy * dy
            r = finite(products / math.sqrt(float(x_squares) * float(y_squares)))
            r = 1.0 if r > 1.0 else -1.0 if r < -1.0 else r
            out[t - window + 1, n] = math.nan if missing > 0 else r
