"""Kernels of chart indicators that swing in a band. WINDOW: NaN in the window gives NaN. STATE: a bar with NaN gives
NaN and leaves the memory as it was."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean
from modules.signal.kernels.recursive import seeded


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
def rsi_wilder(x: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: values seen, the value before, average gain, average loss."""
    share = 1.0 / window
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            v = x[t, n]
            if math.isnan(v):
                continue
            changes = state[0, n]
            if changes > 0.0:
                change = v - state[1, n]
                state[2, n] = seeded(state[2, n], change if change > 0.0 else 0.0, changes, window, share)
                state[3, n] = seeded(state[3, n], -change if change < 0.0 else 0.0, changes, window, share)
            if changes >= window:
                out[t, n] = finite(100.0 * (state[2, n] / finite(state[2, n] + state[3, n])))
            state[0, n] += 1.0
            state[1, n] = v


@kernel
def stoch_rsi(x: FloatArray, window: int, span: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as rsi_wilder, how many RSI are held, the place of the next, then the last `span` RSI."""
    rsi_wilder(x, window, state[:4], out)
    held, place, ring = state[4], state[5], state[6:]
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = out[t, n]
            if math.isnan(v):
                continue
            ring[int(place[n]), n] = v
            place[n] = (place[n] + 1.0) % span
            held[n] = min(held[n] + 1.0, float(span))
            lowest, highest = v, v
            for k in range(int(held[n])):
                lowest = min(lowest, ring[k, n])
                highest = max(highest, ring[k, n])
            out[t, n] = finite((v - lowest) / (highest - lowest)) if held[n] >= span else math.nan


@kernel
def cci(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    rows, columns = out.shape
    typical = np.empty((rows + window - 1, columns))
    for i in range(typical.shape[0]):
        k = first - window + 1 + i
        for n in range(columns):
            typical[i, n] = finite((high[k, n] + low[k, n] + close[k, n]) / 3.0)
    mean, deviation = np.empty(columns), np.empty(columns)
    for i in range(rows):
        shifted_mean(typical, i, window, mean)
        for n in range(columns):
            deviation[n] = 0.0
        for k in range(i, i + window):
            for n in range(columns):
                deviation[n] += abs(typical[k, n] - typical[i, n] - mean[n])
        for n in range(columns):
            newest = typical[i + window - 1, n] - typical[i, n] - mean[n]
            out[i, n] = finite(newest / (0.015 * (deviation[n] / window)))


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
def williams_r(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    stochastic(high, low, close, window, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite(100.0 * (out[i, n] - 1.0))


@kernel
def stochastic_d(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, smooth: int, first: int, out: FloatArray
) -> None:
    rows, columns = out.shape
    fast = np.empty((rows + smooth - 1, columns))
    stochastic(high, low, close, window, first - smooth + 1, fast)
    for i in range(rows):
        for n in range(columns):
            out[i, n] = 0.0
        for k in range(i, i + smooth):
            for n in range(columns):
                out[i, n] += fast[k, n]
        for n in range(columns):
            out[i, n] = finite(out[i, n] / smooth)


@kernel
def _add_pressure(
    pressure: FloatArray, reach: FloatArray, last: int, window: int, weight: float, out: FloatArray
) -> None:
    """`out[n]` += weight * buying pressure / true range, summed over the `window` rows that end at `last`."""
    columns = out.shape[0]
    top, bottom = np.zeros(columns), np.zeros(columns)
    for k in range(last - window + 1, last + 1):
        for n in range(columns):
            top[n] += pressure[k, n]
            bottom[n] += reach[k, n]
    for n in range(columns):
        out[n] += weight * (top[n] / bottom[n])


@kernel
def ultimate_oscillator(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    short: int,
    middle: int,
    long: int,
    first: int,
    out: FloatArray,
) -> None:
    rows, columns = out.shape
    pressure, reach = np.empty((rows + long - 1, columns)), np.empty((rows + long - 1, columns))
    for i in range(pressure.shape[0]):
        k = first - long + 1 + i
        for n in range(columns):
            before = close[k - 1, n]
            floor = low[k, n] if low[k, n] < before else before
            ceiling = high[k, n] if high[k, n] > before else before
            missing = math.isnan(high[k, n] + low[k, n] + close[k, n] + before)
            pressure[i, n] = math.nan if missing else close[k, n] - floor
            reach[i, n] = ceiling - floor
    for i in range(rows):
        last = i + long - 1
        for n in range(columns):
            out[i, n] = 0.0
        _add_pressure(pressure, reach, last, short, 4.0, out[i])
        _add_pressure(pressure, reach, last, middle, 2.0, out[i])
        _add_pressure(pressure, reach, last, long, 1.0, out[i])
        for n in range(columns):
            out[i, n] = finite(100.0 * (out[i, n] / 7.0))


@kernel
def cmo(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    moves = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            moves[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                change = x[k, n] - x[k - 1, n]
                out[i, n] += change
                moves[n] += abs(change)
        for n in range(out.shape[1]):
            out[i, n] = finite(100.0 * (out[i, n] / moves[n]))


@kernel
def dpo(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    mean = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        start = t - window + 1
        shifted_mean(x, start, window, mean)
        for n in range(out.shape[1]):
            out[i, n] = finite(x[t - (window // 2 + 1), n] - x[start, n] - mean[n])


@kernel
def balance_of_power(begin: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite((close[t, n] - begin[t, n]) / (high[t, n] - low[t, n]))


@kernel
def awesome(high: FloatArray, low: FloatArray, fast: int, slow: int, first: int, out: FloatArray) -> None:
    """Sums of distances from the oldest bar, so that a market that stands still gives 0."""
    oldest, recent = np.empty(out.shape[1]), np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        start = t - slow + 1
        for n in range(out.shape[1]):
            oldest[n] = (high[start, n] + low[start, n]) / 2.0
            out[i, n] = 0.0
            recent[n] = 0.0
        for k in range(start, t + 1):
            for n in range(out.shape[1]):
                distance = (high[k, n] + low[k, n]) / 2.0 - oldest[n]
                out[i, n] += distance
                recent[n] += distance if k > t - fast else 0.0
        for n in range(out.shape[1]):
            out[i, n] = finite(recent[n] / fast - out[i, n] / slow)
