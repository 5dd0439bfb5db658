"""Kernels of chart indicators of direction and its strength. WINDOW: NaN in the window gives NaN. STATE: a bar with NaN
gives NaN and leaves the memory as it was."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.recursive import seeded, true_range, wilder_range
from modules.signal.kernels.rolling import ts_argmax, ts_argmin, ts_max, ts_min


@kernel
def _wilder_sum(total: float, value: float, count: float, window: int) -> float:
    """Wilder's running sum: plain for `window` - 1 values, then a `window`-th of it leaves with each."""
    moved = total + value if count < window else total - total / window + value
    return moved if math.isfinite(moved) else total


@kernel
def _directional(high: float, low: float, close: float, window: int, state: FloatArray, n: int) -> float:
    """Take a bar into the running sums; how many moves they hold, 0 where the bar has NaN.

    `state`: bars seen, high, low and close before, sums of upward moves, downward moves and true ranges.
    """
    if math.isnan(high) or math.isnan(low) or math.isnan(close):
        return 0.0
    moves = float(state[0, n])
    if moves > 0.0:
        up, down = high - state[1, n], state[2, n] - low
        state[4, n] = _wilder_sum(state[4, n], up if up > down and up > 0.0 else 0.0, moves, window)
        state[5, n] = _wilder_sum(state[5, n], down if down > up and down > 0.0 else 0.0, moves, window)
        state[6, n] = _wilder_sum(state[6, n], true_range(high, low, state[3, n]), moves, window)
    state[0, n] += 1.0
    state[1, n], state[2, n], state[3, n] = high, low, close
    return moves


@kernel
def _index(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, side: int, state: FloatArray, out: FloatArray
) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            moves = _directional(high[t, n], low[t, n], close[t, n], window, state, n)
            out[t, n] = finite(100.0 * (state[side, n] / state[6, n])) if moves >= window else math.nan


@kernel
def plus_di(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, state: FloatArray, out: FloatArray
) -> None:
    _index(high, low, close, window, 4, state, out)


@kernel
def minus_di(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, state: FloatArray, out: FloatArray
) -> None:
    _index(high, low, close, window, 5, state, out)


