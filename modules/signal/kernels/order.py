"""Order statistics of a window. Exact, so the sorted window may be kept from row to row within a call."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray


@kernel
def _place(sorted_values: FloatArray, count: int, value: float) -> int:
    """First place whose value is not below `value`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if sorted_values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _insert(sorted_values: FloatArray, count: int, value: float) -> None:
    place = _place(sorted_values, count, value)
    for j in range(count, place, -1):
        sorted_values[j] = sorted_values[j - 1]
    sorted_values[place] = value


@kernel
def _remove(sorted_values: FloatArray, count: int, value: float) -> None:
    for j in range(_place(sorted_values, count, value), count - 1):
        sorted_values[j] = sorted_values[j + 1]


@kernel
def ts_quantile(x: FloatArray, window: int, level: float, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    held = np.empty((columns, window))  # per symbol, the present values of the window in ascending order
    counts = np.zeros(columns, dtype=np.int64)
    position = level * (window - 1)
    below = math.floor(position)
    above = min(below + 1, window - 1)
    share = position - below
    for t in range(first - window + 1, first + out.shape[0]):
        for n in range(columns):
            if t > first and not math.isnan(x[t - window, n]):
                _remove(held[n], counts[n], x[t - window, n])
                counts[n] -= 1
            if not math.isnan(x[t, n]):
                _insert(held[n], counts[n], x[t, n])
                counts[n] += 1
            if t >= first:
                low = held[n, below]
                high = held[n, above]
                value = low + (high - low) * share if share > 0.0 else low
                full = counts[n] == window and math.isfinite(value)
                out[t - first, n] = value if full else math.nan


@kernel
def ts_median(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_quantile(x, window, 0.5, first, out)
