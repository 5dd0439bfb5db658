"""How sure a mean is when its values overlap and follow each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from modules.panel import FloatArray

INDEPENDENT_PERIODS: Final = 8
"""Below so many horizons end to end, no error is stated: there is nothing to estimate it from."""


@dataclass(frozen=True)
class Mean:
    """A mean with its error. `critical` is the |t| that luck exceeds in 5 % of cases, `low` and `high` the interval at
    that level. All but `mean` and `count` are None where the error cannot be known; `mean` is None for no values."""

    mean: float | None
    count: int
    error: float | None = None
    t: float | None = None
    critical: float | None = None
    low: float | None = None
    high: float | None = None
    bandwidth_bars: int | None = None

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and (self.low > 0.0 or self.high < 0.0)


def mean_of(values: FloatArray, horizon_bars: int = 1) -> Mean:
    """Mean of a series `[T]` in order of time, with a Newey-West error; NaN takes no part.

    The error is the root of the Bartlett long-run variance (W. Newey, K. West, "A Simple, Positive Semi-Definite,
    Heteroskedasticity and Autocorrelation Consistent Covariance Matrix", 1987) over n. Its bandwidth is the larger of
    1.3 * sqrt(n) (E. Lazarus, D. Lewis, J. Stock, M. Watson, "HAR Inference: Recommendations for Practice", 2018) and
    three horizons, so that returns which overlap by `horizon_bars` keep most of their covariance; `critical` is the
    fixed-b value for that bandwidth (N. Kiefer, T. Vogelsang, "A New Asymptotic Theory for
    Heteroskedasticity-Autocorrelation Robust Tests", 2005).
    """
    known = values[~np.isnan(values)]
    n = int(known.size)
    if n == 0:
        return Mean(None, 0)
    mean = float(known.mean())
    if n < INDEPENDENT_PERIODS * horizon_bars:
        return Mean(mean, n)
    bandwidth = min(n - 1, max(math.ceil(1.3 * math.sqrt(n)), 3 * horizon_bars))
    error = math.sqrt(long_run_variance(known, bandwidth) / n)
    if error <= 1e-12 * max(1.0, abs(mean)):
        return Mean(mean, n)
    critical = fixed_b_critical(bandwidth / n)
    return Mean(
        mean=mean,
        count=n,
        error=error,
        t=mean / error,
        critical=critical,
        low=mean - critical * error,
        high=mean + critical * error,
        bandwidth_bars=bandwidth,
    )


def long_run_variance(values: FloatArray, bandwidth_bars: int) -> float:
    """Bartlett estimate, weights 1 - j / bandwidth for lags j below it; never negative."""
    centred = values - values.mean()
    n = values.size
    total = float((centred * centred).sum()) / n
    for j in range(1, min(bandwidth_bars, n)):
        total += 2.0 * (1.0 - j / bandwidth_bars) * float((centred[j:] * centred[:-j]).sum()) / n
    return max(total, 0.0)


def fixed_b_critical(b: float) -> float:
    """Two-sided 5 % critical value of a Bartlett t statistic with bandwidth b * n (Kiefer and Vogelsang 2005)."""
    return 1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
