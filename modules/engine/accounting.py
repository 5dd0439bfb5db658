"""Money as integers: the conversion, and the state and logs that the bar loop writes.

Cash, notionals and fees are int64 micro-units (1e-6 of the currency); quantities are int64 lots. Both stay
below `EXACT_LIMIT` = 2**53, where a float64 product still names one integer; totals stay below 2**62.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modules.engine.estimates import Estimates
from modules.jit import inlined
from modules.memory import empty, zeros
from modules.panel import FloatArray, IntArray

MICROS: Final = 1_000_000.0
EXACT_LIMIT: Final = 9_007_199_254_740_992.0  # 2**53 micros, about 9.0 billion of the currency
TOTAL_LIMIT: Final = 4_611_686_018_427_387_904  # 2**62
FEW: Final = 8  # symbols or fills; so few are worked out one after the other
EXACT_SUMS: Final = 128  # so many times four exact amounts cannot pass int64
Int32Array = NDArray[np.int32]
Int8Array = NDArray[np.int8]

# Slots of Book.totals
CASH: Final = 0
NAV: Final = 1
DAY_NAV: Final = 2
NEXT_ORDER: Final = 3
FILLS: Final = 4
UNPRICED: Final = 5
FAULT_ROW: Final = 6
FAULT_SYMBOL: Final = 7
UNFILLED: Final = 8
PENDING: Final = 9  # orders decided and not yet filled or expired, at most
BELOW_LOT: Final = 10  # targets worth less than one lot
ACTED: Final = 11  # corporate actions on positions
PARTIAL: Final = 12  # fills of less than what was ordered
OUTSIDE: Final = 13  # targets on symbols outside the universe
TOTALS: Final = 14


class EngineError(ValueError):
    """The engine refuses its input. Names the field, the value, the rule and the remedy."""


class EngineOverflowError(EngineError):
    """An amount left the range in which int64 micro-units are exact."""


class Events(NamedTuple):
    """Corporate actions: those of bar t are `first[t] : first[t + 1]`, by column. A ratio is `new` for `old` shares."""

    first: IntArray  # [T + 1]
    symbol: IntArray
    new: IntArray
    old: IntArray
    dividend: FloatArray  # currency a new share
    delisting: FloatArray  # return on the last price; NaN = not delisted


class Market(NamedTuple):
    """What the loop may read of one account's market. Rows of estimates and `day_scale` at t use bars <= t."""

    ts: IntArray  # [T] ns UTC
    fill: FloatArray  # [T, N] price at which an order of the bar before fills; NaN = no fill
    close: FloatArray  # [T, N]
    estimates: Estimates  # volatility and volume
    day_scale: FloatArray  # [T] sigma of a bar times this = sigma of a day
    lot_size: FloatArray  # [N] shares a lot
    segment: IntArray  # [T] row of `sectors` in force
    sectors: IntArray  # [S, N] sector number
    sequence: IntArray  # [N] symbol columns in order of their names
    busy: FloatArray  # [T, N] volume in shares that fills of bar t may take their share of; [0, N] without a cap
    member: FloatArray  # [T, N] 0 = outside the universe; [0, N] where nobody says
    events: Events


class Terms(NamedTuple):
    """Rates (fractions, not bps) and limits (fractions of NAV)."""

    half_spread: float
    commission: float
    impact_k: float
    borrow_year: float
    max_instrument: float
    max_sector: float
    max_daily_loss: float
    max_trade_risk: float
    min_order: float  # micros; smaller orders are not sent unless they close a position
    commission_share: float = 0.0  # micros a share
    commission_trade: float = 0.0  # micros a fill
    commission_least: float = 0.0  # micros a fill, at least
    permanent_gamma: float = 0.0
    funding_year: float = 0.0
    participation: float = 0.0  # share of `Market.busy` that a fill may take; 0 = no cap
    rests: float = 0.0  # 1: what the cap left over stays ordered


class Book(NamedTuple):
    """The account between two bars: everything a restart needs."""

    lots: IntArray  # [N]
    mark: FloatArray  # [N] last known price, NaN = never priced
    value: IntArray  # [N] micros at the mark
    pending: IntArray  # [N] lots to fill at the next bar
    pending_id: IntArray  # [N]
    pending_leans: IntArray  # [N] 1 = allowed in room that other pending orders are to free in its sector
    sector_gross: IntArray  # [sectors] micros, sum of |value|
    totals: IntArray  # [TOTALS]
    day_loss: FloatArray  # [1] worst loss since the day began, fraction of the day's first NAV


class Room(NamedTuple):
    """Where a bar works: nothing in it lasts."""

    asked: IntArray  # [N] lots that targets ask for
    line: IntArray  # [2, N] columns of the orders that shrink a position, and of the others
    committed: IntArray  # [sectors] micros
    stuck: IntArray  # [sectors] 1 = an order that was to free room there found no price
    shares: FloatArray  # [N] of each fill
    sigma: FloatArray  # [N]
    adv: FloatArray  # [N]


class BarLog(NamedTuple):
    """One row a bar, micros."""

    nav: IntArray
    cash: IntArray
    commission: IntArray
    spread: IntArray
    impact: IntArray
    borrow: IntArray
    funding: IntArray
    dividends: IntArray  # cash received, less what shorts paid
    settled: IntArray  # cash for lots that splits and delistings took away
    traded: IntArray
    long: IntArray
    short: IntArray
    lots: IntArray  # [T, N]

    @property
    def positions(self) -> IntArray:
        """What is held is worth: long less short."""
        return self.long - self.short


