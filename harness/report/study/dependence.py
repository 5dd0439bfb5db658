"""Whether the returns follow each other, and whether they stand still: autocorrelation and tests for a unit root."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.report.study.unitroot import RootTest, adf, kpss
from modules.panel import FloatArray

LAGS: Final = (1, 5, 10, 21)
PICTURE_LAGS: Final = 40
LEAST: Final = 100
MOST_BARS: Final = 20_000
"""Tests read the newest so many bars: more would cost seconds and change no verdict."""


@dataclass(frozen=True)
class LjungBox:
    """G. Ljung, G. Box (1978): no autocorrelation up to `lags`. `series`: the returns, or their squares."""

    series: str
    lags: int
    statistic: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Dependence:
    """Empty where there are too few bars or none that moves. `acf[k]` is that of lag k + 1."""

    bars: int
    acf: FloatArray
    acf_squares: FloatArray
    band: float  # two standard errors of an independent series
    ljung_box: tuple[LjungBox, ...]
    roots: tuple[RootTest, ...]
    sharpe_factor: float | None
    """What a yearly Sharpe ratio must be multiplied by for autocorrelation (A. Lo, 2002)."""


def dependence(returns: FloatArray, per_year: float) -> Dependence:
    """All tests of one series of returns; the unit root is looked for in the returns and in their sum of logs."""
    none = np.empty(0)
    seen = np.ascontiguousarray(returns[-MOST_BARS:])
    if seen.size < LEAST or np.ptp(seen) == 0.0:
        return Dependence(int(seen.size), none, none, 0.0, (), (), None)
    lags = min(PICTURE_LAGS, seen.size // 4)
    acf, squares = autocorrelation(seen, lags), autocorrelation((seen - seen.mean()) ** 2, lags)
    tests = [
        LjungBox(name, k, *ljung_box(values[:k], seen.size))
        for name, values in (("returns", acf), ("squared returns", squares))
        for k in LAGS
        if k <= lags
    ]
    growth = np.cumsum(np.log1p(np.maximum(seen, -1.0 + 1e-12)))
    return Dependence(
        bars=int(seen.size),
        acf=acf,
        acf_squares=squares,
        band=2.0 / math.sqrt(seen.size),
        ljung_box=tuple(tests),
        roots=(adf("returns", seen), kpss("returns", seen), adf("log growth", growth), kpss("log growth", growth)),
        sharpe_factor=lo_factor(acf, per_year),
    )


def autocorrelation(values: FloatArray, lags: int) -> FloatArray:
    """Of lags 1 to `lags`, over the variance of the whole; zeros where nothing moves."""
    centred = values - values.mean()
    scale = float(centred @ centred)
    if scale == 0.0:
        return np.zeros(lags)
    return np.array([float(centred[k:] @ centred[:-k]) / scale for k in range(1, lags + 1)])


def ljung_box(acf: FloatArray, bars: int) -> tuple[float, float]:
    """Statistic and p-value of the first `acf.size` autocorrelations."""
    from scipy.special import chdtrc

    k = np.arange(1, acf.size + 1)
    statistic = float(bars * (bars + 2) * (acf**2 / (bars - k)).sum())
    return statistic, float(chdtrc(acf.size, statistic))


def lo_factor(acf: FloatArray, per_year: float) -> float | None:
    """eta(q) / sqrt(q) of A. Lo (2002), "The Statistics of Sharpe Ratios", q bars a year, from the autocorrelations
    given, the rest taken as zero. None where the returns of a year would have no variance."""
    q = max(1, round(per_year))
    lags = np.arange(1, min(acf.size, q - 1) + 1)
    total = q + 2.0 * float(((q - lags) * acf[: lags.size]).sum())
    return math.sqrt(q / total) if total > 0.0 else None
