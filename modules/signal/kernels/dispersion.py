"""How far the values of a window lie apart. NaN in the window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations
from modules.signal.kernels.order import ts_quantile
from modules.signal.kernels.rolling import ts_max, ts_min


@kernel
def ts_product(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 1.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] *= x[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n])


@kernel
def ts_range(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lowest = np.empty(out.shape)
    ts_min(x, window, first, lowest)
    ts_max(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] - lowest[i, n])


@kernel
def ts_minmax(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lowest = np.empty(out.shape)
    ts_min(x, window, first, lowest)
    ts_max(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite((x[first + i, n] - lowest[i, n]) / (out[i, n] - lowest[i, n]))


@kernel
def ts_iqr(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lower = np.empty(out.shape)
    ts_quantile(x, window, 0.25, first, lower)
    ts_quantile(x, window, 0.75, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] - lower[i, n])


@kernel
def ts_rms(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += x[k, n] * x[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(math.sqrt(out[i, n] / window))


@kernel
def ts_semi_std(x: FloatArray, window: int, level: float, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                below = x[k, n] - level
                below = 0.0 if below > 0.0 else below
                out[i, n] += below * below
        for n in range(out.shape[1]):
            out[i, n] = finite(math.sqrt(out[i, n] / window))


@kernel
def ts_tstat(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            error = math.sqrt(out[i, n] / (window - 1) / window)
            out[i, n] = finite((x[start, n] + mean[n]) / error)


@kernel
def ts_drawdown(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_max(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(x[first + i, n] / out[i, n] - 1.0) if out[i, n] > 0.0 else math.nan


@kernel
def ts_max_drawdown(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    peak = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            peak[n] = x[t - window + 1, n]
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                peak[n] = v if v > peak[n] or math.isnan(v) else peak[n]
                fall = v / peak[n] - 1.0 if peak[n] > 0.0 else math.nan
                out[i, n] = fall if fall < out[i, n] or math.isnan(fall) else out[i, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n])
