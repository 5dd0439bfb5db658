"""The symbols of a row in ascending order, whole or group by group, and what is summed in that order.

Equal values are interchangeable, so nothing here depends on the order in which the symbols came.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite
from modules.sorting import sort

MEAN: Final = 0
MEDIAN: Final = 1
DEVIATION: Final = 2
COUNT: Final = 3


@kernel
def sort_pairs(keys: FloatArray, places: IntArray) -> None:
    """Sort keys ascending in place, carrying places along; equals stay in order."""
    count = keys.shape[0]
    sort(keys, places, count, np.empty(count), np.empty(count, np.int64))


@kernel
def ascending(row: FloatArray) -> tuple[FloatArray, IntArray]:
    """The present values in ascending order, and their columns."""
    values, places = np.empty(row.shape[0]), np.empty(row.shape[0], np.int64)
    count = 0
    for n in range(row.shape[0]):
        if not math.isnan(row[n]):
            values[count] = row[n]
            places[count] = n
            count += 1
    values, places = values[:count], places[:count]
    sort_pairs(values, places)
    return values, places


@kernel
def by_group(row: FloatArray, group: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Values, group codes and columns of the symbols that have both, by code and then by value."""
    values, places = ascending(row)
    codes = np.empty(values.shape[0])
    count = 0
    for j in range(values.shape[0]):
        code = group[places[j]]
        if not math.isnan(code):
            codes[count] = code
            places[count] = places[j]
            count += 1
    values, codes, places = values[:count], codes[:count], places[:count]
    sort_pairs(codes, places)  # stable: values stay in order
    for j in range(count):
        values[j] = row[places[j]]
    return values, codes, places


@kernel
def equals_of_first(values: FloatArray) -> int:
    """How many of ascending values equal the first."""
    count = 1
    while count < values.shape[0] and values[count] == values[0]:
        count += 1
    return count


@kernel
def place_of(values: FloatArray, value: float) -> int:
    """The first place in ascending values that is not below `value`."""
    low, high = 0, values.shape[0]
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def sum_of(row: FloatArray) -> float:
    """The sum of the present values in ascending order; NaN of nothing."""
    values, _ = ascending(row)
    total = 0.0
    for j in range(values.shape[0]):
        total += values[j]
    return total if values.shape[0] else math.nan


@kernel
def mean_of(values: FloatArray) -> float:
    """The mean, summed in order as differences from the first: a constant is exactly itself. NaN of nothing."""
    if values.shape[0] == 0:
        return math.nan
    total = 0.0
    for j in range(values.shape[0]):
        total += values[j] - values[0]
    return float(total / values.shape[0] + values[0])


@kernel
def middle_of(values: FloatArray) -> float:
    """The median of ascending values; NaN of nothing."""
    count = values.shape[0]
    if count == 0:
        return math.nan
    low, high = float(values[(count - 1) // 2]), float(values[count // 2])
    return low + (high - low) * 0.5


@kernel
def deviation_of(values: FloatArray) -> float:
    """The standard deviation with count - 1; NaN of fewer than two values."""
    mean = mean_of(values)
    squares = 0.0
    for j in range(values.shape[0]):
        squares += (values[j] - mean) * (values[j] - mean)
    return math.sqrt(float(squares) / (values.shape[0] - 1)) if values.shape[0] > 1 else math.nan


@kernel
def statistic_of(values: FloatArray, which: int) -> float:
    """MEAN, MEDIAN, DEVIATION or COUNT of ascending values; NaN where it is not finite."""
    if which == COUNT:
        return float(values.shape[0])
    if which == MEAN:
        return finite(mean_of(values))
    return finite(middle_of(values) if which == MEDIAN else deviation_of(values))
