"""Kernels that take out of a row what other rows explain, across its symbols."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.ordered import sort_pairs, sum_of

_SINGULAR: Final = 1e-20  # of a variable's squares: less than that left of it is rounding
_MOST: Final = 3


@kernel
def _present_in_order(variables: FloatArray) -> IntArray:
    """The symbols that have every variable, by the first, equals by the second and so on: symbols that still tie are
    alike, so that sums in this order do not depend on the symbols' order."""
    places = np.empty(variables.shape[1], np.int64)
    count = 0
    for n in range(variables.shape[1]):
        present = True
        for i in range(variables.shape[0]):
            present = present and not math.isnan(variables[i, n])
        if present:
            places[count] = n
            count += 1
    places = places[:count]
    keys = np.empty(count)
    for i in range(variables.shape[0] - 1, -1, -1):
        for j in range(count):
            keys[j] = variables[i, places[j]]
        sort_pairs(keys, places)
    return places


@kernel
def _squares(row: FloatArray) -> float:
    total = 0.0
    for j in range(row.shape[0]):
        total += row[j] * row[j]
    return total


@kernel
def _centre(row: FloatArray) -> None:
    """Less its mean; a constant becomes exactly 0."""
    first, total = row[0], 0.0
    for j in range(row.shape[0]):
        total += row[j] - first
    for j in range(row.shape[0]):
        row[j] = row[j] - first - total / row.shape[0]


@kernel
def _take_out(row: FloatArray, explained_by: FloatArray, squares: float) -> None:
    """`row` less its projection on a variable whose squares sum to `squares`."""
    total = 0.0
    for j in range(row.shape[0]):
        total += row[j] * explained_by[j]
    slope = total / squares
    for j in range(row.shape[0]):
        row[j] -= slope * explained_by[j]


@kernel
def _leave_residual(columns: FloatArray) -> bool:
    """Modified Gram-Schmidt: the first row less what the others and a constant explain. False where those others
    depend on each other or are constant."""
    for i in range(columns.shape[0]):
        size = _squares(columns[i])
        _centre(columns[i])
        if i == 0:
            continue
        for k in range(1, i):
            _take_out(columns[i], columns[k], _squares(columns[k]))
        squares = _squares(columns[i])
        if not squares > _SINGULAR * size:
            return False
        _take_out(columns[0], columns[i], squares)
    return True


@kernel
def _regress_out(
    y: FloatArray, x1: FloatArray, x2: FloatArray, x3: FloatArray, regressors: int, out: FloatArray
) -> None:
    variables = np.empty((_MOST + 1, out.shape[1]))
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            variables[0, n], variables[1, n] = y[t, n], x1[t, n]
            variables[2, n], variables[3, n] = x2[t, n], x3[t, n]
            out[t, n] = math.nan
        places = _present_in_order(variables[: regressors + 1])
        count = places.shape[0]
        if count < regressors + 2:
            continue
        columns = np.empty((regressors + 1, count))
        for i in range(regressors + 1):
            for j in range(count):
                columns[i, j] = variables[i, places[j]]
        if _leave_residual(columns):
            for j in range(count):
                out[t, places[j]] = finite(columns[0, j])


def regress_out(*arrays: FloatArray) -> None:
    """`y`, one to three `x`, `out`: one compiled kernel for all; a regressor that is not there is not looked at."""
    *inputs, out = arrays
    regressors = len(inputs) - 1
    y, x1, x2, x3 = inputs + [inputs[-1]] * (_MOST - regressors)
    _regress_out(y, x1, x2, x3, regressors, out)


@kernel
def vector_neutral(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    products, squares = np.empty(out.shape[1]), np.empty(out.shape[1])
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            products[n] = x[t, n] * y[t, n]
            squares[n] = math.nan if math.isnan(products[n]) else y[t, n] * y[t, n]
        slope = finite(sum_of(products) / sum_of(squares))
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] - slope * y[t, n])
