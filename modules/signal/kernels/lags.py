"""Kernels that compare the newest row with one earlier row. Row i of `out` is row `first + i` of the inputs."""

from __future__ import annotations

import math

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite


@kernel
def delay(x: FloatArray, bars: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = x[first + i - bars, n]


@kernel
def delta(x: FloatArray, bars: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(x[first + i, n] - x[first + i - bars, n])


@kernel
def returns(x: FloatArray, bars: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(x[first + i, n] / x[first + i - bars, n] - 1.0)


@kernel
def log_returns(x: FloatArray, bars: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            ratio = finite(x[first + i, n] / x[first + i - bars, n])
            out[i, n] = mathematics.log(ratio) if ratio > 0.0 else math.nan


@kernel
def ffill_limit(x: FloatArray, limit: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = math.nan
        for k in range(t - limit, t + 1):
            for n in range(out.shape[1]):
                out[i, n] = out[i, n] if math.isnan(x[k, n]) else x[k, n]
