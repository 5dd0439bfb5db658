"""Kernels that compare exponential averages of one series. A value that is NaN gives NaN and leaves the memory as it
was."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.recursive import seeded, seeded_ema


@kernel
def trix(x: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: three averages with their counts, then the last of the third and whether there is one."""
    seeded_ema(x, window, state[0:2], out)
    seeded_ema(out, window, state[2:4], out)
    seeded_ema(out, window, state[4:6], out)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = out[t, n]
            if math.isnan(v):
                continue
            out[t, n] = finite(100.0 * (v / state[6, n] - 1.0)) if state[7, n] > 0.0 else math.nan
            state[6, n] = v
            state[7, n] = 1.0


@kernel
def _gap(x: FloatArray, fast: int, slow: int, percent: bool, state: FloatArray, out: FloatArray) -> None:
    """Fast less slow exponential average, or that in percent of the slow one.

    The means that they start as end together, or begin together where in percent: TA-Lib has it so. `state`: values
    seen, fast average, slow average.
    """
    late = 0 if percent else slow - fast
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.nan
            v = x[t, n]
            if math.isnan(v):
                continue
            state[0, n] += 1.0
            state[1, n] = seeded(state[1, n], v, state[0, n] - late, fast, 2.0 / (fast + 1.0))
            state[2, n] = seeded(state[2, n], v, state[0, n], slow, 2.0 / (slow + 1.0))
            if state[0, n] >= slow:
                gap = state[1, n] - state[2, n]
                out[t, n] = finite(100.0 * (gap / state[2, n]) if percent else gap)


@kernel
def macd(x: FloatArray, fast: int, slow: int, state: FloatArray, out: FloatArray) -> None:
    _gap(x, fast, slow, False, state, out)


@kernel
def ppo(x: FloatArray, fast: int, slow: int, state: FloatArray, out: FloatArray) -> None:
    _gap(x, fast, slow, True, state, out)


@kernel
def macd_signal(x: FloatArray, fast: int, slow: int, signal: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as `_gap`, then the signal's average and count."""
    _gap(x, fast, slow, False, state[:3], out)
    seeded_ema(out, signal, state[3:], out)


@kernel
def macd_hist(x: FloatArray, fast: int, slow: int, signal: int, state: FloatArray, out: FloatArray) -> None:
    """`state`: as macd_signal."""
    smooth = np.empty(out.shape)
    _gap(x, fast, slow, False, state[:3], out)
    seeded_ema(out, signal, state[3:], smooth)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(out[t, n] - smooth[t, n])
