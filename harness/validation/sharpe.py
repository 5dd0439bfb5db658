"""How sure a Sharpe ratio is, and how much of it is what the best of many tries shows by luck.

D. Bailey, M. Lopez de Prado: "The Sharpe Ratio Efficient Frontier" (2012) for the probabilistic Sharpe ratio and the
minimum track record length; "The Deflated Sharpe Ratio" (2014) for the expected maximum. Ratios here are per bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from modules.engine.metrics import mean, total
from modules.panel import FloatArray

EULER_GAMMA = 0.5772156649015329
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Moments:
    """Of one series: bars, Sharpe ratio a bar, skewness, kurtosis (3 for the normal law)."""

    bars: int
    sharpe: float
    skew: float
    kurtosis: float

    @property
    def error_scale(self) -> float:
        """Variance of the ratio's estimate times (bars - 1): 1 - skew * S + (kurtosis - 1) / 4 * S^2 (Mertens 2002)."""
        return 1.0 - self.skew * self.sharpe + 0.25 * (self.kurtosis - 1.0) * self.sharpe * self.sharpe


def moments(returns: FloatArray) -> Moments | None:
    """None for fewer than two bars, a series that does not move, or one with NaN."""
    n = int(returns.size)
    if n < 2 or not bool(np.isfinite(returns).all()) or bool(np.all(returns == returns[0])):
        return None
    middle = mean(returns)
    centred = returns - middle
    square = centred * centred
    second = total(square) / n
    deviation = math.sqrt(second * n / (n - 1))
    third, fourth = total(square * centred) / n, total(square * square) / n
    return Moments(n, middle / deviation, third / second**1.5, fourth / (second * second))


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true ratio is above `benchmark` (a bar); NaN where the error has no real value."""
    if not found.error_scale > 0.0:
        return math.nan
    return _NORMAL.cdf((found.sharpe - benchmark) * math.sqrt(found.bars - 1) / math.sqrt(found.error_scale))


def minimum_track_record(found: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Bars it takes until the ratio is above `benchmark` with `confidence`; infinite where it is not above it."""
    if not found.sharpe > benchmark:
        return math.inf
    reach = _NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)
    return 1.0 + found.error_scale * reach * reach


def expected_maximum(trials: int, deviation: float) -> float:
    """The best ratio that `trials` worthless ones show, their ratios scattered with `deviation`; 0 for a single one."""
    if trials < 2:
        return 0.0
    best = (1.0 - EULER_GAMMA) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    return deviation * (best + EULER_GAMMA * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e)))


def deflated_sharpe(found: Moments, trials: int, deviation: float) -> float:
    """The probabilistic Sharpe ratio against the expected maximum of all trials."""
    return probabilistic_sharpe(found, expected_maximum(trials, deviation))
