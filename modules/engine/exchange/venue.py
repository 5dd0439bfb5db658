"""What the exchange does to an order: answers, lists of what rests, fills with their costs, and ends.

Each symbol has four lists of orders: resting bids and asks, best price first and oldest first at a price; takers that
wait for the next event; stops. A change of state goes through the table in `orders.py`; one that the table does not
allow is a fault of the engine and stops the run.
"""

from __future__ import annotations

import numpy as np

from modules.engine.accounting import MICROS, fee
from modules.engine.costs import impact_rate
from modules.engine.exchange import layout as f
from modules.engine.exchange.account import worth
from modules.engine.exchange.draws import ANSWER, latency
from modules.engine.exchange.orders import Event, follow
from modules.engine.exchange.plain import inlined, kernel
from modules.panel import FloatArray, IntArray

FAULT_TRANSITION = 1
FAULT_UNKNOWN_ORDER = 2
FAULT_RING_FULL = 3
_FILL_PART = int(Event.FILL_PART)
_FILL_LAST = int(Event.FILL_LAST)


@kernel
def fault(a: IntArray, code: int, order: int, state: int, event: int) -> None:
    """Remember the first thing that should not be; the run stops there."""
    a[f.H_STIRRED] = 1
    if a[f.H_FAULT] == 0:
        a[f.H_FAULT] = code
        a[f.H_FAULT_ORDER] = order
        a[f.H_FAULT_STATE] = state
        a[f.H_FAULT_EVENT] = event


@inlined
def step_state(a: IntArray, o: int, column: int, event: int) -> None:
    """Take one of an order's two states over an event."""
    state = follow(a[o + column], event)
    if state == f.NONE:
        fault(a, FAULT_TRANSITION, a[o + f.O_ID], a[o + column], event)
    else:
        a[o + column] = state


@kernel
def answer(a: IntArray, r: FloatArray, slot: int, event: int, now: int, reason: int) -> int:
    """Send word of an event to the strategy; returns where the message stands.

    Answers travel one line: a later one never overtakes.
    """
    tail = a[f.H_RESPONSE_TAIL]
    if tail - a[f.H_RESPONSE_HEAD] >= a[f.H_RING]:
        fault(a, FAULT_RING_FULL, f.NONE, f.NONE, event)
        return int(a[f.H_RESPONSES])
    o = f.order_at(a, slot)
    at = (a[f.H_RESPONSES] + (tail & (a[f.H_RING] - 1)) * f.RESPONSE) & f.PLACES
    a[f.H_ANSWERS] += 1
    delay = latency(a[f.H_ANSWER_NS], r[f.F_ANSWER_SIGMA], a[f.H_SEED], a[f.H_ANSWERS], ANSWER)
    a[f.H_LAST_ANSWER] = max(a[f.H_LAST_ANSWER], now + delay)
    a[at + f.R_TIME] = a[f.H_LAST_ANSWER]
    a[at + f.R_EVENT] = event
    a[at + f.R_SLOT] = slot
    a[at + f.R_ID] = a[o + f.O_ID]
    a[at + f.R_LOTS] = 0
    a[at + f.R_EXCHANGE_NS] = now
    a[at + f.R_REASON] = reason
    a[at + f.R_SYMBOL] = a[o + f.O_SYMBOL]
    a[f.H_RESPONSE_TAIL] = tail + 1
    a[f.H_STIRRED] = 1
    return int(at)


@kernel
def unlink(a: IntArray, slot: int) -> None:
    """Take an order out of its list."""
    o = f.order_at(a, slot)
    head = a[o + f.O_LIST]
    if head == f.NONE:
        return
    before, after = a[o + f.O_PREVIOUS], a[o + f.O_NEXT]
    if before == f.NONE:
        a[head] = after
    else:
        a[f.order_at(a, before) + f.O_NEXT] = after
    if after != f.NONE:
        a[f.order_at(a, after) + f.O_PREVIOUS] = before
    a[o + f.O_LIST] = f.NONE
    a[f.symbol_at(a[o + f.O_SYMBOL]) + f.S_ACTIVE] -= 1


