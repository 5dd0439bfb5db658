"""Answers on their way in: an order's known state, fills in the account, and what the strategy is called with."""

from __future__ import annotations

from modules.engine.accounting import add
from modules.engine.exchange import layout as f
from modules.engine.exchange.account import day_loss, follow_clock, revalue
from modules.engine.exchange.desk import flatten
from modules.engine.exchange.orders import Event, is_live
from modules.engine.exchange.plain import inlined, kernel
from modules.engine.exchange.venue import FAULT_UNKNOWN_ORDER, fault, step_state
from modules.panel import FloatArray, IntArray

_FILL_PART, _FILL_LAST, _REPLACE = int(Event.FILL_PART), int(Event.FILL_LAST), int(Event.REPLACE)
_CANCEL_REFUSED, _REPLACE_REFUSED = int(Event.CANCEL_REFUSED), int(Event.REPLACE_REFUSED)


@inlined
def _log_fill(a: IntArray, m: int, now: int) -> None:
    at = a[f.H_FILLS_AT] + a[f.H_FILLS] * f.FILL
    a[at + f.L_ID] = a[m + f.R_ID]
    a[at + f.L_EXCHANGE_NS] = a[m + f.R_EXCHANGE_NS]
    a[at + f.L_TIME] = now
    a[at + f.L_SYMBOL] = a[m + f.R_SYMBOL]
    a[at + f.L_LOTS] = a[m + f.R_LOTS]
    a[at + f.L_PRICE] = a[m + f.R_PRICE]
    a[at + f.L_NOTIONAL] = a[m + f.R_NOTIONAL]
    a[at + f.L_COMMISSION] = a[m + f.R_COMMISSION]
    a[at + f.L_SPREAD] = a[m + f.R_SPREAD]
    a[at + f.L_IMPACT] = a[m + f.R_IMPACT]
    a[at + f.L_MAKER] = a[m + f.R_MAKER]
    a[f.H_FILLS] += 1
    if a[f.H_FILLS] >= a[f.H_LOG_ROWS] // 2:
        a[f.H_DRAIN] = a[f.H_STIRRED] = 1


@inlined
def _book(a: IntArray, r: FloatArray, m: int) -> None:
    """A fill in the account: lots, cash less costs, value, NAV."""
    symbol = a[m + f.R_SYMBOL]
    s = f.symbol_at(symbol)
    notional = a[m + f.R_NOTIONAL]
    paid = -notional - a[m + f.R_COMMISSION] - a[m + f.R_SPREAD] - a[m + f.R_IMPACT]
    a[f.H_CASH] = add(a[f.H_CASH], paid)
    a[f.H_NAV] = add(a[f.H_NAV], paid)
    a[s + f.S_LOTS] += a[m + f.R_LOTS]
    if a[s + f.S_MARK2] == 0:
        a[s + f.S_MARK2] = 2 * a[m + f.R_PRICE]
    revalue(a, r, symbol)
    a[f.H_COMMISSION] += a[m + f.R_COMMISSION]
    a[f.H_SPREAD] += a[m + f.R_SPREAD]
    a[f.H_IMPACT] += a[m + f.R_IMPACT]
    a[f.H_TRADED] += abs(notional)


@inlined
def release(a: IntArray, o: int, lots: int) -> None:
    """Lots of an order that no longer work."""
    s = f.symbol_at(a[o + f.O_SYMBOL])
    a[s + (f.S_WORK_BUY if a[o + f.O_SIDE] > 0 else f.S_WORK_SELL)] -= lots
    a[o + f.O_WORK] -= lots


@inlined
def _log_end(a: IntArray, m: int, o: int, now: int) -> None:
    at = a[f.H_CLOSED_AT] + a[f.H_CLOSED] * f.CLOSED
    a[at + f.C_ID] = a[o + f.O_ID]
    a[at + f.C_TIME] = now
    a[at + f.C_STATE] = a[o + f.O_KNOWN_STATE]
    a[at + f.C_REASON] = a[m + f.R_REASON]
    a[at + f.C_FILLED] = a[o + f.O_KNOWN_FILLED]
    a[f.H_CLOSED] += 1
    if a[f.H_CLOSED] >= a[f.H_LOG_ROWS] // 2:
        a[f.H_DRAIN] = a[f.H_STIRRED] = 1


