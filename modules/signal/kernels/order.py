"""Order statistics of a window. Exact, so the sorted window may be kept from row to row within a call."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray


@kernel
def replace(held: FloatArray, count: int, old: FloatArray, new: FloatArray, put: FloatArray) -> None:
    """Per symbol, take `old` out of the first `count` rows of `held`, which ascend, and put `new` in.

    With `new` in its place the rows would be i[j] = min(held[j], max(held[j - 1], new)); without `old`, j takes i[j] as
    long as that is below `old`, and i[j + 1] from there on. `put` carries i[j]; four rows a pass, as for sums.
    """
    columns = old.shape[0]
    for n in range(columns):
        put[n] = min(held[0, n], new[n])
    k = (count - 1) % 4
    for j in range(k):
        a, b = held[j], held[j + 1]
        for n in range(columns):
            v, gone, i = new[n], old[n], put[n]
            p = min(b[n], max(a[n], v))
            a[n] = i if i < gone else p
            put[n] = p
    while k < count - 1:
        a, b, c, d, e = held[k], held[k + 1], held[k + 2], held[k + 3], held[k + 4]
        for n in range(columns):
            v, gone, i = new[n], old[n], put[n]
            p, q = min(b[n], max(a[n], v)), min(c[n], max(b[n], v))
            r, s = min(d[n], max(c[n], v)), min(e[n], max(d[n], v))
            a[n] = i if i < gone else p
            b[n] = p if p < gone else q
            c[n] = q if q < gone else r
            d[n] = r if r < gone else s
            put[n] = s
        k += 4
    for n in range(columns):
        largest = max(held[count - 1, n], new[n])
        held[count - 1, n] = put[n] if put[n] < old[n] else largest


@kernel
def present_or_last(row: FloatArray, out: FloatArray) -> None:
    """The row, infinity where a value is missing: it sorts last."""
    for n in range(out.shape[0]):
        out[n] = math.inf if math.isnan(row[n]) else row[n]


@kernel
def interpolated(held: FloatArray, level: float, out: FloatArray) -> None:
    """Per symbol, the quantile of the values in `held`, which ascend; NaN where one is missing."""
    last = held.shape[0] - 1
    position = level * last
    below = math.floor(position)
    share = position - below
    lower, upper, largest = held[below], held[min(below + 1, last)], held[last]
    for n in range(out.shape[0]):
        value = lower[n] + (upper[n] - lower[n]) * share if share > 0.0 else lower[n]
        out[n] = value if largest[n] < math.inf and math.isfinite(value) else math.nan


@kernel
def ts_quantile(x: FloatArray, window: int, level: float, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    held = np.full((window, columns), math.inf)
    old, new, put = np.full(columns, math.inf), np.empty(columns), np.empty(columns)
    start = first - window + 1
    for t in range(start, first + out.shape[0]):
        present_or_last(x[t], new)
        replace(held, min(t - start + 1, window), old, new, put)
        if t >= first:
            interpolated(held, level, out[t - first])
            present_or_last(x[t - window + 1], old)


@kernel
def ts_median(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_quantile(x, window, 0.5, first, out)
