"""Operators for data with holes."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.lags import ffill_limit


@kernel
def fill_value(x: FloatArray, value: float, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = value if math.isnan(x[i, n]) else x[i, n]


@kernel
def ts_last(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ffill_limit(x, window - 1, first, out)


@kernel
def count_present(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += 0.0 if math.isnan(x[k, n]) else 1.0


@kernel
def bars_missing(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    count_present(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = window - out[i, n]


@kernel
def ts_mean_present(x: FloatArray, window: int, least: int, first: int, out: FloatArray) -> None:
    present = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            present[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                missing = math.isnan(x[k, n])
                out[i, n] += 0.0 if missing else x[k, n]
                present[n] += 0.0 if missing else 1.0
        for n in range(out.shape[1]):
            mean = out[i, n] / present[n]
            out[i, n] = mean if present[n] >= least and math.isfinite(mean) else math.nan
