"""Kernels of chart indicators. Row i of `out` is row `first + i` of the inputs; NaN in the window gives NaN."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.moments import ts_zscore

LN2: Final = 0.6931471805599453


@kernel
def rsi(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    moves = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            moves[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                change = x[k, n] - x[k - 1, n]
                out[i, n] += change if change > 0.0 else 0.0
                moves[n] += abs(change)
        for n in range(out.shape[1]):
            out[i, n] = finite(100.0 * (out[i, n] / moves[n]))


@kernel
def atr(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                spread = high[k, n] - low[k, n]
                up = abs(high[k, n] - close[k - 1, n])
                down = abs(low[k, n] - close[k - 1, n])
                largest = up if up > down else down
                largest = spread if spread > largest else largest
                out[i, n] += math.nan if math.isnan(spread + up + down) else largest
        for n in range(out.shape[1]):
            missing = math.isnan(close[t, n])
            out[i, n] = math.nan if missing else finite(out[i, n] / window)


@kernel
def bollinger(x: FloatArray, window: int, width: float, first: int, out: FloatArray) -> None:
    ts_zscore(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / width)


@kernel
def stochastic(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lowest = np.empty(out.shape[1])
    highest = np.empty(out.shape[1])
    missing = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            lowest[n] = math.inf
            highest[n] = -math.inf
            missing[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                lowest[n] = low[k, n] if low[k, n] < lowest[n] else lowest[n]
                highest[n] = high[k, n] if high[k, n] > highest[n] else highest[n]
                missing[n] += high[k, n] * 0.0 + low[k, n] * 0.0 + close[k, n] * 0.0
        for n in range(out.shape[1]):
            out[i, n] = finite((close[t, n] - lowest[n]) / (highest[n] - lowest[n]) + missing[n])


@kernel
def parkinson(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    scale = 4.0 * LN2 * window
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                ratio = high[k, n] / low[k, n]
                move = mathematics.log(ratio) if ratio > 0.0 else math.nan
                out[i, n] += move * move
        for n in range(out.shape[1]):
            out[i, n] = finite(math.sqrt(out[i, n] / scale))
