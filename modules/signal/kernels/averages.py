"""Moving averages beyond the plain mean. Those with memory come last; `state` is zero before the first row."""

from __future__ import annotations

import math

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.rolling import decay_linear


@kernel
def _weighted(x: FloatArray, weights: FloatArray, total: float, first: int, out: FloatArray) -> None:
    """Sum of weights * x over the window, oldest first, over their total."""
    window = weights.shape[0]
    for i in range(out.shape[0]):
        start = first + i - window + 1
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(window):
            for n in range(out.shape[1]):
                out[i, n] += weights[k] * x[start + k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / total)


@kernel
def trima(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    weights = np.empty(window)
    total = 0.0
    for k in range(window):
        weights[k] = float(min(k + 1, window - k))
        total += weights[k]
    _weighted(x, weights, total, first, out)


@kernel
def alma(x: FloatArray, window: int, offset: float, sigma: float, first: int, out: FloatArray) -> None:
    weights = np.empty(window)
    total = 0.0
    for k in range(window):
        distance = (k - offset * (window - 1)) * sigma / window
        weights[k] = mathematics.exp(-0.5 * distance * distance)
        total += weights[k]
    _weighted(x, weights, total, first, out)


@kernel
def hma(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    last = int(math.sqrt(window))
    rows, columns = out.shape[0] + last - 1, out.shape[1]
    fast, slow = np.empty((rows, columns)), np.empty((rows, columns))
    decay_linear(x, window // 2, first - last + 1, fast)
    decay_linear(x, window, first - last + 1, slow)
    for i in range(rows):
        for n in range(columns):
            fast[i, n] = finite(2.0 * fast[i, n] - slow[i, n])
    decay_linear(fast, last, last - 1, out)


@kernel
def vwma(x: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray) -> None:
    total = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            total[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += x[k, n] * volume[k, n]
                total[n] += volume[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / total[n])


@kernel
def ts_decay_exp(x: FloatArray, window: int, factor: float, first: int, out: FloatArray) -> None:
    total = 0.0
    for _ in range(window):
        total = total * factor + 1.0
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] = out[i, n] * factor + x[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / total)


@kernel
def _stepped(average: float, share: float, value: float) -> float:
    """`average` moved towards `value`. A step too large to represent is dropped, so that one bad value cannot poison
    the rest."""
    moved = finite(average + share * (value - average))
    return average if math.isnan(moved) else moved


@kernel
def _smoothed(value: float, span: int, state: FloatArray, row: int, n: int) -> float:
    """The exponential average in `state[row]`, which has seen `state[row + 1]` values; NaN until it has seen `span`."""
    if math.isnan(value):
        return math.nan
    if state[row + 1, n] == 0.0:
        state[row, n] = value
    else:
        state[row, n] = _stepped(state[row, n], 2.0 / (span + 1.0), value)
    state[row + 1, n] += 1.0
    return state[row, n] if state[row + 1, n] >= span else math.nan


@kernel
def dema(x: FloatArray, span: int, state: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            once = _smoothed(x[t, n], span, state, 0, n)
            twice = _smoothed(once, span, state, 2, n)
            out[t, n] = finite(2.0 * once - twice)


@kernel
def tema(x: FloatArray, span: int, state: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            once = _smoothed(x[t, n], span, state, 0, n)
            twice = _smoothed(once, span, state, 2, n)
            thrice = _smoothed(twice, span, state, 4, n)
            out[t, n] = finite(3.0 * once - 3.0 * twice + thrice)


@kernel
def rma(x: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state[0]`: the average, or the sum of the first values; `state[1]`: how many values it has seen."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            if state[1, n] < window:
                total = finite(state[0, n] + v)
                if math.isnan(total):  # too large to represent: as if it had not been seen
                    out[t, n] = math.nan
                    continue
                state[1, n] += 1.0
                state[0, n] = total / window if state[1, n] == window else total
            else:
                state[0, n] = _stepped(state[0, n], 1.0 / window, v)
            out[t, n] = state[0, n] if state[1, n] >= window else math.nan


@kernel
def _efficiency(state: FloatArray, window: int, seen: int, n: int) -> float:
    """Way made over way gone, over the last `window` changes of the ring from `state[2]` on; 1 where none moved."""
    gone = 0.0
    before = state[2 + (seen - window) % (window + 1), n]
    oldest = before
    for k in range(seen - window + 1, seen + 1):
        v = state[2 + k % (window + 1), n]
        gone += abs(v - before)
        before = v
    ratio = 1.0 if gone == 0.0 else abs(before - oldest) / gone
    return 1.0 if ratio > 1.0 else ratio


@kernel
def kama(x: FloatArray, window: int, fast: int, slow: int, state: FloatArray, out: FloatArray) -> None:
    """`state[0]`: the average; `state[1]`: how many values it has seen; then a ring of the last window + 1 of them."""
    most, least = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            seen = int(state[1, n])
            state[2 + seen % (window + 1), n] = v
            state[1, n] += 1.0
            if seen < window:
                state[0, n] = v
                out[t, n] = math.nan
                continue
            share = least + _efficiency(state, window, seen, n) * (most - least)
            state[0, n] = _stepped(state[0, n], share * share, v)
            out[t, n] = state[0, n]
