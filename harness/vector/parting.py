"""The first bar at which two accounts part, and the order or fill behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.vector.frictionless import Traded
from modules.engine.accounting import MICROS
from modules.engine.result import DECISIONS, RULES
from modules.panel import FloatArray, IntArray, iso


@dataclass(frozen=True)
class OrderSeen:
    """An order of the later account; sizes in shares."""

    order_id: int
    time: str
    asked: float
    allowed: float
    decision: str
    rule: str


@dataclass(frozen=True)
class FillSeen:
    """A fill; `of_nav` is its signed notional over the first NAV, costs are in basis points of its notional."""

    time: str
    shares: float
    price: float
    of_nav: float
    cost_bps: float


@dataclass(frozen=True)
class Parting:
    """Bar, difference in NAV there (in basis points of the first NAV), and the symbol that makes most of it.

    `before` and `after` are the symbol's last fill up to that bar in the two accounts. All None where no one symbol is
    behind it, or where an account has no fills to show.
    """

    time: str
    difference_bps: float
    symbol: str | None = None
    order: OrderSeen | None = None
    before: FillSeen | None = None
    after: FillSeen | None = None


def first_row_apart(before: FloatArray, after: FloatArray, tolerance: float) -> int | None:
    """First row at which two NAVs differ by more than `tolerance` (relative); None where they never do."""
    apart = np.flatnonzero(np.abs(after / before - 1.0) > tolerance)
    return int(apart[0]) if apart.size else None


def first_parting(
    ts: IntArray, row: int, before_nav: FloatArray, after_nav: FloatArray, before: Traded | None, after: Traded | None
) -> Parting:
    """What is behind the difference at `row` of the accounts."""
    time, difference = iso(int(ts[row])), float(after_nav[row] - before_nav[row]) * 1e4
    if before is None or after is None or before is after:
        return Parting(time, difference)
    earned = _earned(after, row) - _earned(before, row)
    symbol = int(np.argmax(np.abs(earned)))
    if earned[symbol] == 0.0:
        return Parting(time, difference)
    return Parting(
        time=time,
        difference_bps=difference,
        symbol=after.account.symbols[symbol],
        order=_order(after, row, symbol),
        before=_fill(before, row, symbol),
        after=_fill(after, row, symbol),
    )


def _earned(traded: Traded, row: int) -> FloatArray:
    """`[N]` what each symbol brought to NAV at `row`: change of value less what was paid, over first NAV."""
    a = traded.account
    fills = a.fills
    here = fills.row == row + a.start
    value = _value(traded, row)
    earned = value - _value(traded, row - 1) if row > 0 else value
    paid = fills.notional[here] + fills.commission[here] + fills.spread[here] + fills.impact[here]
    np.subtract.at(earned, fills.symbol[here], paid.astype(np.float64))
    today = a.acts.row == row + a.start
    np.add.at(earned, a.acts.symbol[today], a.acts.cash[today].astype(np.float64))
    made: FloatArray = earned / float(a.bars.nav[0])
    return made


def _value(traded: Traded, row: int) -> FloatArray:
    """`[N]` micros at the marks of `row`."""
    a = traded.account
    close = traded.close[: a.start + row + 1]
    known = ~np.isnan(close)
    last = np.where(known.any(axis=0), known.shape[0] - 1 - np.argmax(known[::-1], axis=0), 0)
    mark = close[last, np.arange(close.shape[1])]
    held = a.bars.lots[row].astype(np.float64)
    value: FloatArray = np.where(held == 0.0, 0.0, held * traded.lot_size * mark * MICROS)
    return value


def _order(traded: Traded, row: int, symbol: int) -> OrderSeen | None:
    """The symbol's last order that could have filled by `row`."""
    a = traded.account
    found = np.flatnonzero((a.orders.symbol == symbol) & (a.orders.row < row + a.start))
    if not found.size:
        return None
    k, lot = int(found[-1]), float(traded.lot_size[symbol])
    return OrderSeen(
        order_id=k,
        time=iso(int(a.ts[a.orders.row[k] - a.start])),
        asked=float(a.orders.asked[k]) * lot,
        allowed=float(a.orders.allowed[k]) * lot,
        decision=DECISIONS[int(a.orders.decision[k])],
        rule=RULES[int(a.orders.rule[k])],
    )


def _fill(traded: Traded, row: int, symbol: int) -> FillSeen | None:
    """The symbol's last fill at or before `row`."""
    a = traded.account
    found = np.flatnonzero((a.fills.symbol == symbol) & (a.fills.row <= row + a.start))
    if not found.size:
        return None
    k = int(found[-1])
    f = a.fills
    costs = float(f.commission[k] + f.spread[k] + f.impact[k])
    return FillSeen(
        time=iso(int(a.ts[f.row[k] - a.start])),
        shares=float(f.lots[k]) * float(traded.lot_size[symbol]),
        price=float(f.price[k]),
        of_nav=float(f.notional[k]) / float(a.bars.nav[0]),
        cost_bps=costs / abs(float(f.notional[k])) * 1e4 if f.notional[k] else 0.0,
    )
