"""The decision on an order: one compiled function of the tables in `layout.py`; it writes nothing but its answer.

The limits that the backtest knows too are decided by the backtest's own function (`modules/engine/risk.py`), on the
position as if every open order of the order's side were filled (`sizing.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.engine.accounting import MICROS
from modules.jit import inlined, uncounted
from modules.live.risk import layout as at
from modules.live.risk.rules import Answer, Rule
from modules.live.risk.sizing import say, sized
from modules.panel import FloatArray, IntArray

_APPROVE: Final = int(Answer.APPROVE)
_REDUCE: Final = int(Answer.REDUCE)
_REJECT: Final = int(Answer.REJECT)
_FLATTEN: Final = int(Answer.FLATTEN)
_WITHIN: Final = int(Rule.WITHIN_LIMITS)
_REDUCES: Final = int(Rule.REDUCES_EXPOSURE)
_KILLED: Final = int(Rule.KILLED)
_DAILY_LOSS: Final = int(Rule.DAILY_LOSS)
_DRAWDOWN: Final = int(Rule.DRAWDOWN)
_MODE: Final = int(Rule.MODE)
_BUILD: Final = int(Rule.BUILD)
_STRATEGY: Final = int(Rule.STRATEGY)
_VENUE: Final = int(Rule.VENUE)
_INSTRUMENT: Final = int(Rule.INSTRUMENT)
_RESTRICTED: Final = int(Rule.RESTRICTED)
_MARKET_STATE: Final = int(Rule.MARKET_STATE)
_ORDER_TYPE: Final = int(Rule.ORDER_TYPE)
_TIME_IN_FORCE: Final = int(Rule.TIME_IN_FORCE)
_QUANTITY: Final = int(Rule.QUANTITY)
_LIMIT_PRICE: Final = int(Rule.LIMIT_PRICE)
_TICK: Final = int(Rule.TICK)
_PARENT: Final = int(Rule.PARENT)
_MESSAGE_RATE: Final = int(Rule.MESSAGE_RATE)
_DUPLICATE: Final = int(Rule.DUPLICATE)
_REPEATED: Final = int(Rule.REPEATED)
_REFERENCE: Final = int(Rule.REFERENCE_PRICE)
_STALE: Final = int(Rule.STALE_PRICE)
_COLLAR: Final = int(Rule.COLLAR)
_SELF_MATCH: Final = int(Rule.SELF_MATCH)
_NAV: Final = int(Rule.NAV_NOT_POSITIVE)
_ORDER_LOTS: Final = int(Rule.ORDER_LOTS)
_ORDER_VALUE: Final = int(Rule.ORDER_VALUE)
_TICK_SHARE: Final = 1e-6  # of a tick, by which a price may be off it


@inlined
def _loss(ints: IntArray) -> float:
    """The day's worst loss as a fraction of its first NAV; 0 where the day began with nothing to lose."""
    first = ints[0, at.DAY_NAV]
    return 0.0 if first <= 0 else max(0.0, 1.0 - float(ints[0, at.LEAST_NAV]) / float(first))


@inlined
def _fall(ints: IntArray) -> float:
    """The day's deepest fall from its highest NAV, as a fraction of it."""
    peak = ints[0, at.PEAK_NAV]
    return 0.0 if peak <= 0 else float(ints[0, at.DEEPEST]) / float(peak)


@inlined
def _base(ints: IntArray, row: int) -> int:
    """The position with every open order of the order's side filled."""
    return int(ints[row, at.LOTS] + (ints[row, at.OPEN_BUY] if ints[1, at.ASKED] > 0 else -ints[row, at.OPEN_SELL]))


@inlined
def _age(ints: IntArray, row: int) -> float:
    """How old the reference price is, in ns."""
    return float(ints[1, at.NOW] - ints[row, at.PRICE_TS])


@inlined
def _is_stale(age: float, limits: FloatArray) -> bool:
    """Whether a price is too old to open anything on, or as far in the future."""
    return not (age <= limits[at.L_STALE_NS] and age >= -limits[at.L_STALE_NS])


