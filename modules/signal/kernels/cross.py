"""Kernels that compare the symbols of one row. Sums run in ascending order of value, so that the order of the
symbols cannot change a bit. NaN stays NaN and takes no part."""

from __future__ import annotations

import math

import numpy as np

from modules.jit import kernel, part
from modules.panel import FloatArray, IntArray
from modules.signal.kernels.common import finite
from modules.sorting import sort


@part
def _ascending(row: FloatArray, values: FloatArray, places: IntArray, spare: FloatArray, spare_places: IntArray) -> int:
    """The present values in ascending order in front of `values`, their columns in `places`; how many they are."""
    count: int = row.shape[0] - row.shape[0]  # 0, but no literal: for one, what takes it would be compiled twice
    for n in range(row.shape[0]):
        if not math.isnan(row[n]):
            values[count] = row[n]
            places[count] = n
            count += 1
    sort(values, places, count, spare, spare_places)
    return count


@part
def _twice_rank(values: FloatArray, count: int, begin: int) -> tuple[int, int]:
    """Twice the 1-based rank of the equals that start at `begin` (whole: they share their mean), and their end."""
    end = begin + 1
    while end < count and values[end] == values[begin]:
        end += 1
    return begin + end + 1, end


@kernel
def rank(x: FloatArray, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare = np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        count = _ascending(x[t], values, places, spare, spare_places)
        for n in range(columns):
            out[t, n] = math.nan
        begin = count - count
        while begin < count:
            twice, end = _twice_rank(values, count, begin)
            for j in range(begin, end):
                out[t, places[j]] = 0.5 if count == 1 else (twice - 2) / (2.0 * (count - 1))
            begin = end


@kernel
def quantile_bucket(x: FloatArray, buckets: int, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare = np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        count = _ascending(x[t], values, places, spare, spare_places)
        for n in range(columns):
            out[t, n] = math.nan
        begin = count - count
        while begin < count:
            twice, end = _twice_rank(values, count, begin)
            for j in range(begin, end):
                out[t, places[j]] = float((twice - 1) * buckets // (2 * count))
            begin = end


@part
def _mean(values: FloatArray, count: int) -> float:
    """Mean of the first `count` values, summed in order as differences from the first."""
    total = 0.0
    for j in range(count):
        total += values[j] - values[0]
    return total / count + values[0] if count else math.nan


@kernel
def demean(x: FloatArray, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare = np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        mean = _mean(values, _ascending(x[t], values, places, spare, spare_places))
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] - mean)


@kernel
def zscore(x: FloatArray, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare = np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        count = _ascending(x[t], values, places, spare, spare_places)
        mean = _mean(values, count)
        squares = 0.0
        for j in range(count):
            squares += (values[j] - mean) * (values[j] - mean)
        deviation = math.sqrt(squares / (count - 1)) if count > 1 else 0.0
        for n in range(out.shape[1]):
            out[t, n] = finite((x[t, n] - mean) / deviation)


@kernel
def scale(x: FloatArray, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare, sizes = np.empty(columns), np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        for n in range(columns):
            sizes[n] = abs(x[t, n])
        count = _ascending(sizes, values, places, spare, spare_places)
        total = 0.0
        for j in range(count):
            total += values[j]
        total = finite(total)
        for n in range(out.shape[1]):
            out[t, n] = finite(x[t, n] / total)


@kernel
def _quantile(values: FloatArray, count: int, level: float) -> float:
    position = level * (count - 1)
    below = math.floor(position)
    above = min(below + 1, count - 1)
    low, high = float(values[below]), float(values[above])
    return low + (high - low) * (position - below)


@kernel
def winsorize(x: FloatArray, limit: float, out: FloatArray) -> None:
    columns = out.shape[1]
    values, spare = np.empty(columns), np.empty(columns)
    places, spare_places = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for t in range(out.shape[0]):
        count = _ascending(x[t], values, places, spare, spare_places)
        low = finite(_quantile(values, count, limit)) if count else math.nan
        high = finite(_quantile(values, count, 1.0 - limit)) if count else math.nan
        for n in range(out.shape[1]):
            v = x[t, n]
            out[t, n] = math.nan if math.isnan(low + high) else low if v < low else high if v > high else v


@kernel
def row_correlation(x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    """`out[t]`: Pearson correlation of two rows over the symbols present in both; NaN where either is constant."""
    for t in range(out.shape[0]):
        count = 0
        x_mean, y_mean = 0.0, 0.0
        for n in range(x.shape[1]):
            if not math.isnan(x[t, n]) and not math.isnan(y[t, n]):
                count += 1
                x_mean += x[t, n]
                y_mean += y[t, n]
        if count < 2:
            out[t] = math.nan
            continue
        x_mean /= count
        y_mean /= count
        xx, yy, xy = 0.0, 0.0, 0.0
        for n in range(x.shape[1]):
            if not math.isnan(x[t, n]) and not math.isnan(y[t, n]):
                dx, dy = x[t, n] - x_mean, y[t, n] - y_mean
                xx += dx * dx
                yy += dy * dy
                xy += dx * dy
        out[t] = finite(xy / (math.sqrt(xx) * math.sqrt(yy)))