@kernel
def adx(high: FloatArray, low: FloatArray, close: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as `_directional`, then the average."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            moves = _directional(high[t, n], low[t, n], close[t, n], window, state, n)
            count = moves - window + 1.0
            if count >= 1.0:
                plus, minus = state[4, n], state[5, n]
                strength = finite(100.0 * (abs(plus - minus) / (plus + minus)))
                if math.isnan(strength):  # no direction: nothing in the first average, no step in a later one
                    strength = 0.0 if count <= window else state[7, n]
                state[7, n] = seeded(state[7, n], strength, count, window, 1.0 / window)
            out[t, n] = state[7, n] if count >= window else math.nan


@kernel
def aroon_up(high: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_argmax(high, window + 1, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = 100.0 * ((window - out[i, n]) / window)


@kernel
def aroon_down(low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_argmin(low, window + 1, first, out)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = 100.0 * ((window - out[i, n]) / window)


@kernel
def aroon(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    since_low = np.empty(out.shape)
    ts_argmax(high, window + 1, first, out)
    ts_argmin(low, window + 1, first, since_low)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = 100.0 * ((since_low[i, n] - out[i, n]) / window)


@kernel
def vortex(high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    down, ranges = np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        t = first + i
        for n in range(columns):
            out[i, n] = 0.0
            down[n] = 0.0
            ranges[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(columns):
                out[i, n] += abs(high[k, n] - low[k - 1, n])
                down[n] += abs(low[k, n] - high[k - 1, n])
                ranges[n] += true_range(high[k, n], low[k, n], close[k - 1, n])
        for n in range(columns):
            value = finite((out[i, n] - down[n]) / ranges[n])
            out[i, n] = math.nan if math.isnan(close[t, n]) else value


@kernel
def _first_stop(high: float, low: float, state: FloatArray, n: int) -> None:
    """From the second bar on there is a side, as its larger move has it (up where equal), a stop at the first bar's
    far end, and an extreme."""
    up, down = high - state[1, n], state[2, n] - low
    long = not (down > up and down > 0.0)
    state[3, n] = 1.0 if long else -1.0
    state[4, n] = state[2, n] if long else state[1, n]
    state[5, n] = high if long else low
    state[1, n], state[2, n] = high, low


@kernel
def psar(high: FloatArray, low: FloatArray, step: float, limit: float, state: FloatArray, out: FloatArray) -> None:
    """`state`: bars seen, high and low before, side (1 long, -1 short), stop, extreme, acceleration."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            h, low_now = high[t, n], low[t, n]
            if math.isnan(h) or math.isnan(low_now):
                continue
            state[0, n] += 1.0
            if state[0, n] == 2.0:
                _first_stop(h, low_now, state, n)
                state[6, n] = step
            if state[0, n] >= 2.0:
                long = state[3, n] > 0.0
                ceiling, floor = max(state[1, n], h), min(state[2, n], low_now)
                stop = state[4, n]
                if (long and low_now <= stop) or (not long and h >= stop):
                    long = not long
                    stop = min(state[5, n], floor) if long else max(state[5, n], ceiling)
                    state[5, n] = h if long else low_now
                    state[6, n] = step
                elif (long and h > state[5, n]) or (not long and low_now < state[5, n]):
                    state[5, n] = h if long else low_now
                    state[6, n] = min(state[6, n] + step, limit)
                out[t, n] = stop
                stop += state[6, n] * (state[5, n] - stop)
                state[4, n] = min(stop, floor) if long else max(stop, ceiling)
                state[3, n] = 1.0 if long else -1.0
            state[1, n], state[2, n] = h, low_now


@kernel
def supertrend(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window: int,
    width: float,
    state: FloatArray,
    out: FloatArray,
) -> None:
    """`state`: as wilder_range, then upper band, lower band, side (1 up, -1 down, 0 none yet)."""
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            h, low_now, c = high[t, n], low[t, n], close[t, n]
            if math.isnan(h) or math.isnan(low_now) or math.isnan(c):
                continue
            before = state[1, n]
            band = width * wilder_range(h, low_now, c, window, state, n)
            middle = (h + low_now) / 2.0
            upper, lower = finite(middle + band), finite(middle - band)
            if math.isnan(upper) or math.isnan(lower):
                continue
            if state[5, n] == 0.0:
                state[3, n], state[4, n], state[5, n] = upper, lower, 1.0
            else:
                if upper < state[3, n] or before > state[3, n]:
                    state[3, n] = upper
                if lower > state[4, n] or before < state[4, n]:
                    state[4, n] = lower
                if state[5, n] > 0.0 and c < state[4, n]:
                    state[5, n] = -1.0
                elif state[5, n] < 0.0 and c > state[3, n]:
                    state[5, n] = 1.0
            out[t, n] = state[4, n] if state[5, n] > 0.0 else state[3, n]


@kernel
def _middle(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    lowest = np.empty(out.shape)
    ts_max(high, window, first, out)
    ts_min(low, window, first, lowest)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite((out[i, n] + lowest[i, n]) / 2.0)


@kernel
def ichimoku_conversion(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _middle(high, low, window, first, out)


@kernel
def ichimoku_base(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _middle(high, low, window, first, out)


@kernel
def ichimoku_span_a(
    high: FloatArray,
    low: FloatArray,
    conversion: int,
    base: int,
    displacement: int,
    first: int,
    out: FloatArray,
) -> None:
    slow = np.empty(out.shape)
    _middle(high, low, conversion, first - displacement, out)
    _middle(high, low, base, first - displacement, slow)
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = finite((out[i, n] + slow[i, n]) / 2.0)


@kernel
def ichimoku_span_b(
    high: FloatArray, low: FloatArray, window: int, displacement: int, first: int, out: FloatArray
) -> None:
    _middle(high, low, window, first - displacement, out)
