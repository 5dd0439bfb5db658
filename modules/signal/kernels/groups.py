"""Kernels that compare symbols within groups. A group is a code, compared for equality only; a symbol whose group is
missing takes no part. Sums run in ascending order of value within each group."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.ordered import (
    COUNT,
    DEVIATION,
    MEAN,
    MEDIAN,
    SIZE,
    by_group,
    end_of_equals,
    place_of,
    statistic_of,
)


@kernel
def _of_group(x: FloatArray, group: FloatArray, which: int, out: FloatArray) -> None:
    """`out[n]`: the statistic of the row's present `x` in the group of n; NaN, or a count of 0, where there is none."""
    values, codes, _ = by_group(x, group)
    found = np.empty(values.shape[0])
    begin = 0
    while begin < values.shape[0]:
        end = end_of_equals(codes, begin)
        value = statistic_of(values[begin:end], which)
        for j in range(begin, end):
            found[j] = value
        begin = end
    nothing = 0.0 if which == COUNT else math.nan
    for n in range(out.shape[0]):
        place = place_of(codes, group[n])
        if math.isnan(group[n]):
            out[n] = math.nan
        else:
            out[n] = found[place] if place < codes.shape[0] and codes[place] == group[n] else nothing


@kernel
def group_mean(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], MEAN, out[t])


@kernel
def group_median(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], MEDIAN, out[t])


@kernel
def group_count(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], COUNT, out[t])


@kernel
def neutralize(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], MEAN, out[t])
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] - out[t, n])


@kernel
def group_zscore(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    deviation = np.empty(out.shape[1])
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], MEAN, out[t])
        _of_group(x[t], group[t], DEVIATION, deviation)
        for n in range(out.shape[1]):
            out[t, n] = finite((x[t, n] - out[t, n]) / deviation[n])


@kernel
def group_scale(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        _of_group(x[t], group[t], SIZE, out[t])
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] / out[t, n])


@kernel
def group_rank(x: FloatArray, group: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        values, codes, places = by_group(x[t], group[t])
        for n in range(out.shape[1]):
            out[t, n] = math.nan
        first = 0
        while first < values.shape[0]:
            last = end_of_equals(codes, first)
            count = last - first
            begin = first
            while begin < last:
                end = begin + end_of_equals(values[begin:last], 0)
                twice = begin + end - 2 * first + 1  # twice the mean rank of the equals, counted from 1
                for j in range(begin, end):
                    out[t, places[j]] = 0.5 if count == 1 else (twice - 2) / (2.0 * (count - 1))
                begin = end
            first = last
