"""The same account by period and by what kind of market it was, as far as that was known the bar before."""

from __future__ import annotations

import bisect
import itertools
import math

import numpy as np

from harness.validation.report import Part
from modules.engine import metrics as m
from modules.panel import FloatArray, IntArray, Panel, iso

PERIODS = 5
VOLATILITY_BARS = 21
TREND_BARS = 126
MEMORY_BARS = 252
"""Volatilities that must be known before one can be called low or high."""
TERCILES = ("low volatility", "middle volatility", "high volatility")
TRENDS = ("market down", "market up")


def market_returns(bars: Panel) -> FloatArray:
    """`[T]` mean return of the symbols with a price at this bar and the one before; 0 where there is none."""
    close = bars["close"]
    out = np.zeros(close.shape[0])
    returns = close[1:] / close[:-1] - 1.0
    for t in range(returns.shape[0]):
        known = returns[t][np.isfinite(returns[t])]
        out[t + 1] = m.mean(known) if known.size else 0.0
    return out


def volatility_regime(market: FloatArray) -> IntArray:
    """`[T]` 0, 1, 2: tercile of the last month's volatility among all known before this bar; -1 where unknown."""
    out = np.full(market.size, -1, dtype=np.int64)
    past: list[float] = []
    for t in range(VOLATILITY_BARS + 1, market.size):
        window = market[t - VOLATILITY_BARS : t]
        now = m.total(window * window)
        if len(past) >= MEMORY_BARS:
            out[t] = min(2, 3 * bisect.bisect_left(past, now) // len(past))
        bisect.insort(past, now)
    return out


def trend_regime(market: FloatArray) -> IntArray:
    """`[T]` 1 where the market rose over the half year up to the bar before, 0 where not; -1 where unknown."""
    out = np.full(market.size, -1, dtype=np.int64)
    for t in range(TREND_BARS + 1, market.size):
        out[t] = int(m.total(market[t - TREND_BARS : t]) > 0.0)
    return out


def part(name: str, returns: FloatArray, per_year: float) -> Part:
    """Figures of some bars laid end to end."""
    wealth = np.concatenate([[1.0], np.multiply.accumulate(1.0 + returns)])
    return Part(
        name=name,
        bars=int(returns.size),
        sharpe=m.sharpe(returns, per_year),
        annual_return=m.annual_return(returns, per_year),
        max_drawdown=m.max_drawdown(wealth) if returns.size and bool((wealth > 0.0).all()) else math.nan,
    )


def periods(ts: IntArray, net: FloatArray, per_year: float) -> tuple[Part, ...]:
    """Five equal parts of the history."""
    edges = [round(k * ts.size / PERIODS) for k in range(PERIODS + 1)]
    return tuple(
        part(f"{iso(int(ts[a]))} to {iso(int(ts[b - 1]))}", net[a:b], per_year)
        for a, b in itertools.pairwise(edges)
        if b > a
    )


def regimes(market: FloatArray, net: FloatArray, per_year: float) -> tuple[Part, ...]:
    """Three by volatility, two by trend. `market` `[T]` may begin before `net`; both end at the same bar."""
    out = []
    for names, found in ((TERCILES, volatility_regime(market)), (TRENDS, trend_regime(market))):
        label = found[market.size - net.size :]
        out += [part(name, net[label == k], per_year) for k, name in enumerate(names)]
    return tuple(out)
