"""Pieces shared by kernels; the compiler inlines them."""

from __future__ import annotations

import math

from modules.jit import kernel, part
from modules.panel import FloatArray


@kernel
def finite(value: float) -> float:
    """The value, or NaN where it is infinite: the language has no infinities."""
    return value if math.isfinite(value) else math.nan


# Sums over a window take four rows at a time: each total is loaded and stored a quarter as often, and its terms are
# still added one by one, oldest to newest.


@part
def narrow_sum(x: FloatArray, columns: int, start: int, window: int, out: FloatArray) -> None:
    """The sums of windows of a panel too narrow to run across: cells of flat rows, a block at a time.

    `out[c]`: sum of the cells start + c + k * columns, k below `window`, oldest first.
    """
    for begin in range(0, out.shape[0], 512):
        total = out[begin : begin + 512]
        cells = total.shape[0]
        for c in range(cells):
            total[c] = 0.0
        k = window % 4
        for row in range(k):
            a = x[start + begin + row * columns :]
            for c in range(cells):
                total[c] += a[c]
        while k < window:
            at = start + begin + k * columns
            a, b, d, e = x[at:], x[at + columns :], x[at + 2 * columns :], x[at + 3 * columns :]
            for c in range(cells):
                total[c] = (((total[c] + a[c]) + b[c]) + d[c]) + e[c]
            k += 4


@part
def shifted_mean(x: FloatArray, start: int, window: int, out: FloatArray) -> None:
    """`out[n]`: mean of `x[k, n] - x[start, n]` over the window.

    Subtracting the oldest value first keeps digits, and makes a constant window exactly constant.
    """
    columns = out.shape[0]
    oldest = x[start]
    for n in range(columns):
        out[n] = 0.0
    k = start + window % 4
    for row in range(start, k):
        a = x[row]
        for n in range(columns):
            out[n] += a[n] - oldest[n]
    while k < start + window:
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            o = oldest[n]
            out[n] = (((out[n] + (a[n] - o)) + (b[n] - o)) + (c[n] - o)) + (d[n] - o)
        k += 4
    for n in range(columns):
        out[n] /= window


@part
def squared_deviations(x: FloatArray, start: int, window: int, mean: FloatArray, out: FloatArray) -> None:
    """`out[n]`: sum over the window of the squared deviations; `mean` as `shifted_mean` leaves it."""
    columns = out.shape[0]
    oldest = x[start]
    for n in range(columns):
        out[n] = 0.0
    k = start + window % 4
    for row in range(start, k):
        a = x[row]
        for n in range(columns):
            e = a[n] - oldest[n] - mean[n]
            out[n] += e * e
    while k < start + window:
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            o, m = oldest[n], mean[n]
            e, f, g, h = a[n] - o - m, b[n] - o - m, c[n] - o - m, d[n] - o - m
            out[n] = (((out[n] + e * e) + f * f) + g * g) + h * h
        k += 4
