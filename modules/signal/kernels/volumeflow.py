"""Kernels of chart indicators that weigh moves by volume. WINDOW: NaN in the window gives NaN. STATE: a bar with NaN
gives NaN and leaves the memory as it was."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.convergence import ppo
from modules.signal.kernels.recursive import seeded

ROUNDING: Final = 1e-14  # of the two prices: a third of a sum moves by this much with the order of its terms


@kernel
def obv(close: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                v, now, before = volume[k, n], close[k, n], close[k - 1, n]
                out[i, n] += v if now > before else -v if now < before else (v * 0.0 + now * 0.0 + before * 0.0)
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n])


@kernel
def vwap(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    window: int,
    first: int,
    out: FloatArray,
) -> None:
    volumes = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            volumes[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += (high[k, n] + low[k, n] + close[k, n]) / 3.0 * volume[k, n]
                volumes[n] += volume[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / volumes[n])


@kernel
def mfi(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    window: int,
    first: int,
    out: FloatArray,
) -> None:
    flows = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            flows[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                price = (high[k, n] + low[k, n] + close[k, n]) / 3.0
                before = (high[k - 1, n] + low[k - 1, n] + close[k - 1, n]) / 3.0
                flow = price * volume[k, n]
                moved = abs(price - before) > ROUNDING * (abs(price) + abs(before))
                out[i, n] += flow if moved and price > before else 0.0
                flows[n] += math.nan if math.isnan(flow + before) else flow if moved else 0.0
        for n in range(out.shape[1]):
            out[i, n] = finite(100.0 * (out[i, n] / finite(flows[n])))


@kernel
def _money_flow(high: float, low: float, close: float, volume: float) -> float:
    """Volume times the close's place in the bar, -1 to 1; 0 where the bar has no range, NaN where one is NaN."""
    spread = high - low
    place = ((close - low) - (high - close)) / spread if spread != 0.0 else close * 0.0
    return place * volume


@kernel
def cmf(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    window: int,
    first: int,
    out: FloatArray,
) -> None:
    volumes = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            volumes[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += _money_flow(high[k, n], low[k, n], close[k, n], volume[k, n])
                volumes[n] += volume[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / finite(volumes[n]))


@kernel
def chaikin_oscillator(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    fast: int,
    slow: int,
    state: FloatArray,
    out: FloatArray,
) -> None:
    """`state`: bars seen, then how far the accumulation line stands above its fast and above its slow average.

    The line itself, which grows without bound, cancels: a flow moves it away from both, and each follows by its share.
    """
    fast_stays, slow_stays = 1.0 - 2.0 / (fast + 1.0), 1.0 - 2.0 / (slow + 1.0)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            flow = finite(_money_flow(high[t, n], low[t, n], close[t, n], volume[t, n]))
            if math.isnan(flow):
                continue
            if state[0, n] > 0.0:
                above_fast, above_slow = finite(state[1, n] + flow), finite(state[2, n] + flow)
                if math.isnan(above_fast) or math.isnan(above_slow):
                    continue
                state[1, n] = above_fast * fast_stays
                state[2, n] = above_slow * slow_stays
            state[0, n] += 1.0
            out[t, n] = finite(state[2, n] - state[1, n]) if state[0, n] >= slow else math.nan


@kernel
def force_index(close: FloatArray, volume: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: bars seen, the close before, the average."""
    share = 2.0 / (window + 1.0)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            c, v = close[t, n], volume[t, n]
            out[t, n] = math.nan
            if math.isnan(c) or math.isnan(v):
                continue
            moves = state[0, n]
            state[2, n] = seeded(state[2, n], (c - state[1, n]) * v, moves, window, share)
            out[t, n] = state[2, n] if moves >= window else math.nan
            state[0, n] += 1.0
            state[1, n] = c


@kernel
def ease_of_movement(
    high: FloatArray, low: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                move = (high[k, n] + low[k, n]) / 2.0 - (high[k - 1, n] + low[k - 1, n]) / 2.0
                out[i, n] += move * ((high[k, n] - low[k, n]) / volume[k, n])
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / window)


@kernel
def price_volume_trend(close: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                out[i, n] += (close[k, n] / close[k - 1, n] - 1.0) * volume[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n])


@kernel
def pvo(volume: FloatArray, fast: int, slow: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as ppo."""
    ppo(volume, fast, slow, state, out)
