"""Kernels that compare symbols within groups. A group is a code, compared for equality only; a symbol whose group is
missing takes no part. Sums run in ascending order of value within each group.

What is no kernel by itself hands on to one that it shares with others: a family is compiled once.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.ordered import (
    COUNT,
    MEAN,
    MEDIAN,
    by_group,
    deviation_of,
    equals_of_first,
    mean_of,
    place_of,
    statistic_of,
)

_CENTRED: Final = 0
_SCORED: Final = 1
_SCALED: Final = 2


@kernel
def _for_each(x: FloatArray, group: FloatArray, which: int, out: FloatArray) -> None:
    """A statistic of the present `x` of each symbol's group; NaN, or a count of 0, for a group without any."""
    nothing = 0.0 if which == COUNT else math.nan
    for t in range(out.shape[0]):
        values, codes, _ = by_group(x[t], group[t])
        found = np.empty(values.shape[0])
        begin = 0
        while begin < values.shape[0]:
            end = begin + equals_of_first(codes[begin:])
            value = statistic_of(values[begin:end], which)
            for j in range(begin, end):
                found[j] = value
            begin = end
        for n in range(out.shape[1]):
            code = group[t, n]
            place = place_of(codes, code)
            there = place < codes.shape[0] and codes[place] == code
            out[t, n] = math.nan if math.isnan(code) else found[place] if there else nothing


def group_mean(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _for_each(x, group, MEAN, out)


def group_median(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _for_each(x, group, MEDIAN, out)


def group_count(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _for_each(x, group, COUNT, out)


@kernel
def _size_of(values: FloatArray) -> float:
    total = 0.0
    for j in range(values.shape[0]):
        total += abs(values[j])
    return total


@kernel
def _within(x: FloatArray, group: FloatArray, how: int, out: FloatArray) -> None:
    """x less its group's centre, over its group's spread: the mean and 1, the mean and deviation, or 0 and size."""
    for t in range(out.shape[0]):
        values, codes, places = by_group(x[t], group[t])
        for n in range(out.shape[1]):
            out[t, n] = math.nan
        begin = 0
        while begin < values.shape[0]:
            end = begin + equals_of_first(codes[begin:])
            members = values[begin:end]
            centre = 0.0 if how == _SCALED else mean_of(members)
            spread = 1.0 if how == _CENTRED else deviation_of(members) if how == _SCORED else _size_of(members)
            spread = finite(spread)
            for j in range(begin, end):
                out[t, places[j]] = finite((values[j] - centre) / spread)
            begin = end


def neutralize(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _within(x, group, _CENTRED, out)


def group_zscore(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _within(x, group, _SCORED, out)


def group_scale(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    _within(x, group, _SCALED, out)


@kernel
def group_rank(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        values, codes, places = by_group(x[t], group[t])
        for n in range(out.shape[1]):
            out[t, n] = math.nan
        first = 0
        while first < values.shape[0]:
            count = equals_of_first(codes[first:])
            begin = 0
            while begin < count:
                end = begin + equals_of_first(values[first + begin : first + count])
                twice = begin + end + 1  # twice the mean rank of the equals, counted from 1
                for j in range(first + begin, first + end):
                    out[t, places[j]] = 0.5 if count == 1 else (twice - 2) / (2.0 * (count - 1))
                begin = end
            first += count
