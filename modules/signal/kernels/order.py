"""Order statistics of a window. Exact, so the sorted window may be kept from row to row within a call."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray


@kernel
def _replace(held: FloatArray, count: int, old: FloatArray, new: FloatArray, carried: FloatArray) -> None:
    """Per symbol, take `old` out of the first `count` rows of `held`, which ascend, and put `new` in.

    With `new` in its place the rows would be i[j] = min(held[j], max(held[j - 1], new)); without `old`, j takes i[j] as
    long as that is below `old`, and i[j + 1] from there on.
    """
    columns = old.shape[0]
    for n in range(columns):
        carried[n] = min(held[0, n], new[n])
    for j in range(count - 1):
        row, above = held[j], held[j + 1]
        for n in range(columns):
            v, put = row[n], carried[n]
            v = v if v > new[n] else new[n]
            v = v if v < above[n] else above[n]
            row[n] = put if put < old[n] else v
            carried[n] = v
    for n in range(columns):
        largest = max(held[count - 1, n], new[n])
        held[count - 1, n] = carried[n] if carried[n] < old[n] else largest


@kernel
def ts_quantile(x: FloatArray, window: int, level: float, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    held = np.full((window, columns), math.inf)  # the window's values in ascending order; infinity where one is missing
    old, new, carried = np.full(columns, math.inf), np.empty(columns), np.empty(columns)
    position = level * (window - 1)
    below = math.floor(position)
    above = min(below + 1, window - 1)
    share = position - below
    start = first - window + 1
    for t in range(start, first + out.shape[0]):
        for n in range(columns):
            new[n] = math.inf if math.isnan(x[t, n]) else x[t, n]
        _replace(held, min(t - start + 1, window), old, new, carried)
        if t >= first:
            for n in range(columns):
                low, high = held[below, n], held[above, n]
                value = low + (high - low) * share if share > 0.0 else low
                full = held[window - 1, n] < math.inf and math.isfinite(value)
                out[t - first, n] = value if full else math.nan
                leaves = x[t - window + 1, n]
                old[n] = math.inf if math.isnan(leaves) else leaves


@kernel
def ts_median(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_quantile(x, window, 0.5, first, out)
