"""What trading costs: spread, commission, square-root impact and borrow, and the estimates they need.

Impact follows the square-root law, cost per unit of notional = k * sigma * sqrt(q / adv) (Almgren, Thum,
Hauptmann and Li, "Direct estimation of equity market impact", 2005; Toth et al., "Anomalous price impact",
2011), k in [0.3, 1.0]. It is charged only where volume is known; it is never guessed.

A part of the push stays: permanent impact moves the price by gamma * sigma * q / adv, linear in the size (Almgren et
al. 2005, who measure gamma = 0.314 for US stocks and an exponent of 0.89 +- 0.10; linear is also what excludes profits
from pushing a price up and down, Huberman and Stanzl 2004). The order pays half of it, the mean on the way. Marks stay
at the prices observed: what a trade did to the worth of the rest of the book is not credited, so that no account earns
by pushing its own holdings.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.accounting import EXACT_LIMIT
from modules.jit import inlined, kernel
from modules.panel import FloatArray, IntArray

BPS: Final = 1e-4
ESTIMATE_BARS: Final = 20
MINIMUM_BARS: Final = 5
BLOCK: Final = 512  # cells summed at a time
PART: Final = 65_536  # cells estimated at a time
NO_VOLUME_NOTE: Final = "impact is not modelled: no volume"


@inlined
def impact_rate(k: float, sigma: float, shares: float, adv: float) -> float:
    """Fraction of the notional: k * sigma * sqrt(shares / adv); 0 where sigma or adv is unknown or 0."""
    if not (sigma > 0.0 and adv > 0.0):
        return 0.0
    return float(k * sigma * np.sqrt(shares / adv))


@inlined
def permanent_rate(gamma: float, sigma: float, shares: float, adv: float) -> float:
    """Fraction of the notional: half of gamma * sigma * shares / adv; 0 where sigma or adv is unknown or 0."""
    if not (sigma > 0.0 and adv > 0.0):
        return 0.0
    return float(0.5 * gamma * sigma * (shares / adv))


@inlined
def scheduled(by_value: int, shares: float, a_share: float, a_trade: float, least: float) -> int:
    """Commission in micros: by value, by share and by fill together, at least `least`."""
    charged = np.rint(shares * a_share + a_trade)
    if not charged < EXACT_LIMIT:
        raise OverflowError("fee outside 2**53 micro-units")
    return max(by_value + int(charged), int(least))


@inlined
def most_lots(share: float, volume: float, lot_size: float) -> int:
    """The most lots that are at most `share` of `volume` shares; 0 where volume is unknown."""
    room = share * volume
    most = np.floor(room / lot_size)
    if not most > 0.0:
        return 0
    lots = int(min(most, EXACT_LIMIT))
    while lots > 0 and float(lots) * lot_size > room:
        lots -= 1
    return lots


@kernel
def still_bars(close: FloatArray) -> FloatArray:
    """Bars up to and including row t over which the close has not moved since it last did, `[T, N]`; 0 at a move.

    A missing bar moves nothing and is counted.
    """
    rows, symbols = close.shape
    out = np.zeros((rows, symbols))
    last = np.full(symbols, np.nan)
    for t in range(rows):
        for i in range(symbols):
            if close[t, i] == close[t, i] and close[t, i] != last[i]:
                last[i] = close[t, i]
            elif last[i] == last[i]:
                out[t, i] = out[t - 1, i] + 1.0
    return out


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
        result = out[begin:stop].reshape(-1)
        _known_cells(part, symbols, bars, known, zeroed)
        _trailing_sums(zeroed[: part.size], symbols, bars, skip, result)
        _means(known[skip:], minimum, returns, result)
    return out