@inlined
def _refused(ints: IntArray, floats: FloatArray, limits: FloatArray, row: int) -> tuple[int, float, float]:
    """The first rule of groups 2 to 5 that refuses the order, with limit and value; `_WITHIN` where none does."""
    none = np.nan
    if ints[1, at.ORDER_MODE] != ints[0, at.MODE]:
        return _MODE, float(ints[0, at.MODE]), float(ints[1, at.ORDER_MODE])
    if ints[1, at.BUILD_OK] != 1:
        return _BUILD, none, none
    if ints[1, at.STRATEGY] < 0:
        return _STRATEGY, none, none
    if ints[1, at.VENUE_OK] != 1:
        return _VENUE, none, none
    if row < at.FIRST or row >= ints.shape[0] or ints[row, at.LISTED] != 1:
        return _INSTRUMENT, none, none
    asked, lots = ints[1, at.ASKED], ints[row, at.LOTS]
    if ints[row, at.RESTRICTED] == 1 and not (lots * asked < 0 and abs(asked) <= abs(lots)):
        return _RESTRICTED, none, none
    if ints[row, at.TRADING] != 1:
        return _MARKET_STATE, none, none
    if ints[1, at.TYPE_OK] != 1:
        return _ORDER_TYPE, none, none
    if ints[1, at.TIF_OK] != 1:
        return _TIME_IN_FORCE, none, none
    if asked == 0:
        return _QUANTITY, none, 0.0
    price = floats[1, at.LIMIT_PRICE]
    if ints[1, at.IS_LIMIT] == 1:
        if not (price > 0.0 and price < np.inf):
            return _LIMIT_PRICE, none, price
        ticks = price / floats[row, at.TICK]
        if not abs(ticks - np.rint(ticks)) <= _TICK_SHARE * max(1.0, ticks * 1e-6):
            return _TICK, floats[row, at.TICK], price
    left = ints[1, at.PARENT_LEFT]
    if left >= 0 and abs(asked) > left:
        return _PARENT, float(left), float(abs(asked))
    now = ints[1, at.NOW]
    if float(ints[0, at.MESSAGE_TAT] - now) > limits[at.L_MESSAGE_BURST_NS]:
        return _MESSAGE_RATE, limits[at.L_MESSAGE_BURST_NS], float(ints[0, at.MESSAGE_TAT] - now)
    if ints[1, at.DUPLICATE_OF] != 0:
        return _DUPLICATE, none, none
    due = ints[row, at.BUY_TAT] if asked > 0 else ints[row, at.SELL_TAT]
    if float(due - now) > limits[at.L_REPEAT_BURST_NS]:
        return _REPEATED, limits[at.L_REPEAT_BURST_NS], float(due - now)
    reference = floats[row, at.PRICE]
    if not (reference > 0.0 and reference < np.inf):
        return _REFERENCE, none, reference
    if _base(ints, row) * asked >= 0 and _is_stale(_age(ints, row), limits):  # it reduces nothing
        return _STALE, limits[at.L_STALE_NS], _age(ints, row)
    if ints[1, at.IS_LIMIT] == 1:
        away = abs(price / reference - 1.0)
        if away > limits[at.L_COLLAR]:
            return _COLLAR, limits[at.L_COLLAR], away
    own = floats[row, at.OWN_ASK] if asked > 0 else floats[row, at.OWN_BID]
    if own == own:
        crosses = ints[1, at.IS_LIMIT] != 1 or (price >= own if asked > 0 else price <= own)
        if crosses:
            return _SELF_MATCH, own, price
    return _WITHIN, none, none


@uncounted
def judge(ints: IntArray, floats: FloatArray, strategies: IntArray, limits: FloatArray) -> int:
    """Answer the order in row 1: returned, and written to that row with rule, allowed lots, limit and value.

    Where no limit spoke, limit and value are NaN.
    """
    none = np.nan
    if ints[0, at.KILLED] != 0:
        return say(ints, floats, _REJECT, _KILLED, 0, none, none)
    row = ints[1, at.INSTRUMENT] + at.FIRST
    loss, fall = _loss(ints), _fall(ints)
    if loss >= limits[at.L_DAILY_LOSS] or fall >= limits[at.L_DRAWDOWN]:
        known = row >= at.FIRST and row < ints.shape[0]
        held = ints[row, at.LOTS] if known else 0
        if loss >= limits[at.L_DAILY_LOSS]:
            return say(ints, floats, _FLATTEN, _DAILY_LOSS, -held, limits[at.L_DAILY_LOSS], loss)
        return say(ints, floats, _FLATTEN, _DRAWDOWN, -held, limits[at.L_DRAWDOWN], fall)
    rule, limit, value = _refused(ints, floats, limits, row)
    if rule != _WITHIN:
        return say(ints, floats, _REJECT, rule, 0, limit, value)
    asked = ints[1, at.ASKED]
    side, size = (1 if asked > 0 else -1), abs(asked)
    base = _base(ints, row)
    closing = min(size, abs(base)) if base * side < 0 else 0
    if closing == size:
        return say(ints, floats, _APPROVE, _REDUCES, asked, none, none)
    if _is_stale(_age(ints, row), limits):
        return say(ints, floats, _REDUCE, _STALE, side * closing, limits[at.L_STALE_NS], _age(ints, row))
    nav = ints[0, at.NAV]
    if nav <= 0:
        answer = _REJECT if closing == 0 else _REDUCE
        return say(ints, floats, answer, _NAV, side * closing, 0.0, float(nav))
    if float(size) > limits[at.L_ORDER_LOTS]:
        return say(ints, floats, _REJECT, _ORDER_LOTS, 0, limits[at.L_ORDER_LOTS], float(size))
    price = floats[row, at.PRICE]
    if ints[1, at.IS_LIMIT] == 1:
        price = max(price, floats[1, at.LIMIT_PRICE])  # what it may come to
    lot_size = floats[row, at.LOT_SIZE]
    unit = lot_size * price * MICROS
    if float(size) * unit > limits[at.L_ORDER_NAV] * float(nav):
        return say(ints, floats, _REJECT, _ORDER_VALUE, 0, limits[at.L_ORDER_NAV], float(size) * unit / float(nav))
    return sized(ints, floats, strategies, limits, row, side, size, base, closing, price)
