"""What is known of volatility and volume at a bar: estimates over the last bars, each summed afresh, oldest first.

So an estimate does not depend on where history began, nor on when it is made: ahead, for all bars and on a second
thread, or in the loop, once somebody orders (`need`). A strategy of one symbol orders at few bars, and then reads what
it needs from closes that it has just seen.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from modules.jit import inlined, kernel, uncounted
from modules.panel import FloatArray, IntArray, read_only

ESTIMATE_BARS: Final = 20
MINIMUM_BARS: Final = 5
NARROW: Final = 16  # below so many symbols, estimates are made when they are needed
MOST_ROWS: Final = 64  # made at a time in the loop
BLOCK: Final = 512  # cells summed at a time
PART: Final = 65_536  # cells estimated at a time


class Estimates(NamedTuple):
    """Estimates of one account's market: row k of `sigma` and `adv` is bar `span[0] + k`, up to bar `span[1] - 1`."""

    sigma: FloatArray  # [.., N] volatility of one bar's return
    adv: FloatArray  # [.., N] mean volume in shares of the bar after it; NaN = unknown
    span: IntArray  # [2]
    close: FloatArray  # what they are made of, as are
    volume: FloatArray  # volumes; no rows where none are known
    squares: FloatArray  # room for `MOST_ROWS` rows and what their windows reach back to
    zeroed: FloatArray
    known: IntArray


def made_ahead(sigma: FloatArray, adv: FloatArray) -> Estimates:
    """Estimates that are all there."""
    nothing = read_only(np.empty((0, sigma.shape[1])))
    span = np.array([0, sigma.shape[0]], dtype=np.int64)
    return Estimates(sigma, adv, span, nothing, nothing, np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))


def made_as_needed(close: FloatArray, volume: FloatArray) -> Estimates:
    """Estimates none of which is there yet. They are made in place: they serve one account at a time."""
    symbols = close.shape[1]
    cells = (MOST_ROWS + ESTIMATE_BARS) * symbols
    return Estimates(
        sigma=np.empty((MOST_ROWS, symbols)),
        adv=np.empty((MOST_ROWS, symbols)),
        span=np.zeros(2, dtype=np.int64),
        close=read_only(close),  # of one type whoever they are from, so that the loop is compiled once
        volume=read_only(volume),
        squares=np.empty(cells),
        zeroed=np.empty(cells),
        known=np.empty(cells, dtype=np.int64),
    )


@kernel
def _trailing_sums(values: FloatArray, symbols: int, bars: int, skip: int, out: FloatArray) -> None:
    """`out[c - skip]`, c from `skip` on: sum of the cells c - k * symbols, k below `bars`, oldest first, from 0.

    Each is summed afresh, over flat rows of `symbols` cells, so that one symbol is as fast as many. Cells before the
    first count as 0. Four rows are taken at a time, and their terms added one by one.
    """
    for begin in range(skip, values.size, BLOCK):
        stop = min(begin + BLOCK, values.size)
        total = out[begin - skip : stop - skip]
        total[:] = 0.0
        k = bars - 1
        while k >= 0:
            lag = k * symbols
            if k >= 3 and lag <= begin:
                a, b = values[begin - lag :], values[begin - lag + symbols :]
                c, d = values[begin - lag + 2 * symbols :], values[begin - lag + 3 * symbols :]
                for j in range(stop - begin):
                    total[j] = (((total[j] + a[j]) + b[j]) + c[j]) + d[j]
                k -= 4
            else:
                for j in range(max(begin, lag), stop):
                    total[j - begin] += values[j - lag]
                k -= 1


@kernel
def _known_cells(values: FloatArray, symbols: int, bars: int, known: IntArray, zeroed: FloatArray) -> None:
    """`known[c]`: how many of the last `bars` cells of a symbol are not NaN; `zeroed`: the values, NaN as 0."""
    lag = bars * symbols
    for c in range(values.size):
        there = values[c] == values[c]
        zeroed[c] = values[c] if there else 0.0
        known[c] = 1 if there else 0
        if c >= symbols:
            known[c] += known[c - symbols]
        if c >= lag and values[c - lag] == values[c - lag]:
            known[c] -= 1