class ActionLog(NamedTuple):
    """One row an action on a position, money in micros."""

    row: Int32Array
    symbol: Int32Array
    kind: Int8Array
    before: IntArray
    after: IntArray
    price: FloatArray  # split, delisting: at which lots became cash; dividend: cash a share
    cash: IntArray


class OrderLog(NamedTuple):
    """One row an order, in the order of decision; the index is the order id."""

    row: Int32Array
    symbol: Int32Array
    asked: IntArray
    allowed: IntArray
    decision: Int8Array
    rule: Int8Array
    limit: FloatArray
    value: FloatArray


class FillLog(NamedTuple):
    """One row a fill."""

    order: IntArray
    row: Int32Array
    symbol: Int32Array
    lots: IntArray
    price: FloatArray
    notional: IntArray
    commission: IntArray
    spread: IntArray
    impact: IntArray


@inlined
def segment_at(t: int, market: Market) -> int:
    """The row of `market.sectors` in force at bar t; where there is only one, no memory is read."""
    return 0 if market.sectors.shape[0] == 1 else int(market.segment[t])


@inlined
def micros(lots: int, lot_size: float, price: float) -> int:
    """Signed notional in micro-units: rint(((lots * lot_size) * price) * 1e6), halves to even.

    Raises OverflowError outside +-2**53 (and on NaN).
    """
    amount = np.rint(float(lots) * lot_size * price * MICROS)
    if not abs(amount) < EXACT_LIMIT:
        raise OverflowError("amount outside 2**53 micro-units")
    return int(amount)


@inlined
def fee(amount: int, rate: float) -> int:
    """Fee in micro-units on an absolute amount: rint(amount * rate); never negative for rate >= 0."""
    charged = np.rint(float(amount) * rate)
    if not abs(charged) < EXACT_LIMIT:
        raise OverflowError("fee outside 2**53 micro-units")
    return int(charged)


@inlined
def add(total: int, amount: int) -> int:
    """Sum of two amounts. Raises OverflowError beyond 2**62."""
    result = total + amount
    if result > TOTAL_LIMIT or result < -TOTAL_LIMIT:
        raise OverflowError("total outside 2**62 micro-units")
    return result


def new_book(symbols: int, sectors: int, cash_micros: int) -> Book:
    """An account that holds only cash."""
    totals = np.zeros(TOTALS, dtype=np.int64)
    totals[CASH] = totals[NAV] = totals[DAY_NAV] = cash_micros
    return Book(
        lots=np.zeros(symbols, dtype=np.int64),
        mark=np.full(symbols, np.nan),
        value=np.zeros(symbols, dtype=np.int64),
        pending=np.zeros(symbols, dtype=np.int64),
        pending_id=np.zeros(symbols, dtype=np.int64),
        pending_leans=np.zeros(symbols, dtype=np.int64),
        sector_gross=np.zeros(sectors, dtype=np.int64),
        totals=totals,
        day_loss=np.zeros(1),
    )


def new_room(book: Book) -> Room:
    """Room for the bars of an account."""
    symbols, sectors = book.lots.size, book.sector_gross.size
    return Room(
        np.zeros(symbols, np.int64),
        np.zeros((2, symbols), np.int64),
        np.zeros(sectors, np.int64),
        np.zeros(sectors, np.int64),
        np.zeros(symbols),
        np.zeros(symbols),
        np.zeros(symbols),
    )


def new_bar_log(rows: int, symbols: int) -> BarLog:
    """A log of `rows` bars, all 0, whose pages are only touched when written.

    What every bar writes (NAV, cash, longs and lots) holds nothing before its bar: pages used before do for that.
    """

    def column(name: str) -> IntArray:
        shape = (rows, symbols) if name == "lots" else (rows,)
        always = name in ("nav", "cash", "long", "lots")
        return empty(shape).view(np.int64) if always else zeros(shape)

    return BarLog._make(map(column, BarLog._fields))


def new_order_log(capacity: int) -> OrderLog:
    """Room for `capacity` orders; pages are only touched when written."""
    i32, i8 = np.dtype(np.int32), np.dtype(np.int8)
    return OrderLog(
        row=np.empty(capacity, i32),
        symbol=np.empty(capacity, i32),
        asked=np.empty(capacity, np.int64),
        allowed=np.empty(capacity, np.int64),
        decision=np.empty(capacity, i8),
        rule=np.empty(capacity, i8),
        limit=np.empty(capacity),
        value=np.empty(capacity),
    )


def new_fill_log(capacity: int) -> FillLog:
    """Room for `capacity` fills; pages are only touched when written."""
    i32 = np.dtype(np.int32)
    return FillLog(
        order=np.empty(capacity, np.int64),
        row=np.empty(capacity, i32),
        symbol=np.empty(capacity, i32),
        lots=np.empty(capacity, np.int64),
        price=np.empty(capacity),
        notional=np.empty(capacity, np.int64),
        commission=np.empty(capacity, np.int64),
        spread=np.empty(capacity, np.int64),
        impact=np.empty(capacity, np.int64),
    )
