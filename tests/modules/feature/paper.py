"""The functions of Kakushadze (2016), appendix A, in numpy over all windows at once: an oracle that shares no code with
our kernels. `[T, N]` arrays without missing values; what has no full window is NaN.

Correlations, covariances and weighted means of ranks take few values, and which of two equal ones is the larger hangs
on the last bit.
`rounded` computes with such ties kept, `shaken` with ties broken by chance: where the two agree, no tie decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.stats import rankdata

from modules.panel import FloatArray

_last_bits: list[Callable[[FloatArray], FloatArray]] = []


@contextmanager
def rounded() -> Iterator[None]:
    """Products of windows are cut to ten digits."""
    _last_bits.append(lambda x: np.round(x, 10))
    yield
    _last_bits.clear()


@contextmanager
def shaken(seed: int) -> Iterator[None]:
    """Products of windows are moved by about the eleventh digit; `-seed` moves the other way, and turns every tie."""
    rng = np.random.default_rng(abs(seed))
    step = math.copysign(1e-11, seed)
    _last_bits.append(lambda x: x + step * rng.standard_normal(x.shape))
    yield
    _last_bits.clear()


def _moved(x: FloatArray) -> FloatArray:
    return _last_bits[0](x) if _last_bits else x


def _windows(x: FloatArray, n: int) -> FloatArray:
    """`[T, N, n]`, oldest first; windows that reach before the first row are NaN."""
    padded = np.vstack([np.full((n - 1, x.shape[1]), np.nan), x])
    return sliding_window_view(padded, n, axis=0)


def rank(x: FloatArray) -> FloatArray:
    """From 0 to 1 across a row, equals averaged: the convention of our `rank`."""
    ranks = rankdata(x, axis=1, nan_policy="omit")
    return (ranks - 1) / (np.count_nonzero(~np.isnan(x), axis=1, keepdims=True) - 1)


def percentile(x: FloatArray) -> FloatArray:
    """From 1/n to 1 across a row: a rank that one can take the logarithm of."""
    return rankdata(x, axis=1, nan_policy="omit") / x.shape[1]


def delay(x: FloatArray, n: float) -> FloatArray:
    n = int(n)
    return np.vstack([np.full((n, x.shape[1]), np.nan), x[:-n]])


def delta(x: FloatArray, n: float) -> FloatArray:
    return x - delay(x, n)


def total(x: FloatArray, n: float) -> FloatArray:
    """The paper's `sum`."""
    return _windows(x, int(n)).sum(axis=2)


def product(x: FloatArray, n: float) -> FloatArray:
    return _windows(x, int(n)).prod(axis=2)


def stddev(x: FloatArray, n: float) -> FloatArray:
    return _windows(x, int(n)).std(axis=2, ddof=1)


def ts_min(x: FloatArray, n: float) -> FloatArray:
    return _windows(x, int(n)).min(axis=2)


def ts_max(x: FloatArray, n: float) -> FloatArray:
    return _windows(x, int(n)).max(axis=2)


def ts_argmax(x: FloatArray, n: float) -> FloatArray:
    """Which day of the window, 1 = the oldest; of equals the newest."""
    return _day(_windows(x, int(n)))


def ts_argmin(x: FloatArray, n: float) -> FloatArray:
    return _day(-_windows(x, int(n)))


def _day(windows: FloatArray) -> FloatArray:
    n = windows.shape[2]
    day = n - np.argmax(windows[:, :, ::-1], axis=2)
    return np.where(np.isnan(windows).any(axis=2), np.nan, day)


def ts_rank(x: FloatArray, n: float) -> FloatArray:
    """Place of the newest in its window, 0 to 1, equals averaged."""
    windows = _windows(x, int(n))
    last = windows[:, :, -1:]
    place = (windows < last).sum(axis=2) + 0.5 * ((windows == last).sum(axis=2) - 1)
    return np.where(np.isnan(windows).any(axis=2), np.nan, place / (int(n) - 1))


def decay_linear(x: FloatArray, n: float) -> FloatArray:
    weights = np.arange(1.0, int(n) + 1)
    return _moved((_windows(x, int(n)) * weights).sum(axis=2) / weights.sum())


def covariance(x: FloatArray, y: FloatArray, n: float) -> FloatArray:
    return _moved(_covariance(x, y, n))


def _covariance(x: FloatArray, y: FloatArray, n: float) -> FloatArray:
    a, b = _windows(x, int(n)), _windows(y, int(n))
    return ((a - a.mean(axis=2, keepdims=True)) * (b - b.mean(axis=2, keepdims=True))).sum(axis=2) / (int(n) - 1)


def correlation(x: FloatArray, y: FloatArray, n: float) -> FloatArray:
    """NaN where a window is constant."""
    return _moved(_correlation(x, y, n))


def _correlation(x: FloatArray, y: FloatArray, n: float) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        r = _covariance(x, y, n) / (stddev(x, n) * stddev(y, n))
    flat = (ts_max(x, n) == ts_min(x, n)) | (ts_max(y, n) == ts_min(y, n))
    return np.where(flat, np.nan, r)


def rank_correlation(x: FloatArray, y: FloatArray, n: float) -> FloatArray:
    """0 where one of two ranks stands still."""
    r, known = _correlation(x, y, n), ~np.isnan(_covariance(x, y, n))
    return np.where(np.isnan(r) & known, 0.0, _moved(r))


def scale(x: FloatArray) -> FloatArray:
    return x / np.nansum(np.abs(x), axis=1, keepdims=True)


def signed_power(x: FloatArray, y: float) -> FloatArray:
    return np.sign(x) * np.abs(x) ** y


def choose(condition: FloatArray, x: FloatArray | float, y: FloatArray | float) -> FloatArray:
    """The paper's `condition ? x : y`."""
    return np.where(condition, x, y)


def neutral(x: FloatArray, groups: FloatArray) -> FloatArray:
    """The paper's `indneutralize`: less the mean of its group."""
    out = x.copy()
    for g in np.unique(groups):
        member = groups[0] == g
        out[:, member] -= x[:, member].mean(axis=1, keepdims=True)
    return out
