"""Value at risk and expected shortfall of the net return, as losses (positive numbers), by four methods.

historical      the empirical quantile, and the mean beyond it
normal          mean and deviation of a normal distribution
Cornish-Fisher  its quantile with the skewness and kurtosis of the sample (R. Cornish, R. Fisher, 1938); the mean
                beyond it in closed form. None where the expansion is not monotone (D. Maillard, 2012, "A User's
                Guide to the Cornish Fisher Expansion"): there it ranks losses in the wrong order
Monte Carlo     stationary blocks of the sample's own bars, drawn with a recorded seed
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from modules.panel import FloatArray

LEVELS: Final = (0.95, 0.99)
DRAWS: Final = 10_000
LEAST: Final = 60
"""Below so many bars no tail is stated."""
MOST_FORECASTS: Final = 20_000
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Tail:
    """One method at one horizon: `var` and `cvar` by level of `LEVELS`; None where there is none."""

    method: str
    horizon_bars: int
    var: tuple[float | None, ...]
    cvar: tuple[float | None, ...]
    note: str = ""


@dataclass(frozen=True)
class Coverage:
    """How often the loss exceeded the historical VaR of the `window_bars` before, a forecast made without the bar.

    `p_value`: likelihood ratio of the count (P. Kupiec, 1995); small means the VaR is not to be believed.
    """

    level: float
    window_bars: int
    forecasts: int
    exceeded: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class Shape:
    """Moments of the net return a bar; `kurtosis` is in excess of the normal's 3."""

    mean: float
    deviation: float
    skewness: float
    kurtosis: float
    worst: float
    best: float
    jarque_bera: float
    jarque_bera_p: float


@dataclass(frozen=True)
class Tails:
    """Empty where there are too few bars or none that moves."""

    shape: Shape | None
    tails: tuple[Tail, ...]
    coverage: tuple[Coverage, ...]
    seed: int
    draws: int
    block_bars: int


