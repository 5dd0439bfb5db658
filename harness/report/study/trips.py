"""Round trips: from no position to no position. A fill that turns a position round ends one trip and begins the next.

1. What all trips earned, those still open at their last price included, is what the account earned, but for borrow and
   funding, which are charged on the account and belong to no fill.
2. A fill that crosses zero is shared between its two trips by lots, its fees alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report.book import Book, Moves
from modules.panel import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Trips:
    """One entry a round trip, in order of its end. Money in the currency, after fees, before borrow and funding."""

    symbol: IntArray  # [K]
    side: IntArray  # [K] 1 long, -1 short
    opened: IntArray  # [K] ns
    closed: IntArray  # [K] ns; of an open trip, the last bar
    open: np.ndarray[tuple[int], np.dtype[np.bool_]]
    bars: IntArray  # [K] from the bar of the first fill to that of the last
    bought: FloatArray  # [K] what the larger side of the trip was worth: paid in for a long, taken in for a short
    fees: FloatArray  # [K]
    profit: FloatArray  # [K]

    @property
    def count(self) -> int:
        """Trips, open ones included."""
        return int(self.symbol.size)

    @property
    def returns(self) -> FloatArray:
        """Profit over what was put in."""
        out = np.zeros(self.profit.size)
        np.divide(self.profit, self.bought, out=out, where=self.bought > 0.0)
        return out


@dataclass(frozen=True)
class TripFigures:
    """Of the trips that ended, on one side or both. Money in the currency; None where there are none."""

    side: str
    count: int
    still_open: int
    won: float | None
    mean_return: float | None
    median_return: float | None
    mean_win: float | None
    mean_loss: float | None
    payoff: float | None  # mean win over mean loss
    profit_factor: float | None  # all wins over all losses
    median_bars: float | None
    profit: float
    fees: float


def round_trips(book: Book) -> Trips:
    """Every trip of the account."""
    moves = book.moves
    order = np.lexsort((np.arange(moves.symbol.size), moves.symbol))
    if not order.size:
        none, whole = np.empty(0), np.empty(0, dtype=np.int64)
        return Trips(whole, whole, whole, whole, np.empty(0, dtype=np.bool_), whole, none, none, none)
    legs = _legs(moves, order)
    first = legs.before == 0.0
    trip = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], first.size) - 1
    left = legs.after[ends]
    symbol = legs.symbol[starts]
    side = np.sign(legs.after[starts]).astype(np.int64)
    entered = np.where(np.sign(legs.paid) == side[trip], np.abs(legs.paid), 0.0)
    paid, fees, cash, into = (_total(trip, w) for w in (legs.paid, legs.fees, legs.cash, entered))
    held = np.where(left != 0.0, book.value[-1, symbol], 0.0)
    closed = np.where(left != 0.0, book.ts[-1], legs.ts[ends])
    row = np.searchsorted(book.ts, legs.ts[starts]), np.searchsorted(book.ts, closed)
    by_end = np.lexsort((symbol, legs.ts[starts], closed))
    return Trips(
        symbol=symbol[by_end],
        side=side[by_end],
        opened=legs.ts[starts][by_end],
        closed=closed[by_end],
        open=(left != 0.0)[by_end],
        bars=(row[1] - row[0])[by_end],
        bought=into[by_end],
        fees=fees[by_end],
        profit=(cash - paid - fees + held)[by_end],
    )


def _total(trip: IntArray, amounts: FloatArray) -> FloatArray:
    return np.add.reduceat(amounts, np.flatnonzero(np.diff(trip, prepend=-1)))


@dataclass(frozen=True, eq=False)
class _Legs:
    """Moves of one symbol after the other, none of which crosses zero."""

    ts: IntArray
    symbol: IntArray
    before: FloatArray
    after: FloatArray
    paid: FloatArray
    fees: FloatArray
    cash: FloatArray


def _legs(moves: Moves, order: IntArray) -> _Legs:
    ts, symbol, lots = moves.ts[order], moves.symbol[order], moves.lots[order]
    begins = np.flatnonzero(np.diff(symbol, prepend=-1))
    total = np.cumsum(lots)
    base = np.repeat(total[begins] - lots[begins], np.diff(np.append(begins, lots.size)))
    after = total - base
    before = after - lots
    crossing = before * after < 0.0
    share = np.where(crossing, np.abs(before) / np.where(lots == 0.0, 1.0, np.abs(lots)), 1.0)
    twice = np.repeat(np.arange(lots.size), np.where(crossing, 2, 1))
    second = np.flatnonzero(np.diff(twice, prepend=-1) == 0)
    part = share[twice]
    part[second] = 1.0 - share[twice[second]]
    low, high = before[twice].copy(), after[twice].copy()
    low[second] = 0.0
    high[second - 1] = 0.0
    paid, fees, cash = (getattr(moves, n)[order][twice] * part for n in ("paid", "fees", "cash"))
    return _Legs(ts[twice], symbol[twice], low, high, paid, fees, cash)


def trip_figures(trips: Trips) -> tuple[TripFigures, ...]:
    """All trips, longs, shorts."""
    sides = (("all", np.ones(trips.count, dtype=np.bool_)), ("long", trips.side > 0), ("short", trips.side < 0))
    return tuple(_figures(name, trips, mask) for name, mask in sides)


def _figures(side: str, trips: Trips, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> TripFigures:
    done = mask & ~trips.open
    profit, returns = trips.profit[done], trips.returns[done]
    wins, losses = profit[profit > 0.0], profit[profit < 0.0]
    both = wins.size > 0 and losses.size > 0
    return TripFigures(
        side=side,
        count=int(done.sum()),
        still_open=int((mask & trips.open).sum()),
        won=float((profit > 0.0).mean()) if profit.size else None,
        mean_return=float(returns.mean()) if profit.size else None,
        median_return=float(np.median(returns)) if profit.size else None,
        mean_win=float(wins.mean()) if wins.size else None,
        mean_loss=float(losses.mean()) if losses.size else None,
        payoff=float(wins.mean() / -losses.mean()) if both else None,
        profit_factor=float(wins.sum() / -losses.sum()) if both else None,
        median_bars=float(np.median(trips.bars[done])) if profit.size else None,
        profit=float(profit.sum()),
        fees=float(trips.fees[done].sum()),
    )


def extremes(trips: Trips, count: int) -> tuple[IntArray, IntArray]:
    """Places of the `count` best and of the `count` worst ended trips by profit, most extreme first."""
    done = np.flatnonzero(~trips.open)
    ranked = done[np.argsort(trips.profit[done], kind="stable")]
    worst = ranked[trips.profit[ranked] < 0.0][:count]
    best = ranked[trips.profit[ranked] > 0.0][::-1][:count]
    return best, worst
