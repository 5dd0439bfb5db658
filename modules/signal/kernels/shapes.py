"""Kernels that bend one cell's value, or ask whether it lies where it should. Arrays `[rows, N]`."""

from __future__ import annotations

import math

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite


@kernel
def unitless(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = x[t, n]


@kernel
def square(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] * x[t, n])


@kernel
def floor(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = np.floor(x[t, n])


@kernel
def ceil(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = np.ceil(x[t, n])


@kernel
def between(x: FloatArray, low: FloatArray, high: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v, a, b = x[t, n], low[t, n], high[t, n]
            missing = math.isnan(v) or math.isnan(a) or math.isnan(b)
            out[t, n] = math.nan if missing else 1.0 if a <= v and v <= b else 0.0


@kernel
def nan_if(x: FloatArray, condition: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = x[t, n] if condition[t, n] == 0.0 else math.nan


@kernel
def sigmoid(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            e = mathematics.exp(-abs(v))  # at most 1, so nothing overflows
            out[t, n] = 1.0 / (1.0 + e) if v >= 0.0 else e / (1.0 + e)


@kernel
def tanh(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            less = _exp_less_one(-2.0 * abs(v))
            size = -less / (2.0 + less)
            out[t, n] = size if v >= 0.0 else -size


@kernel
def _exp_less_one(x: float) -> float:
    """e ** x - 1 for x <= 0, its digits kept near 0 by W. Kahan's correction: the logarithm of the rounded power."""
    u = mathematics.exp(x)
    if u == 1.0:
        return x
    if u < 0.5:
        return u - 1.0
    return (u - 1.0) * x / mathematics.log(u)
