"""Kernels that run once over a window. Row i of `out` is row `first + i` of the inputs; NaN in the window gives NaN."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel, part
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, narrow_sum

NARROW = 16  # below so many symbols, sums run along time


@part
def ts_sum(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    """Four rows of output at a time, which have all but three of their terms in common; each adds them in order. The
    last four may overlap the four before: the same is computed once more."""
    rows, columns = out.shape
    if columns < NARROW:
        flat = out.reshape(rows * columns)
        narrow_sum(x.reshape(x.size), columns, (first - window + 1) * columns, window, flat)
        for c in range(flat.shape[0]):
            flat[c] = finite(flat[c])
        return
    if rows < 4 or window < 4:
        for i in range(rows):
            for n in range(columns):
                out[i, n] = 0.0
            for k in range(first + i - window + 1, first + i + 1):
                for n in range(columns):
                    out[i, n] += x[k, n]
            for n in range(columns):
                out[i, n] = finite(out[i, n])
        return
    for four in range(0, rows, 4):
        i = min(four, rows - 4)
        start = first + i - window + 1
        p, q, r, s = out[i], out[i + 1], out[i + 2], out[i + 3]
        for n in range(columns):
            a, b, c = x[start, n], x[start + 1, n], x[start + 2, n]
            p[n] = ((0.0 + a) + b) + c
            q[n] = (0.0 + b) + c
            r[n] = 0.0 + c
            s[n] = 0.0
        k = start + 3 + (window - 3) % 4
        for row in range(start + 3, k):
            for n in range(columns):
                a = x[row, n]
                p[n] += a
                q[n] += a
                r[n] += a
                s[n] += a
        while k < start + window:
            for n in range(columns):
                a, b, c, d = x[k, n], x[k + 1, n], x[k + 2, n], x[k + 3, n]
                p[n] = (((p[n] + a) + b) + c) + d
                q[n] = (((q[n] + a) + b) + c) + d
                r[n] = (((r[n] + a) + b) + c) + d
                s[n] = (((s[n] + a) + b) + c) + d
            k += 4
        for n in range(columns):
            a, b, c = x[k, n], x[k + 1, n], x[k + 2, n]
            p[n] = finite(p[n])
            q[n] = finite(q[n] + a)
            r[n] = finite((r[n] + a) + b)
            s[n] = finite(((s[n] + a) + b) + c)


@kernel
def ts_mean(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    ts_sum(x, window, first, out)
    flat = out.reshape(out.size)
    for c in range(flat.shape[0]):
        flat[c] /= window


@kernel
def decay_linear(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    total = window * (window + 1) / 2.0
    columns = out.shape[1]
    for i in range(out.shape[0]):
        start = first + i - window + 1
        for n in range(columns):
            out[i, n] = 0.0
        k = window % 4
        for j in range(k):
            for n in range(columns):
                out[i, n] += (j + 1.0) * x[start + j, n]
        while k < window:
            a, b, c, d = x[start + k], x[start + k + 1], x[start + k + 2], x[start + k + 3]
            p, q, r, s = k + 1.0, k + 2.0, k + 3.0, k + 4.0
            for n in range(columns):
                out[i, n] = (((out[i, n] + p * a[n]) + q * b[n]) + r * c[n]) + s * d[n]
            k += 4
        for n in range(columns):
            out[i, n] = finite(out[i, n] / total)


@part
def _largest(x: FloatArray, sign: float, window: int, first: int, out: FloatArray) -> None:
    """Largest of `sign * x` in each window, in three steps a row whatever the window (M. van Herk, 1992).

    Rows are taken in runs of `window`. `tail[j]` is the largest from row j of a run's first window to its end, `head`
    the largest of the rows after it; a window is the one's end and the other's beginning. The older of equals stays.
    """
    rows, columns = out.shape
    kept = min(window, rows)
    tail, head = np.empty((kept, columns)), np.empty(columns)
    for begin in range(0, rows, window):
        last = first + begin
        start = last - window + 1
        for n in range(columns):
            tail[kept - 1, n] = sign * x[last, n]
        for j in range(window - 2, -1, -1):
            newer, into, row = tail[min(j + 1, kept - 1)], tail[min(j, kept - 1)], x[start + j]
            for n in range(columns):
                v, o = newer[n], sign * row[n]
                into[n] = v if v > o or math.isnan(v) else o
        for n in range(columns):
            out[begin, n] = sign * tail[0, n]
            head[n] = -math.inf
        for i in range(1, min(window, rows - begin)):
            older, row, into = tail[i], x[last + i], out[begin + i]
            for n in range(columns):
                v, o = sign * row[n], older[n]
                head[n] = v if v > head[n] or math.isnan(v) else head[n]
                into[n] = sign * (head[n] if head[n] > o or math.isnan(head[n]) else o)


@kernel
def _since_largest(x: FloatArray, sign: float, window: int, first: int, out: FloatArray) -> None:
    """Bars since the largest of `sign * x` in each window, the newest of equals: as `_largest`, with places."""
    rows, columns = out.shape
    kept = min(window, rows)
    tail, tail_place = np.empty((kept, columns)), np.empty((kept, columns))
    head, head_place = np.empty(columns), np.empty(columns)
    for begin in range(0, rows, window):
        last = first + begin
        start = last - window + 1
        for n in range(columns):
            tail[kept - 1, n] = sign * x[last, n]
            tail_place[kept - 1, n] = last
        for j in range(window - 2, -1, -1):
            source, into = min(j + 1, kept - 1), min(j, kept - 1)
            for n in range(columns):
                v, o = tail[source, n], sign * x[start + j, n]
                newer = v >= o or math.isnan(v)
                tail[into, n] = v if newer else o
                tail_place[into, n] = tail_place[source, n] if newer else float(start + j)
        for n in range(columns):
            out[begin, n] = math.nan if math.isnan(tail[0, n]) else last - tail_place[0, n]
            head[n] = -math.inf
            head_place[n] = last
        for i in range(1, min(window, rows - begin)):
            t = last + i
            for n in range(columns):
                v, o = sign * x[t, n], tail[i, n]
                newer = v >= head[n] or math.isnan(v)
                head[n] = v if newer else head[n]
                head_place[n] = float(t) if newer else head_place[n]
                place = head_place[n] if head[n] >= o or math.isnan(head[n]) else tail_place[i, n]
                out[begin + i, n] = math.nan if math.isnan(head[n] + o) else t - place


@kernel
def ts_min(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _largest(x, -1.0, window, first, out)


@kernel
def ts_max(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _largest(x, 1.0, window, first, out)


@kernel
def ts_argmin(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _since_largest(x, -1.0, window, first, out)


@kernel
def ts_argmax(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    _since_largest(x, 1.0, window, first, out)


@kernel
def ts_rank(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    present = np.zeros(columns)  # rows since the last NaN
    for k in range(first - window + 1, first):
        for n in range(columns):
            present[n] = 0.0 if math.isnan(x[k, n]) else present[n] + 1.0
    for i in range(out.shape[0]):
        t = first + i
        newest, twice = x[t], out[i]
        for n in range(columns):
            present[n] = 0.0 if math.isnan(newest[n]) else present[n] + 1.0
            twice[n] = -1.0  # the newest equals itself
        k = t - window + 1 + window % 2
        for row in range(t - window + 1, k):
            a = x[row]
            for n in range(columns):
                v = newest[n]
                twice[n] += (1.0 if a[n] < v else 0.0) + (1.0 if a[n] <= v else 0.0)
        while k <= t:
            a, b = x[k], x[k + 1]
            for n in range(columns):
                v = newest[n]
                older = (1.0 if a[n] < v else 0.0) + (1.0 if a[n] <= v else 0.0)
                twice[n] += older + ((1.0 if b[n] < v else 0.0) + (1.0 if b[n] <= v else 0.0))
            k += 2
        for n in range(columns):
            twice[n] = math.nan if present[n] < window else twice[n] / 2.0 / (window - 1)


@kernel
def count_true(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    present, count = np.zeros(columns), np.zeros(columns)  # whole numbers: exact, so kept from row to row
    for t in range(first - window + 1, first + out.shape[0]):
        for n in range(columns):
            v = x[t, n]
            present[n] = 0.0 if math.isnan(v) else present[n] + 1.0
            count[n] += 1.0 if v != 0.0 and not math.isnan(v) else 0.0
        if t >= first:
            for n in range(columns):
                out[t - first, n] = math.nan if present[n] < window else count[n]
                v = x[t - window + 1, n]
                count[n] -= 1.0 if v != 0.0 and not math.isnan(v) else 0.0


@kernel
def days_since(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    present, since = np.zeros(columns), np.full(columns, float(window))
    for t in range(first - window + 1, first + out.shape[0]):
        for n in range(columns):
            v = x[t, n]
            present[n] = 0.0 if math.isnan(v) else present[n] + 1.0
            since[n] = 0.0 if v != 0.0 else since[n] + 1.0
        if t >= first:
            for n in range(columns):
                out[t - first, n] = math.nan if present[n] < window or since[n] >= window else since[n]


@kernel
def coverage(x: FloatArray, window: int, first: int, out: FloatArray) -> None:
    columns = out.shape[1]
    count = np.zeros(columns)
    for t in range(first - window + 1, first + out.shape[0]):
        for n in range(columns):
            count[n] += 0.0 if math.isnan(x[t, n]) else 1.0
        if t >= first:
            for n in range(columns):
                out[t - first, n] = count[n] / window
                count[n] -= 0.0 if math.isnan(x[t - window + 1, n]) else 1.0