@kernel
def link(a: IntArray, slot: int, head: int) -> None:
    """Put an order at its place in the list whose head stands at `head`."""
    o = f.order_at(a, slot)
    s = f.symbol_at(a[o + f.O_SYMBOL])
    sign = 1 if head == s + f.S_BIDS else (-1 if head == s + f.S_ASKS else 0)
    before = f.NONE
    after = a[head]
    while after != f.NONE and (sign == 0 or sign * a[f.order_at(a, after) + f.O_PRICE] >= sign * a[o + f.O_PRICE]):
        before = after
        after = a[f.order_at(a, after) + f.O_NEXT]
    a[o + f.O_LIST] = head
    a[s + f.S_ACTIVE] += 1
    a[o + f.O_PREVIOUS] = before
    a[o + f.O_NEXT] = after
    if before == f.NONE:
        a[head] = slot
    else:
        a[f.order_at(a, before) + f.O_NEXT] = slot
    if after != f.NONE:
        a[f.order_at(a, after) + f.O_PREVIOUS] = slot


@inlined
def leaves(a: IntArray, o: int) -> int:
    """Lots of an order that the exchange has not filled."""
    return int(a[o + f.O_LOTS] - a[o + f.O_FILLED])


@kernel
def end(a: IntArray, r: FloatArray, slot: int, event: int, now: int, reason: int) -> None:
    """Cancel, expire or reject an order, and say so."""
    o = f.order_at(a, slot)
    unlink(a, slot)
    step_state(a, o, f.O_STATE, event)
    a[o + f.O_REASON] = reason
    answer(a, r, slot, event, now, reason)


@kernel
def execute(
    a: IntArray, r: FloatArray, slot: int, lots: int, ticks: int, maker: bool, beyond: int, spread: bool, now: int
) -> None:
    """Fill `lots` (above 0, at most what is left) at a price.

    Impact is charged on a taker's fill where no book is known, and on `beyond` lots of any fill; half the spread where
    `spread` says that the price does not hold it.
    """
    o = f.order_at(a, slot)
    symbol = a[o + f.O_SYMBOL]
    last = lots == leaves(a, o)
    step_state(a, o, f.O_STATE, _FILL_LAST if last else _FILL_PART)
    a[o + f.O_FILLED] += lots
    notional = worth(r, symbol, a[o + f.O_SIDE] * lots, float(ticks))
    size = abs(notional)
    at = f.F_HEAD + symbol * f.F_SYMBOL
    shares = float(lots) * r[at + f.F_LOT_SIZE]
    commission = fee(size, r[f.F_MAKER] if maker else r[f.F_TAKER])
    if r[f.F_PER_SHARE] > 0.0:
        commission += int(np.rint(shares * r[f.F_PER_SHARE] * MICROS))
    if a[o + f.O_PAID] == 0:
        a[o + f.O_PAID] = 1
        commission += int(np.rint(r[f.F_PER_ORDER] * MICROS))
    impact = 0
    if not maker and a[f.symbol_at(symbol) + f.S_SOURCE] < f.FROM_QUOTES:
        impact = fee(size, impact_rate(r[f.F_IMPACT_K], r[at + f.F_SIGMA], shares, r[at + f.F_ADV]))
    elif beyond > 0:
        part = abs(worth(r, symbol, beyond, float(ticks)))
        far = float(beyond) * r[at + f.F_LOT_SIZE]
        impact = fee(part, impact_rate(r[f.F_IMPACT_K], r[at + f.F_SIGMA], far, r[at + f.F_ADV]))
    m = answer(a, r, slot, _FILL_LAST if last else _FILL_PART, now, 0)
    a[m + f.R_LOTS] = a[o + f.O_SIDE] * lots
    a[m + f.R_PRICE] = ticks
    a[m + f.R_MAKER] = 1 if maker else 0
    a[m + f.R_NOTIONAL] = notional
    a[m + f.R_COMMISSION] = commission
    a[m + f.R_SPREAD] = fee(size, r[f.F_HALF_SPREAD]) if spread else 0
    a[m + f.R_IMPACT] = impact
    if last:
        unlink(a, slot)
