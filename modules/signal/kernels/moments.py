"""Kernels on deviations from the window's mean: two passes, each oldest to newest. NaN in the window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations


@kernel
def ts_var(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / (window - 1))


@kernel
def ts_std(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            out[i, n] = math.sqrt(finite(out[i, n] / (window - 1)))


@kernel
def ts_zscore(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        start = t - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            deviation = x[t, n] - x[start, n] - mean[n]
            out[i, n] = finite(deviation / math.sqrt(out[i, n] / (window - 1)))


@kernel
def ts_mad(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(start, start + window):
            for n in range(out.shape[1]):
                out[i, n] += abs(x[k, n] - x[start, n] - mean[n])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / window)


@kernel
def ts_skew(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    cubes = np.empty(out.shape[1])
    correction = math.sqrt(window * (window - 1.0)) / (window - 2.0)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            cubes[n] = 0.0
        for k in range(start, start + window):
            for n in range(out.shape[1]):
                d = x[k, n] - x[start, n] - mean[n]
                cubes[n] += d * d * d
        for n in range(out.shape[1]):
            variance = out[i, n] / window
            out[i, n] = finite(correction * (cubes[n] / window) / (variance * math.sqrt(variance)))


@kernel
def ts_kurt(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    fourths = np.empty(out.shape[1])
    w = float(window)
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, out[i])
        for n in range(out.shape[1]):
            fourths[n] = 0.0
        for k in range(start, start + window):
            for n in range(out.shape[1]):
                d = x[k, n] - x[start, n] - mean[n]
                fourths[n] += (d * d) * (d * d)
        for n in range(out.shape[1]):
            variance = out[i, n] / w
            excess = (w + 1.0) * (fourths[n] / w) / (variance * variance) - 3.0 * (w - 1.0)
            out[i, n] = finite((w - 1.0) / ((w - 2.0) * (w - 3.0)) * excess)
