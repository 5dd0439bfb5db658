"""Two tests that ask opposite questions of a series, so that "cannot say" is seen.

    ADF   the series wanders (has a unit root) unless a small p-value says it does not (D. Dickey, W. Fuller, 1979;
          S. Said, D. Dickey, 1984), lags of the differences by the AIC, p-values by J. MacKinnon (1994, 2010)
    KPSS  the series stands still unless a small p-value says it does not (D. Kwiatkowski, P. Phillips, P. Schmidt,
          Y. Shin, 1992), bandwidth by B. Hobijn, P. Franses, M. Ooms (1998); its table ends at 0.01 and 0.1

Both with a constant and no trend, as statsmodels has them, against which they are tested. They are written here since
importing statsmodels takes seconds and a page is drawn after every run (docs/decisions/0015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from modules.panel import FloatArray

LEVEL: Final = 0.05

# MacKinnon's response surface for a constant and one series: tau below which the small-p polynomial holds, the range
# in which there is a p-value at all, and the coefficients of the normal quantile in powers of tau.
_TAU_STAR: Final = -1.61
_TAU_MIN: Final = -18.83
_TAU_MAX: Final = 2.74
_SMALL_P: Final = (2.1659, 1.4412, 0.038269)
_LARGE_P: Final = (1.7339, 0.93202, -0.12745, -0.010368)

_KPSS_P: Final = (0.10, 0.05, 0.025, 0.01)
_KPSS_CRITICAL: Final = (0.347, 0.463, 0.574, 0.739)


@dataclass(frozen=True)
class RootTest:
    """`p_bound`: "" or the side, "<=" or ">=", on which the p-value lies of the end of the table. `lags`: of the
    differences (ADF), or the bandwidth (KPSS)."""

    test: str
    series: str
    statistic: float
    p_value: float
    p_bound: str
    lags: int

    @property
    def stationary(self) -> bool:
        """What the test says at 5 %."""
        return (self.p_value < LEVEL) == (self.test == "ADF")


def adf(series: str, values: FloatArray) -> RootTest:
    """Augmented Dickey-Fuller. Lags up to 12 * (n / 100) ** 0.25 (W. Schwert, 1989) compete on the same rows; the
    statistic is then of all rows that the chosen number of lags leaves."""
    most = max(0, min(math.ceil(12.0 * (values.size / 100.0) ** 0.25), values.size // 2 - 2))
    lags = _fewest_by_aic(values, most)
    tau = _t_of_level(values, lags)
    return RootTest("ADF", series, tau, mackinnon_p(tau), "", lags)


def _regression(values: FloatArray, lags: int) -> FloatArray:
    """Columns, each less its mean, which is what a constant does: the level before, the lagged differences, and last
    the difference that they explain."""
    change = np.diff(values)
    level = values[lags:-1]
    columns = [level, *(change[lags - k : change.size - k] for k in range(lags + 1))]
    columns.append(columns.pop(1))
    table = np.column_stack(columns)
    centred: FloatArray = table - table.mean(axis=0)
    return centred


def _factor(table: FloatArray) -> FloatArray | None:
    """The triangle of the columns' QR, by their products: the columns are few and far from copies of each other."""
    scale = np.sqrt((table**2).sum(axis=0))
    if not (scale > 0.0).all():
        return None
    unit = table / scale
    try:
        return np.asarray(np.linalg.cholesky(unit.T @ unit).T * scale)
    except np.linalg.LinAlgError:
        return None  # the last column is a combination of the others: nothing is left to explain


def _fewest_by_aic(values: FloatArray, most: int) -> int:
    """One triangle holds every nested fit: what the first k columns leave is the rest of the last column."""
    table = _regression(values, most)
    triangle = _factor(table)
    if triangle is None:
        return 0
    rotated, n = triangle[:, -1], table.shape[0]
    best, chosen = math.inf, 0
    for lags in range(most + 1):
        aic = n * math.log(float((rotated[lags + 1 :] ** 2).sum()) / n) + 2 * (lags + 2)
        if aic < best:
            best, chosen = aic, lags
    return chosen


def _t_of_level(values: FloatArray, lags: int) -> float:
    table = _regression(values, lags)
    triangle = _factor(table[:, [*range(1, table.shape[1] - 1), 0, -1]])  # the level last: its coefficient stands alone
    if triangle is None:
        return 0.0
    freedom = table.shape[0] - table.shape[1]
    return float(triangle[-2, -1]) / (float(triangle[-1, -1]) / math.sqrt(freedom))


def mackinnon_p(tau: float) -> float:
    """Approximate p-value of a Dickey-Fuller t with a constant."""
    if tau > _TAU_MAX:
        return 1.0
    if tau < _TAU_MIN:
        return 0.0
    powers = _SMALL_P if tau <= _TAU_STAR else _LARGE_P
    return NormalDist().cdf(sum(c * tau**k for k, c in enumerate(powers)))


def kpss(series: str, values: FloatArray) -> RootTest:
    """Level stationarity."""
    centred = values - values.mean()
    n = values.size
    bandwidth = _hobijn(centred)
    long_run = float(centred @ centred)
    for k in range(1, bandwidth + 1):
        long_run += 2.0 * (1.0 - k / (bandwidth + 1.0)) * float(centred[k:] @ centred[:-k])
    long_run /= n
    statistic = float((np.cumsum(centred) ** 2).sum()) / n**2 / long_run if long_run > 0.0 else 0.0
    p = float(np.interp(statistic, _KPSS_CRITICAL, _KPSS_P))
    bound = "<=" if statistic >= _KPSS_CRITICAL[-1] else ">=" if statistic <= _KPSS_CRITICAL[0] else ""
    return RootTest("KPSS", series, statistic, p, bound, bandwidth)


def _hobijn(centred: FloatArray) -> int:
    n = centred.size
    s0 = float(centred @ centred) / n
    s1 = 0.0
    for k in range(1, int(n ** (2.0 / 9.0)) + 1):
        product = float(centred[k:] @ centred[:-k]) / (n / 2.0)
        s0 += product
        s1 += k * product
    if s0 == 0.0:
        return 0
    gamma = 1.1447 * ((s1 / s0) ** 2) ** (1.0 / 3.0)
    return min(int(gamma * n ** (1.0 / 3.0)), n - 1)
