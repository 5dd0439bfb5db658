"""Reference weights of a signal: dollar-neutral ranks, shared by backtest and size.

Weights are centred ranks (ties get their mean rank) over the symbols with a signal and a price, scaled as a whole
so that sum |w| <= gross, |w| <= cap and the gross of each sector <= sector cap. One scale for all keeps the sum at
zero and the proportions of the ranks. Rank sums are exact in float64, so weights do not depend on column order.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from modules.engine.instruments import InstrumentAxes
from modules.jit import kernel
from modules.panel import FloatArray, IntArray
from modules.sorting import sort

SMALL_CELLS: Final = 100_000  # below, a second thread is not worth its start


class Ranking(NamedTuple):
    """Room for the ranks of up to n values, `[n]` each."""

    sorted: FloatArray
    order: IntArray
    spare: FloatArray
    spare_order: IntArray
    ranks: FloatArray


@kernel
def new_ranking(n: int) -> Ranking:
    """Room for up to `n` values."""
    return Ranking(np.empty(n), np.empty(n, np.int64), np.empty(n), np.empty(n, np.int64), np.empty(n))


@kernel
def rank(values: FloatArray, room: Ranking) -> FloatArray:
    """Ranks 1..n of `values` (no NaN), ties sharing their mean rank; they stand in `room.ranks` until the next call."""
    n = values.size
    known, order, ranks = room.sorted, room.order, room.ranks
    for i in range(n):
        known[i] = values[i]
        order[i] = i
    sort(known, order, n, room.spare, room.spare_order)
    a = 0
    while a < n:
        b = a + 1
        while b < n and known[b] == known[a]:
            b += 1
        for k in range(a, b):
            ranks[order[k]] = 0.5 * float(a + b - 1) + 1.0
        a = b
    return ranks[:n]


@kernel
def average_ranks(values: FloatArray) -> FloatArray:
    """As `rank`, in room of its own."""
    return rank(values, new_ranking(values.size))


@kernel
def _rank_weights(
    signal: FloatArray,
    close: FloatArray,
    segment: IntArray,
    sectors: IntArray,
    sector_count: int,
    gross: float,
    cap: float,
    sector_cap: float,
    begin: int,
    end: int,
    out: FloatArray,
) -> None:
    symbols = signal.shape[1]
    index = np.empty(symbols, dtype=np.int64)
    picked = np.empty(symbols)
    by_sector = np.empty(sector_count)
    room = new_ranking(symbols)
    for t in range(begin, end):
        now, price, group, target = signal[t], close[t], sectors[segment[t]], out[t]
        n = 0
        for i in range(symbols):
            if now[i] == now[i] and price[i] > 0.0:
                index[n] = i
                picked[n] = now[i]
                n += 1
        if n < 2:
            continue
        ranks = rank(picked[:n], room)
        middle = 0.5 * float(n + 1)
        total = 0.0
        largest = 0.0
        by_sector[:] = 0.0
        for k in range(n):
            size = abs(ranks[k] - middle)
            total += size
            largest = max(largest, size)
            by_sector[group[index[k]]] += size
        if largest == 0.0:
            continue
        scale = min(gross / total, cap / largest, sector_cap / by_sector.max())
        for k in range(n):
            target[index[k]] = (ranks[k] - middle) * scale


def rank_weights(
    signal: FloatArray, close: FloatArray, axes: InstrumentAxes, *, gross: float, cap: float, sector_cap: float
) -> FloatArray:
    """Target weights `[T, N]`: long the highest signals, short the lowest, sum 0.

    0 where signal or price is missing, and for a whole row with fewer than two known symbols or only ties.
    """
    out = np.zeros(signal.shape)
    rows = signal.shape[0]

    def work(begin: int, end: int) -> None:
        _rank_weights(
            signal, close, axes.segment, axes.sectors, len(axes.names), gross, cap, sector_cap, begin, end, out
        )

    if out.size < SMALL_CELLS:
        work(0, rows)
    else:  # a row knows nothing of another, so who does it changes no bit
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, (0, rows // 2), (rows // 2, rows)))
    return out


@kernel
def trailing_average(weights: FloatArray, bars: int) -> FloatArray:
    """Mean of the last `bars` rows up to and including t (fewer at the beginning), summed oldest first."""
    rows, symbols = weights.shape
    out = np.zeros((rows, symbols))
    for t in range(rows):
        first = max(0, t - bars + 1)
        for s in range(first, t + 1):
            for i in range(symbols):
                out[t, i] += weights[s, i]
        for i in range(symbols):
            out[t, i] /= float(t + 1 - first)
    return out


@kernel
def hold_within_band(targets: FloatArray, known: FloatArray, band: float) -> FloatArray:
    """Keep a symbol's held target unless the new one differs by more than `band`; then take the new one whole.

    Path dependent by nature: the first row holds nothing before it. A symbol whose `known` is NaN gets 0 at once, so
    that nothing is held on knowledge that is gone.
    """
    rows, symbols = targets.shape
    out = np.zeros((rows, symbols))
    held = np.zeros(symbols)
    for t in range(rows):
        for i in range(symbols):
            if known[t, i] != known[t, i]:
                held[i] = 0.0
            elif abs(targets[t, i] - held[i]) > band:
                held[i] = targets[t, i]
            out[t, i] = held[i]
    return out


@kernel
def applied_volatility(weights: FloatArray, close: FloatArray, bars: int) -> FloatArray:
    """Volatility per bar that the weights of row t would have had over the last `bars` returns, `[T]`.

    Root mean square of sum_i w[t, i] * r[s, i] for s in (t - bars, t]: the covariance enters through the returns
    themselves (historical simulation), no matrix is estimated. Missing returns count as 0; NaN before `bars` rows.
    """
    rows, symbols = weights.shape
    out = np.full(rows, np.nan)
    returns = np.zeros((rows, symbols))
    for t in range(1, rows):
        for i in range(symbols):
            r = close[t, i] / close[t - 1, i] - 1.0
            returns[t, i] = r if r == r else 0.0
    for t in range(bars, rows):
        square = 0.0
        for s in range(t - bars + 1, t + 1):
            total = 0.0
            for i in range(symbols):
                total += weights[t, i] * returns[s, i]
            square += total * total
        out[t] = np.sqrt(square / float(bars))
    return out
