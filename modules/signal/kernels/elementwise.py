"""Kernels that look at one cell at a time. Arrays `[rows, N]`."""

from __future__ import annotations

import math

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite


@kernel
def settle(x: FloatArray, at: IntArray, out: FloatArray) -> None:
    """Write `x` into `out` from row and column `at` on, as far as that reaches: one bit pattern for NaN, one sign for
    zero."""
    row, column = at[0], at[1]
    if x.shape[1] == out.shape[1]:  # whole rows: one run of cells, which a narrow panel needs
        cells, whole = x.reshape(x.size), out[row : row + x.shape[0]].reshape(x.size)
        for c in range(cells.shape[0]):
            v = cells[c]
            whole[c] = math.nan if math.isnan(v) else v + 0.0
        return
    for t in range(x.shape[0]):
        source, into = x[t], out[row + t]
        for n in range(min(x.shape[1], out.shape[1] - column)):
            v = source[n]
            into[column + n] = math.nan if math.isnan(v) else v + 0.0


@kernel
def add(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] + y[t, n])


@kernel
def sub(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] - y[t, n])


@kernel
def mul(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] * y[t, n])


@kernel
def div(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] / y[t, n])


@kernel
def neg(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = -x[t, n]


@kernel
def power(x: FloatArray, exponent: float, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = math.nan if math.isnan(v) else finite(mathematics.power(v, exponent))


@kernel
def absolute(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = abs(x[t, n])


@kernel
def log(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = mathematics.log(x[t, n]) if x[t, n] > 0.0 else math.nan


@kernel
def exp(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = finite(mathematics.exp(x[t, n]))


@kernel
def sqrt(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = math.sqrt(x[t, n]) if x[t, n] >= 0.0 else math.nan


@kernel
def sign(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = 1.0 if v > 0.0 else -1.0 if v < 0.0 else v


@kernel
def signed_power(x: FloatArray, exponent: float, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if v > 0.0:
                out[t, n] = finite(mathematics.power(v, exponent))
            elif v < 0.0:
                out[t, n] = finite(-mathematics.power(-v, exponent))
            else:
                out[t, n] = v


@kernel
def gt(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a > b else 0.0


@kernel
def lt(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a < b else 0.0


@kernel
def ge(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a >= b else 0.0


@kernel
def le(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a <= b else 0.0


@kernel
def eq(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a == b else 0.0


@kernel
def ne(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a != b else 0.0


@kernel
def both(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a != 0.0 and b != 0.0 else 0.0


@kernel
def either(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else 1.0 if a != 0.0 or b != 0.0 else 0.0


@kernel
def negate(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = math.nan if math.isnan(v) else 1.0 if v == 0.0 else 0.0


@kernel
def where(condition: FloatArray, x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            c = condition[t, n]
            out[t, n] = math.nan if math.isnan(c) else x[t, n] if c != 0.0 else y[t, n]


@kernel
def clip(x: FloatArray, low: float, high: float, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = low if v < low else high if v > high else v


@kernel
def maximum(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else a if a > b else b


@kernel
def minimum(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            a, b = x[t, n], y[t, n]
            out[t, n] = math.nan if math.isnan(a) or math.isnan(b) else a if a < b else b


@kernel
def coalesce(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = y[t, n] if math.isnan(x[t, n]) else x[t, n]


@kernel
def is_missing(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[t, n] = 1.0 if math.isnan(x[t, n]) else 0.0