def tails(returns: FloatArray, per_year: float, seed: int) -> Tails:
    """Everything about losses, over one bar and over a month of bars."""
    if returns.size < LEAST or np.ptp(returns) == 0.0:
        return Tails(None, (), (), seed, 0, 0)
    month = max(1, round(per_year / 12))
    block = max(
        1, min(math.ceil(returns.size ** (1 / 3)), returns.size // 8)
    )  # the order that bias and variance ask for
    found = [historical(returns), normal(returns), cornish_fisher(returns)]
    if 1 < month <= returns.size // 12:
        found += [historical(returns, month), normal(returns, month)]
        found.append(monte_carlo(returns, month, block, seed))
    else:
        found.append(monte_carlo(returns, 1, block, seed))
    return Tails(
        shape=shape(returns),
        tails=tuple(found),
        coverage=tuple(c for level in LEVELS if (c := coverage(returns, level, per_year)) is not None),
        seed=seed,
        draws=DRAWS,
        block_bars=block,
    )


def shape(returns: FloatArray) -> Shape:
    """Moments, and the test of normality by C. Jarque and A. Bera (1980)."""
    n, mean, deviation = returns.size, float(returns.mean()), float(returns.std(ddof=1))
    skewness, kurtosis = skew_kurt(returns)
    statistic = n / 6.0 * (skewness**2 + kurtosis**2 / 4.0)
    return Shape(
        mean=mean,
        deviation=deviation,
        skewness=skewness,
        kurtosis=kurtosis,
        worst=float(returns.min()),
        best=float(returns.max()),
        jarque_bera=statistic,
        jarque_bera_p=math.exp(-statistic / 2.0),  # chi-squared with two degrees of freedom
    )


def skew_kurt(returns: FloatArray) -> tuple[float, float]:
    """Skewness and excess kurtosis of the sample, its moments divided by n."""
    centred = returns - returns.mean()
    second = float((centred**2).mean())
    if second == 0.0:
        return 0.0, 0.0
    return float((centred**3).mean()) / second**1.5, float((centred**4).mean()) / second**2 - 3.0


def historical(returns: FloatArray, horizon: int = 1) -> Tail:
    """Of the sample's own returns; over several bars, of all windows, which overlap."""
    seen = np.sort(over(returns, horizon))
    var, cvar = _empirical(seen)
    return Tail("historical", horizon, var, cvar, "windows overlap" if horizon > 1 else "")


def over(returns: FloatArray, horizon: int) -> FloatArray:
    """Compound return of every window of `horizon` bars."""
    if horizon == 1:
        return returns
    curve = np.concatenate([[0.0], np.cumsum(np.log1p(np.maximum(returns, -1.0 + 1e-12)))])
    compound: FloatArray = np.expm1(curve[horizon:] - curve[:-horizon])
    return compound


def _empirical(ascending: FloatArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    var, cvar = [], []
    for level in LEVELS:
        count = max(1, math.ceil((1.0 - level) * ascending.size - 1e-9))
        var.append(float(-ascending[count - 1]))
        cvar.append(float(-ascending[:count].mean()))
    return tuple(var), tuple(cvar)


def normal(returns: FloatArray, horizon: int = 1) -> Tail:
    """Bars taken as independent: mean times the horizon, deviation times its root."""
    mean, deviation = float(returns.mean()) * horizon, float(returns.std(ddof=1)) * math.sqrt(horizon)
    z = [_NORMAL.inv_cdf(1.0 - level) for level in LEVELS]
    return Tail(
        "normal",
        horizon,
        tuple(-(mean + deviation * q) for q in z),
        tuple(-mean + deviation * _NORMAL.pdf(q) / (1.0 - level) for q, level in zip(z, LEVELS, strict=True)),
        "bars taken as independent" if horizon > 1 else "",
    )


def cornish_fisher(returns: FloatArray) -> Tail:
    """The expansion to the fourth moment, where it is a distribution."""
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    s, k = skew_kurt(returns)
    if not monotone(s, k):
        words = f"no distribution has this expansion: skewness {s:.2f}, excess kurtosis {k:.1f}"
        none = (None,) * len(LEVELS)
        return Tail("Cornish-Fisher", 1, none, none, words)
    var, cvar = [], []
    for level in LEVELS:
        z = _NORMAL.inv_cdf(1.0 - level)
        w = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
        # Mean of w below z, term by term: the integrals of Hermite polynomials against the normal density.
        beyond = -_NORMAL.pdf(z) * (1 + z * s / 6 + (z**2 - 1) * k / 24 - (2 * z**2 - 1) * s**2 / 36) / (1.0 - level)
        var.append(-(mean + deviation * w))
        cvar.append(-(mean + deviation * beyond))
    return Tail("Cornish-Fisher", 1, tuple(var), tuple(cvar))


def monotone(skewness: float, kurtosis: float) -> bool:
    """Whether the expanded quantile rises everywhere: its derivative, a quadratic in z, has no root."""
    s, k = skewness, kurtosis
    a, b, c = k / 8 - s**2 / 6, s / 3, 1 - k / 8 + 5 * s**2 / 36
    if abs(a) < 1e-15:
        return abs(b) < 1e-15 and c > 0.0
    return a > 0.0 and b * b - 4 * a * c < 0.0


def monte_carlo(returns: FloatArray, horizon: int, block_bars: int, seed: int) -> Tail:
    """`DRAWS` paths of `horizon` bars by the stationary bootstrap (D. Politis, J. Romano, 1994): blocks of geometric
    length begin anywhere, and time wraps around. What a block earns is a difference of two sums of logarithms."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n = returns.size
    growth = np.log1p(np.maximum(returns, -1.0 + 1e-12))
    upto = np.concatenate([[0.0], np.cumsum(growth)])
    total = np.zeros(DRAWS)
    left = np.full(DRAWS, horizon)
    while (going := np.flatnonzero(left)).size:
        start = rng.integers(0, n, going.size)
        length = np.minimum(rng.geometric(1.0 / block_bars, going.size), left[going])
        whole, end = np.divmod(start + length, n)
        total[going] += whole * upto[-1] + upto[end] - upto[start]
        left[going] -= length
    var, cvar = _empirical(np.sort(np.expm1(total)))
    words = f"seed {seed}, {DRAWS:,} draws, blocks of {block_bars} bars in the mean"
    return Tail("Monte Carlo", horizon, var, cvar, words)


def coverage(returns: FloatArray, level: float, per_year: float) -> Coverage | None:
    """The forecast held against what came; None where fewer than a hundred could be made.

    The window is one less than a multiple of a hundred bars: of bars alike, the next falls below the k-th lowest of w
    with probability k / (w + 1), which is then `1 - level` itself.
    """
    window = 100 * min(10, max(1, round(per_year / 100))) - 1
    returns = returns[-(MOST_FORECASTS + window) :]
    forecasts = returns.size - window
    if forecasts < 100:
        return None
    count = round((1.0 - level) * (window + 1))
    exceeded = 0
    for block in range(0, forecasts, 4096):  # a few thousand windows at a time: memory stays flat
        rows = returns[block : min(block + 4096, forecasts) + window - 1]
        windows = np.lib.stride_tricks.sliding_window_view(rows, window)
        var = np.partition(windows, count - 1, axis=1)[:, count - 1]
        exceeded += int((returns[window + block : window + block + var.size] < var).sum())
    p = 1.0 - level
    return Coverage(level, window, forecasts, exceeded, p * forecasts, kupiec(exceeded, forecasts, p))


def kupiec(exceeded: int, forecasts: int, probability: float) -> float:
    """p-value of so many exceedances where each has this probability; chi-squared with one degree of freedom."""

    def likelihood(p: float) -> float:
        hits = exceeded * math.log(p) if exceeded else 0.0
        misses = (forecasts - exceeded) * math.log1p(-p) if exceeded < forecasts else 0.0
        return hits + misses

    seen = exceeded / forecasts
    ratio = max(0.0, 2.0 * (likelihood(seen) - likelihood(probability)))
    return math.erfc(math.sqrt(ratio / 2.0))
