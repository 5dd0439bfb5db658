"""Kernels that run once over a window. Row i of `out` is row `first + i` of the inputs; NaN in the window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite


@kernel
def ts_sum(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += x[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n])


@kernel
def ts_mean(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_sum(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] /= window


@kernel
def decay_linear(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    total = window * (window + 1) / 2.0
    for i in range(out.shape[0]):
        start = first + i - window + 1
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(window):
            weight = float(k + 1)
            for n in range(out.shape[1]):
                out[i, n] += weight * x[start + k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / total)


@kernel
def ts_min(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = x[t - window + 1, n]
        for k in range(t - window + 2, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                out[i, n] = v if v < out[i, n] or math.isnan(v) else out[i, n]


@kernel
def ts_max(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = x[t - window + 1, n]
        for k in range(t - window + 2, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                out[i, n] = v if v > out[i, n] or math.isnan(v) else out[i, n]


@kernel
def ts_argmin(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    smallest = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            smallest[n] = x[t - window + 1, n]
            out[i, n] = window - 1.0
        for k in range(t - window + 2, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                out[i, n] = float(t - k) if v <= smallest[n] else out[i, n]
                smallest[n] = v if v <= smallest[n] or math.isnan(v) else smallest[n]
        for n in range(out.shape[1]):
            out[i, n] = math.nan if math.isnan(smallest[n]) else out[i, n]


@kernel
def ts_argmax(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    largest = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            largest[n] = x[t - window + 1, n]
            out[i, n] = window - 1.0
        for k in range(t - window + 2, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                out[i, n] = float(t - k) if v >= largest[n] else out[i, n]
                largest[n] = v if v >= largest[n] or math.isnan(v) else largest[n]
        for n in range(out.shape[1]):
            out[i, n] = math.nan if math.isnan(largest[n]) else out[i, n]


@kernel
def ts_rank(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = -0.5  # the newest equals itself
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                newest = x[t, n]
                out[i, n] += math.nan if math.isnan(v) else 1.0 if v < newest else 0.5 if v == newest else 0.0
        for n in range(out.shape[1]):
            out[i, n] = math.nan if math.isnan(x[t, n]) else out[i, n] / (window - 1)


@kernel
def count_true(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                v = x[k, n]
                out[i, n] += math.nan if math.isnan(v) else 1.0 if v != 0.0 else 0.0


@kernel
def days_since(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    missing = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = math.nan
            missing[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                missing[n] += x[k, n] * 0.0
                out[i, n] = float(t - k) if x[k, n] != 0.0 else out[i, n]
        for n in range(out.shape[1]):
            out[i, n] += missing[n]


@kernel
def coverage(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += 0.0 if math.isnan(x[k, n]) else 1.0
        for n in range(out.shape[1]):
            out[i, n] /= window
