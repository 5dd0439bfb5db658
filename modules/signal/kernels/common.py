"""Pieces shared by kernels; the compiler inlines them."""

from __future__ import annotations

import math

from modules.jit import kernel
from modules.panel import FloatArray, IntArray


@kernel
def finite(value: float) -> float:
    """The value, or NaN where it is infinite: the language has no infinities."""
    return value if math.isfinite(value) else math.nan


# Sums over a window take four rows at a time: each total is loaded and stored a quarter as often, and its terms are
# still added one by one, oldest to newest.


@kernel
def window_sum(x: FloatArray, start: int, window: int, out: FloatArray) -> None:
    """`out[n]`: sum of the window that starts at row `start`."""
    columns = out.shape[0]
    for n in range(columns):
        out[n] = 0.0
    k = start + window % 4
    for row in range(start, k):
        a = x[row]
        for n in range(columns):
            out[n] += a[n]
    while k < start + window:
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            out[n] = (((out[n] + a[n]) + b[n]) + c[n]) + d[n]
        k += 4


@kernel
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


@kernel
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


@kernel
def sort(values: FloatArray, order: IntArray, count: int, spare: FloatArray, spare_order: IntArray) -> None:
    """Sort the first `count` values ascending in place, carrying `order` along: a stable merge sort.

    Written out because numpy's sorts take seconds to compile. No value may be NaN.
    """
    run = 8
    for begin in range(0, count, run):
        for j in range(begin + 1, min(begin + run, count)):
            value, index = values[j], order[j]
            place = j
            while place > begin and values[place - 1] > value:
                values[place] = values[place - 1]
                order[place] = order[place - 1]
                place -= 1
            values[place] = value
            order[place] = index
    while run < count:
        for begin in range(0, count, 2 * run):
            middle, end = min(begin + run, count), min(begin + 2 * run, count)
            left, right = begin, middle
            for j in range(begin, end):
                if right >= end or (left < middle and values[left] <= values[right]):
                    spare[j] = values[left]
                    spare_order[j] = order[left]
                    left += 1
                else:
                    spare[j] = values[right]
                    spare_order[j] = order[right]
                    right += 1
        for j in range(count):
            values[j] = spare[j]
            order[j] = spare_order[j]
        run *= 2