@kernel
def _squared_returns(prices: FloatArray, symbols: int, out: FloatArray) -> None:
    out[:symbols] = np.nan
    after, squares = prices[symbols:], out[symbols:]
    for c in range(after.size):
        r = after[c] / prices[c] - 1.0
        squares[c] = r * r


@kernel
def _means(known: IntArray, minimum: int, root: bool, out: FloatArray) -> None:
    """Sums to means of what is known, or to their roots."""
    for c in range(out.size):
        out[c] = out[c] / float(known[c]) if known[c] >= minimum else np.nan
    if root:
        for c in range(out.size):
            out[c] = np.sqrt(out[c])


@kernel
def _estimate(
    values: FloatArray,
    symbols: int,
    bars: int,
    minimum: int,
    skip: int,
    root: bool,
    zeroed: FloatArray,
    known: IntArray,
    out: FloatArray,
) -> None:
    """Means of `values`, or their roots, at the cells from `skip` on; `zeroed` and `known` are room for them all."""
    _known_cells(values, symbols, bars, known, zeroed)
    _trailing_sums(zeroed[: values.size], symbols, bars, skip, out)
    _means(known[skip:], minimum, root, out)


@inlined
def estimates_at(t: int, e: Estimates) -> int:
    """The row of `sigma` and `adv` that holds what is known at bar t, made where it is not there."""
    if not e.span[0] <= t < e.span[1]:
        _need(t, e)
    return int(t - e.span[0])


@uncounted
def _need(t: int, e: Estimates) -> None:
    """Make the estimates of bar t; where the last ones are asked for bar after bar, of more and more bars at a time."""
    length, symbols = e.span[1] - e.span[0], e.sigma.shape[1]
    stop = min(t + (max(1, min(2 * length, MOST_ROWS)) if t == e.span[1] else 1), e.close.shape[0])
    first = max(0, t - ESTIMATE_BARS)
    cells, skip = (stop - first) * symbols, (t - first) * symbols
    squares, sigma = e.squares[:cells], e.sigma[: stop - t].reshape(cells - skip)
    _squared_returns(e.close[first:stop].reshape(cells), symbols, squares)
    _estimate(squares, symbols, ESTIMATE_BARS, MINIMUM_BARS, skip, True, e.zeroed, e.known, sigma)
    adv = e.adv[: stop - t].reshape(cells - skip)
    if e.volume.shape[0] > 0:
        volume = e.volume[first:stop].reshape(cells)
        _estimate(volume, symbols, ESTIMATE_BARS, MINIMUM_BARS, skip, False, e.zeroed, e.known, adv)
    else:
        adv[:] = np.nan
    e.span[0], e.span[1] = t, stop


def trailing_sigma(close: FloatArray, bars: int, minimum: int) -> FloatArray:
    """Root mean square of the last `bars` simple returns up to and including row t, `[T, N]`, per bar.

    Zero mean, as usual at short horizons (J.P. Morgan, RiskMetrics Technical Document, 1996). Each row is summed
    afresh, oldest first, so it does not depend on where history began. NaN below `minimum` known returns.
    """
    return _trailing(close, bars, minimum, returns=True)


def trailing_mean(values: FloatArray, bars: int, minimum: int) -> FloatArray:
    """Mean of the known values of the last `bars` rows up to and including t, `[T, N]`; NaN below `minimum`."""
    return _trailing(values, bars, minimum, returns=False)


def _trailing(values: FloatArray, bars: int, minimum: int, *, returns: bool) -> FloatArray:
    """A part of the rows at a time, after the rows that its windows reach back to: what it works in stays small."""
    rows, symbols = values.shape
    out = np.empty((rows, symbols))
    step = max(8 * bars, PART // max(1, symbols))
    cells = min(rows, step + bars) * symbols
    squares, zeroed, known = np.empty(cells), np.empty(cells), np.empty(cells, dtype=np.int64)
    for begin in range(0, rows, step):
        first, stop = max(0, begin - bars), min(rows, begin + step)
        part, skip = values[first:stop].reshape(-1), (begin - first) * symbols
        if returns:
            _squared_returns(part, symbols, squares)
            part = squares[: part.size]
        _estimate(part, symbols, bars, minimum, skip, returns, zeroed, known, out[begin:stop].reshape(-1))
    return out