@kernel
def check_loss(a: IntArray, r: FloatArray) -> None:
    """Close everything once the day's loss has reached its limit."""
    if a[f.H_HALTED] == 0 and day_loss(a) >= r[f.F_MAX_DAILY_LOSS]:
        a[f.H_HALTED] = 1
        flatten(a, r)


@kernel
def deliver(a: IntArray, r: FloatArray) -> int:
    """The oldest answer reaches the strategy; returns the kind of callback."""
    m = a[f.H_RESPONSES] + (a[f.H_RESPONSE_HEAD] & (a[f.H_RING] - 1)) * f.RESPONSE
    a[f.H_RESPONSE_HEAD] += 1
    now, event = a[m + f.R_TIME], a[m + f.R_EVENT]
    follow_clock(a, r, now)
    o = f.order_at(a, a[m + f.R_SLOT])
    if a[o + f.O_ID] != a[m + f.R_ID]:
        fault(a, FAULT_UNKNOWN_ORDER, a[m + f.R_ID], f.NONE, event)
        return f.FAULT
    step_state(a, o, f.O_KNOWN_STATE, event)
    filled = event in (_FILL_PART, _FILL_LAST)
    if filled:
        lots = abs(a[m + f.R_LOTS])
        a[o + f.O_KNOWN_FILLED] += lots
        release(a, o, min(lots, a[o + f.O_WORK]))
        _log_fill(a, m, now)
        _book(a, r, m)
    elif event == _REPLACE:
        a[o + f.O_ASKED_REPLACE] = 0
        release(a, o, a[o + f.O_WORK] - (a[m + f.R_LOTS] - a[o + f.O_KNOWN_FILLED]))
    elif event == _REPLACE_REFUSED:
        a[o + f.O_ASKED_REPLACE] = 0
        if is_live(a[o + f.O_KNOWN_STATE]):
            release(a, o, a[o + f.O_WORK] - (a[o + f.O_LOTS] - a[o + f.O_KNOWN_FILLED]))
    elif event == _CANCEL_REFUSED:
        a[o + f.O_ASKED_CANCEL] = 0
    ended = not is_live(a[o + f.O_KNOWN_STATE])
    if ended and event != _CANCEL_REFUSED and event != _REPLACE_REFUSED:
        release(a, o, a[o + f.O_WORK])
        _log_end(a, m, o, now)
    if a[f.H_HALTED] == 1:
        if ended or filled:
            flatten(a, r)
    else:
        check_loss(a, r)
    a[f.H_SYMBOL] = a[m + f.R_SYMBOL]
    a[f.H_ORDER] = a[m + f.R_ID]
    a[f.H_EVENT] = event
    a[f.H_LOTS] = a[m + f.R_LOTS]
    a[f.H_PRICE] = a[m + f.R_PRICE]
    a[f.H_MAKER] = a[m + f.R_MAKER]
    a[f.H_REASON] = a[m + f.R_REASON]
    return f.ON_FILL if filled else f.ON_ORDER


@kernel
def deliver_notice(a: IntArray) -> int:
    """The oldest notice of something that never left; returns the kind of callback."""
    m = a[f.H_NOTICES] + (a[f.H_NOTICE_HEAD] & (a[f.H_RING] - 1)) * f.RESPONSE
    a[f.H_NOTICE_HEAD] += 1
    a[f.H_SYMBOL] = a[m + f.R_SYMBOL]
    a[f.H_ORDER] = a[m + f.R_ID]
    a[f.H_EVENT] = a[m + f.R_EVENT]
    a[f.H_REASON] = a[m + f.R_REASON]
    a[f.H_LOTS] = 0
    a[f.H_PRICE] = 0
    return f.ON_ORDER
