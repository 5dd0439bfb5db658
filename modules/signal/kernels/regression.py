"""Kernels on two series, or on a series and time. NaN in a window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations


@kernel
def _products(
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
    for n in range(out.shape[0]):
        out[n] = 0.0
    for k in range(window):
        for n in range(out.shape[0]):
            dx = x[x_start + k, n] - x[x_start, n] - x_mean[n]
            dy = y[y_start + k, n] - y[y_start, n] - y_mean[n]
            out[n] += dx * dy


@kernel
def _correlation(x: FloatArray, y: FloatArray, window: int, lag: int, first: int, out: FloatArray) -> None:
    """Correlation of x with y `lag` rows earlier."""
    columns = out.shape[1]
    x_mean, y_mean = np.empty(columns), np.empty(columns)
    x_squares, y_squares = np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, x_mean)
        shifted_mean(y, start - lag, window, y_mean)
        squared_deviations(x, start, window, x_mean, x_squares)
        squared_deviations(y, start - lag, window, y_mean, y_squares)
        _products(x, start, x_mean, y, start - lag, y_mean, window, out[i])
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
        _products(x, start, x_mean, y, start, y_mean, window, out[i])
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
        _products(x, start, x_mean, y, start, y_mean, window, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / x_squares[n])


@kernel
def _time_products(x: FloatArray, start: int, window: int, mean: FloatArray, out: FloatArray) -> None:
    """`out[n]`: sum over the window of (time - mean time) * deviation of x."""
    middle = (window - 1) / 2.0
    for n in range(out.shape[0]):
        out[n] = 0.0
    for k in range(window):
        for n in range(out.shape[0]):
            out[n] += (k - middle) * (x[start + k, n] - x[start, n] - mean[n])


@kernel
def _time_squares(window: int) -> float:
    """Sum of (time - mean time)^2 over 0 .. window - 1."""
    return window * (float(window) * window - 1.0) / 12.0


@kernel
def ts_slope(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    squares = _time_squares(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        _time_products(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / squares)


@kernel
def ts_resid(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    ts_slope(x, window, first, out)
    for i in range(out.shape[0]):
        t = first + i
        start = t - window + 1
        shifted_mean(x, start, window, mean)
        for n in range(out.shape[1]):
            deviation = x[t, n] - x[start, n] - mean[n]
            out[i, n] = finite(deviation - out[i, n] * ((window - 1) / 2.0))


@kernel
def ts_rsquare(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean, x_squares = np.empty(out.shape[1]), np.empty(out.shape[1])
    squares = _time_squares(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, x_squares)
        _time_products(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            r = finite(out[i, n] / (math.sqrt(squares) * math.sqrt(x_squares[n])))
            out[i, n] = min(r * r, 1.0) if r == r else math.nan
