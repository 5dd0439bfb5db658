"""Kernels of channels around the price. WINDOW: NaN in the window gives NaN. STATE: a bar with NaN gives NaN and leaves
the memory as it was."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations
from modules.signal.kernels.moments import ts_zscore
from modules.signal.kernels.oscillators import stochastic
from modules.signal.kernels.recursive import seeded, true_range, wilder_range
from modules.signal.kernels.rolling import ts_max, ts_min


@kernel
def atr(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += true_range(high[k, n], low[k, n], close[k - 1, n])
        for n in range(out.shape[1]):
            missing = math.isnan(close[t, n])
            out[i, n] = math.nan if missing else finite(out[i, n] / window)


@kernel
def atr_wilder(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, state: FloatArray, out: FloatArray
) -> None:
    """`state`: as wilder_range."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            h, low_now, c = high[t, n], low[t, n], close[t, n]
            missing = math.isnan(h) or math.isnan(low_now) or math.isnan(c)
            out[t, n] = math.nan if missing else wilder_range(h, low_now, c, window, state, n)


@kernel
def natr(high: FloatArray, low: FloatArray, close: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as wilder_range."""
    atr_wilder(high, low, close, window, state, out)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(100.0 * (out[t, n] / close[t, n]))


@kernel
def bollinger(x: FloatArray, window: int, width: float, first: int, out: FloatArray) -> None:
    ts_zscore(x, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / width)


@kernel
def bollinger_width(x: FloatArray, window: int, width: float, first: int, out: FloatArray) -> None:
    mean, squares = np.empty(out.shape[1]), np.empty(out.shape[1])
    for i in range(out.shape[0]):
        start = first + i - window + 1
        shifted_mean(x, start, window, mean)
        squared_deviations(x, start, window, mean, squares)
        for n in range(out.shape[1]):
            deviation = math.sqrt(squares[n] / (window - 1))
            out[i, n] = finite(2.0 * width * deviation / (x[start, n] + mean[n]))


@kernel
def keltner(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, width: float, state: FloatArray, out: FloatArray
) -> None:
    """`state`: as wilder_range, then the average typical price."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            h, low_now, c = high[t, n], low[t, n], close[t, n]
            typical = finite((h + low_now + c) / 3.0)
            if math.isnan(typical):
                out[t, n] = math.nan
                continue
            state[3, n] = seeded(state[3, n], typical, state[0, n], window, 2.0 / (window + 1.0))
            band = width * wilder_range(h, low_now, c, window, state, n)
            out[t, n] = finite((c - state[3, n]) / band)


@kernel
def donchian_high(high: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_max(high, window, first, out)


@kernel
def donchian_low(low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_min(low, window, first, out)


@kernel
def donchian(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    stochastic(high, low, close, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(2.0 * out[i, n] - 1.0)


@kernel
def chandelier(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window: int,
    width: float,
    state: FloatArray,
    out: FloatArray,
) -> None:
    """`state`: as wilder_range, then the highs of the last `window` bars seen."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            h, low_now, c = high[t, n], low[t, n], close[t, n]
            if math.isnan(h) or math.isnan(low_now) or math.isnan(c):
                continue
            state[3 + int(state[0, n] % window), n] = h
            reach = wilder_range(h, low_now, c, window, state, n)
            if not math.isnan(reach):
                highest = h
                for k in range(3, 3 + window):
                    highest = max(highest, state[k, n])
                out[t, n] = finite(highest - width * reach)
