"""The account as the strategy knows it: positions, marks, NAV, the day's loss, and the logs.

Cash, values and fees are int64 micros from `modules/engine/accounting.py`. A mark is the middle of the known bid and
ask, kept in half ticks so that it is exact; without a book, the last trade or close.
"""

from __future__ import annotations

from modules.engine.accounting import add, micros
from modules.engine.exchange import layout as f
from modules.engine.exchange.plain import inlined, kernel
from modules.panel import FloatArray, IntArray

DAY_NS = 86_400_000_000_000


@kernel
def price_of(r: FloatArray, symbol: int, ticks: float) -> float:
    """Ticks as a price: one multiplication and one division, so 113 ticks of 0.01 are 1.13 to the bit."""
    at = f.F_HEAD + symbol * f.F_SYMBOL
    return float(ticks * r[at + f.F_NUMERATOR] / r[at + f.F_DENOMINATOR])


@kernel
def worth(r: FloatArray, symbol: int, lots: int, ticks: float) -> int:
    """Signed micros of some lots at a price in ticks."""
    return micros(lots, r[f.F_HEAD + symbol * f.F_SYMBOL + f.F_LOT_SIZE], price_of(r, symbol, ticks))


@inlined
def take_mark(a: IntArray, r: FloatArray, symbol: int, mark2: int) -> None:
    """Value a position at a new mark (half ticks) and carry NAV with it."""
    s = f.symbol_at(symbol)
    if a[s + f.S_MARK2] == mark2:
        return
    a[s + f.S_MARK2] = mark2
    if a[s + f.S_LOTS] != 0:
        revalue(a, r, symbol)


@kernel
def revalue(a: IntArray, r: FloatArray, symbol: int) -> None:
    """NAV and the day's low after a change of a position, its mark or cash."""
    s = f.symbol_at(symbol)
    value = 0
    if a[s + f.S_LOTS] != 0:
        value = worth(r, symbol, a[s + f.S_LOTS], 0.5 * float(a[s + f.S_MARK2]))
    a[f.H_NAV] = add(a[f.H_NAV], value - a[s + f.S_VALUE])
    a[s + f.S_VALUE] = value
    if a[f.H_NAV] < a[f.H_DAY_LOW]:
        a[f.H_DAY_LOW] = a[f.H_NAV]


@inlined
def day_loss(a: IntArray) -> float:
    """The worst loss since the UTC day began, as a fraction of the NAV it began with."""
    if a[f.H_DAY_NAV] <= 0:
        return 0.0
    return 1.0 - float(a[f.H_DAY_LOW]) / float(a[f.H_DAY_NAV])


@kernel
def begin_day(a: IntArray, r: FloatArray, now: int) -> None:
    """A new UTC day: its first NAV is the last one known. A halt ends with the day."""
    a[f.H_HALTED] = 0
    a[f.H_DAY_END] = (now // DAY_NS + 1) * DAY_NS
    a[f.H_DAY_NAV] = a[f.H_NAV]
    a[f.H_DAY_LOW] = a[f.H_NAV]
    # a little above the NAV at which the limit is reached, so that the exact test is made near it alone
    a[f.H_DAY_ALERT] = (
        int(float(a[f.H_NAV]) * (1.0 - 0.999999 * r[f.F_MAX_DAILY_LOSS])) if a[f.H_NAV] > 0 else -f.NO_ASK
    )


@kernel
def log_nav(a: IntArray, time: int) -> None:
    """One row of the NAV log, and costs counted anew."""
    at = a[f.H_NAVS_AT] + a[f.H_NAVS] * f.NAV_ROW
    long = 0
    short = 0
    for symbol in range(a[f.H_SYMBOLS]):
        value = a[f.symbol_at(symbol) + f.S_VALUE]
        if value > 0:
            long += value
        else:
            short -= value
    a[at + f.N_TIME] = time
    a[at + f.N_NAV] = a[f.H_NAV]
    a[at + f.N_CASH] = a[f.H_CASH]
    a[at + f.N_POSITIONS] = long - short
    a[at + f.N_COMMISSION] = a[f.H_COMMISSION]
    a[at + f.N_SPREAD] = a[f.H_SPREAD]
    a[at + f.N_IMPACT] = a[f.H_IMPACT]
    a[at + f.N_TRADED] = a[f.H_TRADED]
    a[at + f.N_LONG] = long
    a[at + f.N_SHORT] = short
    for k in (f.H_COMMISSION, f.H_SPREAD, f.H_IMPACT, f.H_TRADED):
        a[k] = 0
    a[f.H_NAVS] += 1
    if a[f.H_NAVS] >= a[f.H_LOG_ROWS] // 2:
        a[f.H_DRAIN] = a[f.H_STIRRED] = 1


@kernel
def follow_clock(a: IntArray, r: FloatArray, now: int) -> None:
    """Before anything at `now` is booked: a NAV row at each boundary passed, and the turn of the UTC day."""
    if now >= a[f.H_NAV_NEXT]:
        every = a[f.H_NAV_EVERY]
        boundary = now // every * every
        log_nav(a, boundary)
        a[f.H_NAV_NEXT] = boundary + every
    if now >= a[f.H_DAY_END]:
        begin_day(a, r, now)
    a[f.H_NOW] = now
