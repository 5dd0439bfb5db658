"""Volatility and liquidity as bars alone can tell them. Row i of `out` is row `first + i` of the inputs.

Logarithms are taken once a bar, before the windows are summed: a bar's term is the same in every window.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite, shifted_mean, squared_deviations

CORWIN: Final = 0.1715728752538099  # 3 - 2 sqrt 2
LN2: Final = 0.6931471805599453
TWO_LN2_LESS_1: Final = 0.3862943611198906


@kernel
def _log_ratio(a: float, b: float) -> float:
    """log(a / b), NaN where that is not finite."""
    ratio = finite(a / b)
    return mathematics.log(ratio) if ratio > 0.0 else math.nan


@kernel
def _mean_of_terms(terms: FloatArray, window: int, out: FloatArray) -> None:
    """`out[i]`: mean of `terms[i .. i + window - 1]`."""
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(i, i + window):
            for n in range(out.shape[1]):
                out[i, n] += terms[k, n]
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / window)


@kernel
def _root(out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = math.sqrt(out[i, n])


@kernel
def parkinson(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    scale = 4.0 * LN2 * window
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                ratio = high[k, n] / low[k, n]
                move = mathematics.log(ratio) if ratio > 0.0 else math.nan
                out[i, n] += move * move
        for n in range(out.shape[1]):
            out[i, n] = finite(math.sqrt(out[i, n] / scale))


@kernel
def garman_klass(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    terms = np.empty((out.shape[0] + window - 1, out.shape[1]))
    for r in range(terms.shape[0]):
        t = first - window + 1 + r
        for n in range(out.shape[1]):
            spread = _log_ratio(high[t, n], low[t, n])
            move = _log_ratio(close[t, n], opened[t, n])
            terms[r, n] = 0.5 * (spread * spread) - TWO_LN2_LESS_1 * (move * move)
    _mean_of_terms(terms, window, out)
    _root(out)


@kernel
def _rogers_satchell_term(opened: float, high: float, low: float, move: float) -> float:
    """log(h / c) log(h / o) + log(l / c) log(l / o), where `move` is log(c / o)."""
    up, down = _log_ratio(high, opened), _log_ratio(low, opened)
    return up * (up - move) + down * (down - move)


@kernel
def rogers_satchell(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    terms = np.empty((out.shape[0] + window - 1, out.shape[1]))
    for r in range(terms.shape[0]):
        t = first - window + 1 + r
        for n in range(out.shape[1]):
            move = _log_ratio(close[t, n], opened[t, n])
            terms[r, n] = _rogers_satchell_term(opened[t, n], high[t, n], low[t, n], move)
    _mean_of_terms(terms, window, out)
    _root(out)


@kernel
def yang_zhang(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    rows, columns = out.shape[0] + window - 1, out.shape[1]
    night, day, terms = np.empty((rows, columns)), np.empty((rows, columns)), np.empty((rows, columns))
    for r in range(rows):
        t = first - window + 1 + r
        for n in range(columns):
            night[r, n] = _log_ratio(opened[t, n], close[t - 1, n])
            day[r, n] = _log_ratio(close[t, n], opened[t, n])
            terms[r, n] = _rogers_satchell_term(opened[t, n], high[t, n], low[t, n], day[r, n])
    _mean_of_terms(terms, window, out)
    k = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
    mean, nights, days = np.empty(columns), np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        shifted_mean(night, i, window, mean)
        squared_deviations(night, i, window, mean, nights)
        shifted_mean(day, i, window, mean)
        squared_deviations(day, i, window, mean, days)
        for n in range(columns):
            variance = nights[n] / (window - 1) + k * (days[n] / (window - 1)) + (1.0 - k) * out[i, n]
            out[i, n] = finite(math.sqrt(variance))


@kernel
def amihud(close: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray) -> None:
    traded = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            traded[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                size = abs(close[k, n] / close[k - 1, n] - 1.0)
                money = close[k, n] * volume[k, n]
                out[i, n] += size * 0.0 if money == 0.0 else size / money
                traded[n] += 0.0 if money == 0.0 else 1.0
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / traded[n])


@kernel
def kyle_lambda(close: FloatArray, volume: FloatArray, window: int, first: int, out: FloatArray) -> None:
    squares = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        t = first + i
        for n in range(out.shape[1]):
            out[i, n] = 0.0
            squares[n] = 0.0
        for k in range(t - window + 1, t + 1):
            for n in range(out.shape[1]):
                change = close[k, n] / close[k - 1, n] - 1.0
                money = close[k, n] * volume[k, n]
                flow = -money if change < 0.0 else money if change > 0.0 else (change + money) * 0.0
                out[i, n] += change * flow
                squares[n] += flow * flow
        for n in range(out.shape[1]):
            out[i, n] = finite(out[i, n] / squares[n])


@kernel
def roll_spread(close: FloatArray, window: int, first: int, out: FloatArray) -> None:
    rows, columns = out.shape[0] + window, out.shape[1]
    moves = np.empty((rows, columns))
    for r in range(rows):
        t = first - window + r
        for n in range(columns):
            moves[r, n] = _log_ratio(close[t, n], close[t - 1, n])
    before, after = np.empty(columns), np.empty(columns)
    for i in range(out.shape[0]):
        shifted_mean(moves, i, window, before)
        shifted_mean(moves, i + 1, window, after)
        for n in range(columns):
            out[i, n] = 0.0
        for k in range(window):
            for n in range(columns):
                earlier = moves[i + k, n] - moves[i, n] - before[n]
                later = moves[i + 1 + k, n] - moves[i + 1, n] - after[n]
                out[i, n] += earlier * later
        for n in range(columns):
            covariance = out[i, n] / (window - 1)
            out[i, n] = 0.0 if covariance > 0.0 else finite(2.0 * math.sqrt(-covariance))


@kernel
def corwin_schultz(high: FloatArray, low: FloatArray, window: int, first: int, out: FloatArray) -> None:
    terms = np.empty((out.shape[0] + window - 1, out.shape[1]))
    before = np.empty(out.shape[1])
    for n in range(out.shape[1]):
        before[n] = _log_ratio(high[first - window, n], low[first - window, n])
    for r in range(terms.shape[0]):
        t = first - window + 1 + r
        for n in range(out.shape[1]):
            now = _log_ratio(high[t, n], low[t, n])
            both = _log_ratio(max(high[t - 1, n], high[t, n]), min(low[t - 1, n], low[t, n]))
            beta = before[n] * before[n] + now * now
            alpha = (math.sqrt(2.0 * beta) - math.sqrt(beta)) / CORWIN - math.sqrt(both * both / CORWIN)
            e = mathematics.exp(alpha)
            spread = 2.0 * (e - 1.0) / (1.0 + e)
            terms[r, n] = 0.0 if spread < 0.0 else spread
            before[n] = now
    _mean_of_terms(terms, window, out)


@kernel
def abdi_ranaldo(
    high: FloatArray, low: FloatArray, close: FloatArray, window: int, first: int, out: FloatArray
) -> None:
    terms = np.empty((out.shape[0] + window - 1, out.shape[1]))
    for r in range(terms.shape[0]):
        t = first - window + 1 + r
        for n in range(out.shape[1]):
            c = close[t - 1, n]
            # twice the distances of log c from the middles of the two bars; each ratio near 1 keeps its digits
            before = _log_ratio((c / high[t - 1, n]) * c, low[t - 1, n])
            after = _log_ratio((c / high[t, n]) * c, low[t, n])
            square = before * after
            terms[r, n] = math.sqrt(0.0 if square < 0.0 else square)
    _mean_of_terms(terms, window, out)
