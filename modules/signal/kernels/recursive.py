"""Steps of averages that never forget, for kernels with memory; the compiler inlines them.

An average starts as the plain mean of its first `window` values and moves by a share of each later distance, as TA-Lib
has it. A step too large to represent is not taken, so one absurd value cannot stay for ever.
"""

from __future__ import annotations

import math

from modules.jit import kernel
from modules.panel import FloatArray


@kernel
def seeded(average: float, value: float, count: float, window: int, share: float) -> float:
    """The average after its value number `count` (from 1; 0 where nothing counts yet)."""
    if count < 1.0:
        return 0.0
    distance = value - average
    moved = average + (distance / count if count <= window else distance * share)
    return moved if math.isfinite(moved) else average


@kernel
def seeded_ema(x: FloatArray, window: int, state: FloatArray, out: FloatArray) -> None:
    """Exponential average, share 2 / (window + 1), of what is present; NaN until `window` values. `out` may be `x`.

    `state[0]`: the average; `state[1]`: how many values it has seen.
    """
    share = 2.0 / (window + 1.0)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            state[1, n] += 1.0
            state[0, n] = seeded(state[0, n], v, state[1, n], window, share)
            out[t, n] = state[0, n] if state[1, n] >= window else math.nan


@kernel
def true_range(high: float, low: float, before: float) -> float:
    """The largest of high - low and the distances of either from the close before; NaN where one is NaN."""
    spread = high - low
    up = abs(high - before)
    down = abs(low - before)
    largest = up if up > down else down
    largest = spread if spread > largest else largest
    return math.nan if math.isnan(spread + up + down) else largest


@kernel
def wilder_range(high: float, low: float, close: float, window: int, state: FloatArray, n: int) -> float:
    """Wilder's average true range after a bar without NaN; NaN before `window` true ranges.

    `state[0]`: bars seen; `state[1]`: the close before; `state[2]`: the average.
    """
    ranges = state[0, n]
    if ranges > 0.0:
        state[2, n] = seeded(state[2, n], true_range(high, low, state[1, n]), ranges, window, 1.0 / window)
    state[0, n] += 1.0
    state[1, n] = close
    return state[2, n] if ranges >= window else math.nan
