"""The account that vectorbt keeps of target weights: `Portfolio.from_orders` with shared cash.

It sizes, fills and values by itself; only the targets and the prices are shared with the bar engine. An order decided
at bar t fills at bar t+1 (`price[t + 1]`), for the target times the NAV at the last marks (`val_price`), as the engine
decides it; so what is compared is two implementations of one convention.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from modules.panel import FloatArray, IntArray, Panel, iso

VECTOR_CAPITAL: Final = 1e9
"""Cash that vectorbt begins with. Its tolerances are absolute below 1e-12 shares, so shares must be many."""

CASH_FLOOR: Final = 1e-9
"""Least share of NAV that must stay in cash: below it vectorbt, which lends nothing, cuts orders."""


class VectorError(ValueError):
    """The vector layer cannot keep this account. Names the bar and the remedy."""


@dataclass(frozen=True)
class VectorTerms:
    """What a trade costs, as a fraction of its notional: all that vectorbt can charge as the engine does."""

    fees: float = 0.0


@dataclass(frozen=True, eq=False)
class VectorAccount:
    """NAV and turnover at each bar, as multiples of the first NAV, and the number of fills."""

    ts: IntArray
    nav: FloatArray
    turnover: FloatArray
    fills: int

    def returns(self) -> FloatArray:
        """NAV over NAV of the bar before, less one; 0 on the first bar."""
        out = np.zeros(self.nav.size)
        out[1:] = self.nav[1:] / self.nav[:-1] - 1.0
        return out


def vector_nav(bars: Panel, weights: FloatArray, fill: FloatArray, terms: VectorTerms | None = None) -> VectorAccount:
    """vectorbt's account of `weights` [T, N] on the rows of `bars`, all capital in cash at the first.

    `fill[t]` is the price at which what was decided at t - 1 fills; NaN = it does not. A bar without a close decides
    nothing. Raises VectorError where cash runs out or the account is lost, which vectorbt treats otherwise than the
    engine.
    """
    return vector_navs(bars, weights[None], fill, terms)[0]


def vector_navs(
    bars: Panel, weights: FloatArray, fill: FloatArray, terms: VectorTerms | None = None
) -> list[VectorAccount]:
    """As `vector_nav` for many accounts at once: `weights` is [K, T, N], a group of columns an account."""
    count, rows, symbols = weights.shape
    close = bars["close"]
    size = np.full((rows, count, symbols), np.nan)
    size[1:] = np.where(np.isnan(close[:-1])[:, None, :], np.nan, weights[:, :-1].transpose(1, 0, 2))
    marks = _last_known(close)
    before = np.full(close.shape, np.nan)
    before[1:] = marks[:-1]
    close, price, valued = (_across(x, count) for x in (marks, fill, before))
    navs, cash, records = _kept(close, size.reshape(rows, -1), price, valued, count, (terms or VectorTerms()).fees)
    _refuse_what_differs(bars, navs, cash)
    traded, fills = _traded(records, (rows, count), symbols)
    made = []
    for k in range(count):
        turnover = np.zeros(rows)
        turnover[1:] = traded[1:, k] / navs[:-1, k]
        made.append(VectorAccount(bars.ts, navs[:, k] / VECTOR_CAPITAL, turnover, int(fills[k])))
    return made


def _kept(
    close: FloatArray, size: FloatArray, price: FloatArray, valued: FloatArray, groups: int, fees: float
) -> tuple[FloatArray, FloatArray, Any]:
    """NAV [T, K], cash [T, K] and the fills, as vectorbt keeps them. `valued` are the prices that sizes go by."""
    import modules.jit  # noqa: F401  # sets up the compiler, which vectorbt loads too

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of vectorbt and its dependencies, about each other
        import vectorbt as vbt

        portfolio = vbt.Portfolio.from_orders(
            close,
            size=size,
            size_type="targetpercent",
            direction="both",
            price=price,
            val_price=valued,
            fees=fees,
            init_cash=VECTOR_CAPITAL,
            cash_sharing=True,
            group_by=np.repeat(np.arange(groups), close.shape[1] // groups),
            call_seq="auto",  # sales first, so that they pay for what is bought
            update_value=False,  # all orders of a bar were decided on one NAV
            ffill_val_price=True,
            freq="1D",
        )
        navs, cash = (np.asarray(x).reshape(-1, groups) for x in (portfolio.value(), portfolio.cash()))
        return navs, cash, portfolio.orders.records


def _traded(
    records: np.ndarray[tuple[int], np.dtype[np.void]], shape: tuple[int, int], symbols: int
) -> tuple[FloatArray, IntArray]:
    """Notional traded by bar and account, and fills by account."""
    traded = np.zeros(shape)
    account = records["col"].astype(np.int64) // symbols
    np.add.at(traded, (records["idx"].astype(np.int64), account), records["size"] * records["price"])
    return traded, np.bincount(account, minlength=shape[1]).astype(np.int64)


def _refuse_what_differs(bars: Panel, navs: FloatArray, cash: FloatArray) -> None:
    for what, broken in (
        ("NAV fell to zero or below", ~(navs > 0.0)),
        ("cash ran out, which vectorbt does not lend and the engine does", cash <= CASH_FLOOR * navs),
    ):
        if broken.any():
            row = int(np.flatnonzero(broken.any(axis=1))[0])
            raise VectorError(f"{what} at {iso(int(bars.ts[row]))}; targets whose sum stays below 1 keep some cash")


def _last_known(values: FloatArray) -> FloatArray:
    """Each value, or the last known one before it."""
    known = ~np.isnan(values)
    index = np.maximum.accumulate(np.where(known, np.arange(values.shape[0])[:, None], 0), axis=0)
    found: FloatArray = np.take_along_axis(values, index, axis=0)
    return found


def _across(values: FloatArray, count: int) -> FloatArray:
    return np.ascontiguousarray(np.tile(values, (1, count)))
