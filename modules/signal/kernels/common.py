"""Pieces shared by kernels; the compiler inlines them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray

_FEW: Final = 64
_BELOW_SIGN: Final = 0x7FFFFFFFFFFFFFFF


@kernel
def finite(value: float) -> float:
    """The value, or NaN where it is infinite: the language has no infinities."""
    return value if math.isfinite(value) else math.nan


# Sums over a window take four rows at a time: each total is loaded and stored a quarter as often, and its terms are
# still added one by one, oldest to newest.


@kernel
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
    """Sort the first `count` values ascending in place, carrying `order` along: stable, zeros of both signs equal (and
    positive afterwards).

    Written out because numpy's sorts take seconds to compile. By insertion where there are few values; else byte by
    byte of their bit patterns, which no order of the values can make slow. No value may be NaN.
    """
    if count <= _FEW:
        for j in range(count):
            value, index = values[j] + 0.0, order[j]
            place = j
            while place > 0 and values[place - 1] > value:
                values[place] = values[place - 1]
                order[place] = order[place - 1]
                place -= 1
            values[place] = value
            order[place] = index
        return
    keys, others = np.empty(count, np.int64), np.empty(count, np.int64)
    starts = np.zeros((8, 256), np.int64)
    for j in range(count):
        bits = np.float64(values[j] + 0.0).view(np.int64)
        bits ^= (bits >> 63) & _BELOW_SIGN  # negative numbers ascend as integers, too
        keys[j] = bits
        for byte in range(8):
            starts[byte, (bits >> (8 * byte)) & 255] += 1
    for byte in range(8):
        shift, flip = 8 * byte, 128 if byte == 7 else 0  # the sign comes last, negative before positive
        if starts[byte, (keys[0] >> shift) & 255] == count:
            continue
        total = 0
        for digit in range(256):
            here = starts[byte, digit ^ flip]
            starts[byte, digit ^ flip] = total
            total += here
        for j in range(count):
            digit = (keys[j] >> shift) & 255
            place = starts[byte, digit]
            starts[byte, digit] = place + 1
            others[place] = keys[j]
            spare[place] = values[j]
            spare_order[place] = order[j]
        for j in range(count):
            keys[j] = others[j]
            values[j] = spare[j]
            order[j] = spare_order[j]
    for j in range(count):
        values[j] += 0.0
