"""Kernels on two series, or on a series and time. NaN in a window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel, part
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations


@kernel
def products_of_deviations(
    x: FloatArray,
    x_start: int,
    x_mean: FloatArray,
    y: FloatArray,
    y_start: int,
    y_mean: FloatArray,
    window: int,
    out: FloatArray,
) -> None:
    """`out[n]`: sum over the window of the products of deviations; means as `shifted_mean` leaves them."""
    columns = out.shape[0]
    x_oldest, y_oldest = x[x_start], y[y_start]
    for n in range(columns):
        out[n] = 0.0
    k = window % 2
    for j in range(k):
        a, c = x[x_start + j], y[y_start + j]
        for n in range(columns):
            out[n] += (a[n] - x_oldest[n] - x_mean[n]) * (c[n] - y_oldest[n] - y_mean[n])
    while k < window:
        a, b = x[x_start + k], x[x_start + k + 1]
        c, d = y[y_start + k], y[y_start + k + 1]
        for n in range(columns):
            o, m, p, q = x_oldest[n], x_mean[n], y_oldest[n], y_mean[n]
            out[n] = (out[n] + (a[n] - o - m) * (c[n] - p - q)) + (b[n] - o - m) * (d[n] - p - q)
        k += 2


@part
def _squares_and_products(
    x: FloatArray,
    x_start: int,
    x_mean: FloatArray,
    y: FloatArray,
    y_start: int,
    y_mean: FloatArray,
    window: int,
    x_squares: FloatArray,
    y_squares: FloatArray,
    out: FloatArray,
) -> None:
    """`squared_deviations` of both and `products_of_deviations`, in one pass over the window."""
    columns = out.shape[0]
    x_oldest, y_oldest = x[x_start], y[y_start]
    for n in range(columns):
        x_squares[n] = y_squares[n] = out[n] = 0.0
    k = window % 2
    for j in range(k):
        a, c = x[x_start + j], y[y_start + j]
        for n in range(columns):
            e, g = a[n] - x_oldest[n] - x_mean[n], c[n] - y_oldest[n] - y_mean[n]
            x_squares[n] += e * e
            y_squares[n] += g * g
            out[n] += e * g
    while k < window:
        a, b = x[x_start + k], x[x_start + k + 1]
        c, d = y[y_start + k], y[y_start + k + 1]
        for n in range(columns):
            o, m, p, q = x_oldest[n], x_mean[n], y_oldest[n], y_mean[n]
            e, f, g, h = a[n] - o - m, b[n] - o - m, c[n] - p - q, d[n] - p - q
            x_squares[n] = (x_squares[n] + e * e) + f * f
            y_squares[n] = (y_squares[n] + g * g) + h * h
            out[n] = (out[n] + e * g) + f * h
        k += 2


@part
def _correlation(x: FloatArray, y: FloatArray, window: int, lag: int, first: int, out: FloatArray) -> None:
    """Correlation of x with y `lag` rows earlier."""
    columns = out.shape[1]
    x_mean, y_mean = np.empty(columns), np.empty(columns)
    x_squares, y_squares = np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start - lag, window, y_mean)
        _squares_and_products(x, start, x_mean, y, start - lag, y_mean, window, x_squares, y_squares, out[i])
        for n in range(columns):
            r = finite(out[i, n] / (math.sqrt(x_squares[n]) * math.sqrt(y_squares[n])))
            out[i, n] = 1.0 if r > 1.0 else -1.0 if r < -1.0 else r


@kernel
def ts_corr(x: FloatArray, y: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _correlation(x, y, window, 0, first, out)


@kernel
def ts_autocorr(x: FloatArray, window: int, lag: int, first: int, out: FloatArray) -> None:
    _correlation(x, x, window, lag, first, out)


@kernel
def ts_cov(x: FloatArray, y: FloatArray, window: int, first: int, out: FloatArray) -> None:
    x_mean, y_mean = np.empty(out.shape[1]), np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start, window, y_mean)
        products_of_deviations(x, start, x_mean, y, start, y_mean, window, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / (window - 1))


@kernel
def ts_beta(y: FloatArray, x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    x_mean, y_mean, x_squares = np.empty(out.shape[1]), np.empty(out.shape[1]), np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start, window, y_mean)
        squared_deviations(x, start, window, x_mean, x_squares)
        products_of_deviations(x, start, x_mean, y, start, y_mean, window, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / x_squares[n])


@kernel
def time_products(x: FloatArray, start: int, window: int, mean: FloatArray, out: FloatArray) -> None:
    """`out[n]`: sum over the window of (time - mean time) * deviation of x."""
    middle = (window - 1) / 2.0
    columns = out.shape[0]
    oldest = x[start]
    for n in range(columns):
        out[n] = 0.0
    k = window % 4
    for j in range(k):
        a = x[start + j]
        for n in range(columns):
            out[n] += (j - middle) * (a[n] - oldest[n] - mean[n])
    while k < window:
        a, b, c, d = x[start + k], x[start + k + 1], x[start + k + 2], x[start + k + 3]
        p, q, r, s = k - middle, k + 1 - middle, k + 2 - middle, k + 3 - middle
        for n in range(columns):
            o, m = oldest[n], mean[n]
            first, second = p * (a[n] - o - m), q * (b[n] - o - m)
            third, fourth = r * (c[n] - o - m), s * (d[n] - o - m)
            out[n] = (((out[n] + first) + second) + third) + fourth
        k += 4


@kernel
def time_squares(window: int) -> float:
    """Sum of (time - mean time)^2 over 0 .. window - 1."""
    return window * (float(window) * window - 1.0) / 12.0


@kernel
def ts_slope(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    squares = time_squares(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        time_products(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / squares)


@kernel
def ts_resid(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    squares = time_squares(window)
    for i in range(out.shape[0]):
        t = first + i
        start = t - window + 1
        shifted_mean(x, start, window, mean)
        time_products(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            deviation = x[t, n] - x[start, n] - mean[n]
            out[i, n] = finite(deviation - finite(out[i, n] / squares) * ((window - 1) / 2.0))


@kernel
def ts_rsquare(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean, x_squares = np.empty(out.shape[1]), np.empty(out.shape[1])
    squares = time_squares(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, x_squares)
        time_products(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            r = finite(out[i, n] / (math.sqrt(squares) * math.sqrt(x_squares[n])))
            out[i, n] = min(r * r, 1.0) if r == r else math.nan
