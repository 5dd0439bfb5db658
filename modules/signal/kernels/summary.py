"""Kernels that give every symbol one number of the row, mark the row's ends, or put the row on another scale.

What is no kernel by itself hands on to one that it shares with others: a family is compiled once.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite
from modules.signal.kernels.normal import normal_quantile
from modules.signal.kernels.ordered import (
    COUNT,
    DEVIATION,
    MEAN,
    MEDIAN,
    ascending,
    equals_of_first,
    middle_of,
    statistic_of,
    sum_of,
)

_SLACK: Final = 1e-9  # 0.1 * 30 is 3.0000000000000004 and means 3
_NORMAL_MAD: Final = 0.6744897501960817  # the upper quartile of the standard normal


@kernel
def _one_for_all(x: FloatArray, which: int, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        values, _ = ascending(x[t])
        value = statistic_of(values, which)
        for n in range(out.shape[1]):
            out[t, n] = value


def cs_mean(x: FloatArray, out: FloatArray) -> None:
    _one_for_all(x, MEAN, out)


def cs_median(x: FloatArray, out: FloatArray) -> None:
    _one_for_all(x, MEDIAN, out)


def cs_std(x: FloatArray, out: FloatArray) -> None:
    _one_for_all(x, DEVIATION, out)


def cs_count(x: FloatArray, out: FloatArray) -> None:
    _one_for_all(x, COUNT, out)


@kernel
def cs_weighted_mean(x: FloatArray, weight: FloatArray, out: FloatArray) -> None:
    products, weights = np.empty(out.shape[1]), np.empty(out.shape[1])
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            products[n] = x[t, n] * weight[t, n]
            weights[n] = math.nan if math.isnan(products[n]) else weight[t, n]
        mean = finite(sum_of(products) / sum_of(weights))
        for n in range(out.shape[1]):
            out[t, n] = mean


@kernel
def _mark(x: FloatArray, share: float, sign: float, out: FloatArray) -> None:
    """1 where fewer than `share` of the present, rounded up, have a larger `sign * x`."""
    row = np.empty(out.shape[1])
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            row[n] = -sign * x[t, n]
            out[t, n] = math.nan
        values, places = ascending(row)
        wanted = math.ceil(share * values.shape[0] - _SLACK)
        begin = 0
        while begin < values.shape[0]:
            end = begin + equals_of_first(values[begin:])
            for j in range(begin, end):
                out[t, places[j]] = 1.0 if begin < wanted else 0.0
            begin = end


def top(x: FloatArray, share: float, out: FloatArray) -> None:
    _mark(x, share, 1.0, out)


def bottom(x: FloatArray, share: float, out: FloatArray) -> None:
    _mark(x, share, -1.0, out)


@kernel
def minmax(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        values, _ = ascending(x[t])
        low = values[0] if values.shape[0] else math.nan
        width = values[-1] - low if values.shape[0] else math.nan
        for n in range(out.shape[1]):
            out[t, n] = finite((x[t, n] - low) / finite(width))


@kernel
def mad_clip(x: FloatArray, width: float, out: FloatArray) -> None:
    distances = np.empty(out.shape[1])
    for t in range(out.shape[0]):
        values, _ = ascending(x[t])
        middle = middle_of(values)
        for n in range(out.shape[1]):
            distances[n] = abs(x[t, n] - middle)
        far, _ = ascending(distances)
        reach = finite(middle_of(far) / _NORMAL_MAD * width)
        low, high = middle - reach, middle + reach
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = math.nan if math.isnan(low + high) else low if v < low else high if v > high else v


@kernel
def rank_gauss(x: FloatArray, out: FloatArray) -> None:
    for t in range(out.shape[0]):
        values, places = ascending(x[t])
        count = values.shape[0]
        for n in range(out.shape[1]):
            out[t, n] = math.nan
        begin = 0
        while begin < count:
            end = begin + equals_of_first(values[begin:])
            score = normal_quantile(begin + end + 1, 2 * (count + 1))
            for j in range(begin, end):
                out[t, places[j]] = score
            begin = end
