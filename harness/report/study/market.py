"""How much of the return is the market's, and how much is known styles: betas, alpha, and what each contributed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.report.study.factors import Factors
from modules.panel import FloatArray

LEAST: Final = 60


@dataclass(frozen=True)
class Loading:
    """One factor. `contribution` is beta times the factor's mean return, a year; `alone` the factor's own mean."""

    name: str
    about: str
    beta: float
    t: float | None
    contribution: float
    alone: float


@dataclass(frozen=True)
class Attribution:
    """Least squares of net returns on factors, errors by Newey and West (1987). Contributions, alpha included, add up
    to the mean net return a year of the bars used. Empty `loadings`: see `why`."""

    bars: int
    alpha: float | None
    alpha_t: float | None
    mean: float | None
    r_squared: float | None
    loadings: tuple[Loading, ...]
    why: str = ""


@dataclass(frozen=True)
class Beta:
    """Against one series. `up` and `down`: on bars where it rose, and fell. None where it cannot be known."""

    beta: float | None
    t: float | None
    alpha: float | None
    correlation: float | None
    up: float | None
    down: float | None


def beta(returns: FloatArray, market: FloatArray, per_year: float) -> Beta:
    """Of the returns on the market; alpha a year."""
    found = attribute(returns, Factors(("market",), ("",), market[:, np.newaxis]), per_year)
    if not found.loadings:
        return Beta(None, None, None, None, None, None)
    one = found.loadings[0]
    return Beta(
        one.beta,
        one.t,
        found.alpha,
        float(np.corrcoef(returns, market)[0, 1]) if np.ptp(returns) > 0.0 else None,
        _slope(returns, market, market > 0.0),
        _slope(returns, market, market < 0.0),
    )


def _slope(returns: FloatArray, market: FloatArray, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float | None:
    r, m = returns[mask], market[mask]
    if m.size < LEAST or np.ptp(m) == 0.0:
        return None
    return float(((r - r.mean()) * (m - m.mean())).sum() / ((m - m.mean()) ** 2).sum())


def attribute(returns: FloatArray, factors: Factors, per_year: float) -> Attribution:
    """On the bars where every factor is known."""
    known = np.isfinite(factors.returns).all(axis=1)
    y, x = returns[known], factors.returns[known]
    n, k = x.shape

    def none(why: str) -> Attribution:
        return Attribution(n, None, None, None, None, (), why)

    if n < LEAST + k:
        return none(f"{n} bars have every factor; {LEAST + k} are asked")
    if np.ptp(y) == 0.0:
        return none("the net return never moved")
    means, deviations = x.mean(axis=0), x.std(axis=0, ddof=1)
    flat = [name for name, d in zip(factors.names, deviations, strict=True) if d <= 0.0]
    if flat:
        return none(f"{', '.join(flat)} never moved")
    z = (x - means) / deviations
    if k > 1 and np.linalg.cond(z) > 1e4:
        return none(f"the factors {', '.join(factors.names)} are copies of each other")
    slopes, *_ = np.linalg.lstsq(z, y - y.mean(), rcond=None)
    betas = slopes / deviations
    alpha = float(y.mean() - betas @ means)
    left = y - y.mean() - z @ slopes
    design = np.column_stack([np.ones(n), x])
    errors = _errors(design, left)
    fitted = [alpha, *betas.tolist()]
    t = [b / e if e > 0.0 else None for b, e in zip(fitted, errors.tolist(), strict=True)]
    return Attribution(
        bars=n,
        alpha=alpha * per_year,
        alpha_t=t[0],
        mean=float(y.mean()) * per_year,
        r_squared=1.0 - float(left @ left) / float(((y - y.mean()) ** 2).sum()),
        loadings=tuple(
            Loading(name, about, float(b), tb, float(b * m) * per_year, float(m) * per_year)
            for name, about, b, tb, m in zip(factors.names, factors.about, betas, t[1:], means, strict=True)
        ),
    )


def _errors(design: FloatArray, left: FloatArray) -> FloatArray:
    """Newey-West errors of the coefficients: Bartlett weights over 4 (n / 100) ** (2 / 9) lags."""
    n, k = design.shape
    lags = math.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))
    scores = design * left[:, np.newaxis]
    middle = scores.T @ scores
    for j in range(1, lags + 1):
        gamma = scores[j:].T @ scores[:-j]
        middle += (1.0 - j / (lags + 1.0)) * (gamma + gamma.T)
    bread = np.linalg.inv(design.T @ design)
    variance = np.diag(bread @ middle @ bread) * n / (n - k)
    errors: FloatArray = np.sqrt(np.maximum(variance, 0.0))
    return errors
