"""Orders on their way out: checked, decided by risk, logged and sent.

An order is decided on what the account could become: the position with all lots of its side that are under way or at
work. Its price counts as the mark or, where that is higher, its limit. Every other symbol of its sector counts with the
largest position that it might come to hold. A reduced order leaves with what is allowed. Once the day's loss is
reached, every order is cancelled and every position closed, and only what closes leaves until the UTC day ends.
"""

from __future__ import annotations

from modules.engine.accounting import add
from modules.engine.exchange import layout as f
from modules.engine.exchange.account import day_loss, price_of, worth
from modules.engine.exchange.draws import ENTRY, latency
from modules.engine.exchange.orders import Event, OrderType, Reason, State, TimeInForce, is_live
from modules.engine.exchange.plain import inlined, kernel
from modules.engine.exchange.venue import FAULT_RING_FULL, fault, step_state
from modules.engine.risk import Decision, decide
from modules.panel import FloatArray, IntArray

ENGINE_CLIENT = -1  # client id of the orders by which a reached loss limit closes positions
_MOST = 1 << 50  # lots or ticks of one order
_SEND, _REJECT = int(Event.SEND), int(Event.REJECT)
_CANCEL_REFUSED, _REPLACE_REFUSED = int(Event.CANCEL_REFUSED), int(Event.REPLACE_REFUSED)
_MARKET, _LIMIT = int(OrderType.MARKET), int(OrderType.LIMIT)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_GTC, _DAY = int(TimeInForce.GTC), int(TimeInForce.DAY)
_NONE, _SENT, _REJECTED = int(State.NONE), int(State.SENT), int(State.REJECTED)
_REFUSE, _FLATTEN = int(Decision.REJECT), int(Decision.FLATTEN)
_OK, _UNKNOWN_SYMBOL, _BAD_QUANTITY = int(Reason.NONE), int(Reason.UNKNOWN_SYMBOL), int(Reason.BAD_QUANTITY)
_BAD_PRICE, _BAD_STOP, _BAD_TERMS = int(Reason.BAD_PRICE), int(Reason.BAD_STOP), int(Reason.BAD_TERMS)
_DUPLICATE, _TOO_MANY = int(Reason.DUPLICATE_CLIENT_ID), int(Reason.TOO_MANY_ORDERS)
_RISK, _UNKNOWN_ORDER = int(Reason.RISK), int(Reason.UNKNOWN_ORDER)
_TOO_LATE, _UNDER_WAY = int(Reason.TOO_LATE), int(Reason.REQUEST_UNDER_WAY)


@kernel
def notify(a: IntArray, symbol: int, order: int, event: int, reason: int) -> None:
    """Tell the strategy at once of something that never left."""
    tail = a[f.H_NOTICE_TAIL]
    if tail - a[f.H_NOTICE_HEAD] >= a[f.H_RING]:
        fault(a, FAULT_RING_FULL, order, f.NONE, event)
        return
    at = a[f.H_NOTICES] + (tail & (a[f.H_RING] - 1)) * f.RESPONSE
    a[at + f.R_ID] = order
    a[at + f.R_SYMBOL] = symbol
    a[at + f.R_EVENT] = event
    a[at + f.R_REASON] = reason
    a[f.H_NOTICE_TAIL] = tail + 1
    a[f.H_STIRRED] = 1


@kernel
def request(a: IntArray, r: FloatArray, kind: int, slot: int, price: int, lots: int) -> None:
    """Put a request on its way. Requests travel one line: a later one never overtakes."""
    tail = a[f.H_REQUEST_TAIL]
    if tail - a[f.H_REQUEST_HEAD] >= a[f.H_RING]:
        fault(a, FAULT_RING_FULL, f.NONE, f.NONE, kind)
        return
    o = f.order_at(a, slot)
    at = (a[f.H_REQUESTS] + (tail & (a[f.H_RING] - 1)) * f.REQUEST) & f.PLACES
    key = a[o + f.O_ID] * 65_536 + a[o + f.O_REQUESTS]
    a[o + f.O_REQUESTS] += 1
    delay = latency(a[f.H_ENTRY_NS], r[f.F_ENTRY_SIGMA], a[f.H_SEED], key, ENTRY)
    a[f.H_LAST_ARRIVAL] = max(a[f.H_LAST_ARRIVAL], a[f.H_NOW] + delay)
    a[at + f.Q_TIME] = a[f.H_LAST_ARRIVAL]
    a[at + f.Q_KIND] = kind
    a[at + f.Q_SLOT] = slot
    a[at + f.Q_ID] = a[o + f.O_ID]
    a[at + f.Q_PRICE] = price
    a[at + f.Q_LOTS] = lots
    a[f.H_REQUEST_TAIL] = tail + 1
    a[f.H_STIRRED] = 1


@inlined
def wrong(a: IntArray, b: int) -> int:
    """The first thing that is wrong with a new order in the outbox, or Reason.NONE."""
    kind, tif = a[b + f.B_TYPE], a[b + f.B_TIF]
    if not 0 <= a[b + f.B_SYMBOL] < a[f.H_SYMBOLS]:
        return _UNKNOWN_SYMBOL
    if not 0 < a[b + f.B_LOTS] < _MOST:
        return _BAD_QUANTITY
    if not _MARKET <= kind <= _STOP_LIMIT or not _GTC <= tif <= _DAY or abs(a[b + f.B_SIDE]) != 1:
        return _BAD_TERMS
    if kind in (_LIMIT, _STOP_LIMIT) and not 0 < a[b + f.B_PRICE] < _MOST:
        return _BAD_PRICE
    if kind in (_STOP, _STOP_LIMIT) and not 0 < a[b + f.B_STOP] < _MOST:
        return _BAD_STOP
    if a[b + f.B_POST] == 1 and (kind != _LIMIT or (tif != _GTC and tif != _DAY)):
        return _BAD_TERMS
    slots = a[f.H_SLOTS]
    if a[b + f.B_CLIENT] > 0:
        for slot in range(slots):
            o = f.order_at(a, slot)
            if a[o + f.O_CLIENT] == a[b + f.B_CLIENT] and is_live(a[o + f.O_KNOWN_STATE]):
                return _DUPLICATE
    if is_live(a[f.order_at(a, a[b + f.B_ID] & (slots - 1)) + f.O_KNOWN_STATE]):
        return _TOO_MANY
    return _OK


@inlined
def sector_others(a: IntArray, r: FloatArray, symbol: int) -> int:
    """Micros that the other symbols of a sector are worth, or would be once their orders of one side fill."""
    sector = a[f.symbol_at(symbol) + f.S_SECTOR]
    total = 0
    for other in range(a[f.H_SYMBOLS]):
        s = f.symbol_at(other)
        if other != symbol and a[s + f.S_SECTOR] == sector:
            most = max(abs(a[s + f.S_LOTS] + a[s + f.S_WORK_BUY]), abs(a[s + f.S_LOTS] - a[s + f.S_WORK_SELL]))
            if most > 0:
                total = add(total, worth(r, other, most, 0.5 * float(a[s + f.S_MARK2])))
    return total


@kernel
def rule(a: IntArray, r: FloatArray, symbol: int, asked: int, limit: int) -> tuple[int, int, int, float, float]:
    """The risk decision on `asked` signed lots; `limit` is 0 where no price binds."""
    s = f.symbol_at(symbol)
    held = a[s + f.S_LOTS] + (a[s + f.S_WORK_BUY] if asked > 0 else -a[s + f.S_WORK_SELL])
    price = 0.0
    if a[s + f.S_MARK2] > 0:
        price = price_of(r, symbol, max(0.5 * float(a[s + f.S_MARK2]), float(limit)))
    at = f.F_HEAD + symbol * f.F_SYMBOL
    decision, why, allowed, bound, value = decide(
        price,
        a[f.H_NAV],
        held,
        asked,
        r[at + f.F_LOT_SIZE],
        sector_others(a, r, symbol),
        r[at + f.F_SIGMA],
        day_loss(a),
        r[f.F_MAX_INSTRUMENT],
        r[f.F_MAX_SECTOR],
        r[f.F_MAX_DAILY_LOSS],
        r[f.F_MAX_TRADE_RISK],
    )
    if decision == _FLATTEN:  # of a strategy's order, what only closes
        if (allowed > 0) != (asked > 0):
            allowed = 0
        elif abs(asked) < abs(allowed):
            allowed = asked
    return decision, why, allowed, bound, value


@inlined
def log_order(a: IntArray, b: int, allowed: int, decision: int, why: int, reason: int) -> None:
    """A row for every order asked for."""
    at = a[f.H_OPENED_AT] + a[f.H_OPENED] * f.OPENED
    a[at + f.T_ID] = a[b + f.B_ID]
    a[at + f.T_TIME] = a[f.H_NOW]
    a[at + f.T_SYMBOL] = a[b + f.B_SYMBOL]
    a[at + f.T_ASKED] = a[b + f.B_SIDE] * a[b + f.B_LOTS]
    a[at + f.T_ALLOWED] = allowed
    a[at + f.T_DECISION] = decision
    a[at + f.T_RULE] = why
    a[at + f.T_TYPE] = a[b + f.B_TYPE]
    a[at + f.T_TIF] = a[b + f.B_TIF]
    a[at + f.T_POST] = a[b + f.B_POST]
    a[at + f.T_PRICE] = a[b + f.B_PRICE]
    a[at + f.T_STOP] = a[b + f.B_STOP]
    a[at + f.T_CLIENT] = a[b + f.B_CLIENT]
    a[at + f.T_REASON] = reason
    a[f.H_OPENED] += 1
    if a[f.H_OPENED] >= a[f.H_LOG_ROWS] // 2:
        a[f.H_DRAIN] = a[f.H_STIRRED] = 1


@inlined
def send_order(a: IntArray, r: FloatArray, b: int) -> None:
    """A new order in the outbox: check, decide, log, send."""
    symbol = a[b + f.B_SYMBOL]
    reason = wrong(a, b)
    decision, why, allowed, bound, value = _REFUSE, 0, 0, f.NAN, f.NAN
    if reason == _OK:
        kind = a[b + f.B_TYPE]
        limit = a[b + f.B_PRICE] if kind in (_LIMIT, _STOP_LIMIT) else a[b + f.B_STOP]
        decision, why, allowed, bound, value = rule(a, r, symbol, a[b + f.B_SIDE] * a[b + f.B_LOTS], limit)
        if allowed == 0:
            reason = _RISK
    bounds = f.F_HEAD + a[f.H_SYMBOLS] * f.F_SYMBOL + 2 * a[f.H_OPENED]
    r[bounds], r[bounds + 1] = bound, value
    log_order(a, b, allowed, decision, why, reason)
    if reason != _OK:
        notify(a, symbol, a[b + f.B_ID], _REJECT, reason)
        return
    slot = a[b + f.B_ID] & (a[f.H_SLOTS] - 1)
    o = f.order_at(a, slot)
    s = f.symbol_at(symbol)
    lots = abs(allowed)
    step_state(a, o, f.O_STATE, _SEND)
    step_state(a, o, f.O_KNOWN_STATE, _SEND)
    a[o + f.O_ID] = a[b + f.B_ID]
    a[o + f.O_SYMBOL] = symbol
    a[o + f.O_SIDE] = a[b + f.B_SIDE]
    a[o + f.O_TYPE] = a[b + f.B_TYPE]
    a[o + f.O_TIF] = a[b + f.B_TIF]
    a[o + f.O_POST] = a[b + f.B_POST]
    a[o + f.O_PRICE] = a[b + f.B_PRICE]
    a[o + f.O_STOP] = a[b + f.B_STOP]
    a[o + f.O_CLIENT] = a[b + f.B_CLIENT]
    a[o + f.O_LOTS] = lots
    a[o + f.O_WORK] = lots
    a[o + f.O_SEEN] = a[s + f.S_LOCAL + f.S_SEEN]
    a[o + f.O_LIST] = f.NONE
    for column in range(f.O_ZERO_FROM, f.ORDER):
        a[o + column] = 0
    a[s + (f.S_WORK_BUY if a[b + f.B_SIDE] > 0 else f.S_WORK_SELL)] += lots
    request(a, r, f.REQUEST_NEW, slot, 0, 0)


@kernel
def send_cancel(a: IntArray, r: FloatArray, order: int) -> None:
    """Ask for an order to be cancelled; refused at once where it is unknown, ended, or asked for already."""
    slot = order & (a[f.H_SLOTS] - 1)
    o = f.order_at(a, slot)
    if order < 0 or a[o + f.O_ID] != order or a[o + f.O_KNOWN_STATE] == _NONE:
        notify(a, f.NONE, order, _CANCEL_REFUSED, _UNKNOWN_ORDER)
    elif not is_live(a[o + f.O_KNOWN_STATE]):
        notify(a, a[o + f.O_SYMBOL], order, _CANCEL_REFUSED, _TOO_LATE)
    elif a[o + f.O_ASKED_CANCEL] == 1:
        notify(a, a[o + f.O_SYMBOL], order, _CANCEL_REFUSED, _UNDER_WAY)
    else:
        a[o + f.O_ASKED_CANCEL] = 1
        request(a, r, f.REQUEST_CANCEL, slot, 0, 0)


@kernel
def send_replace(a: IntArray, r: FloatArray, order: int, price: int, lots: int) -> None:
    """Ask for a new price and total. More lots or a higher price pass the risk decision first, whole or not at all."""
    slot = order & (a[f.H_SLOTS] - 1)
    o = f.order_at(a, slot)
    symbol = a[o + f.O_SYMBOL]
    if order < 0 or a[o + f.O_ID] != order or a[o + f.O_KNOWN_STATE] == _NONE:
        notify(a, f.NONE, order, _REPLACE_REFUSED, _UNKNOWN_ORDER)
        return
    reason = _OK
    extra = lots - a[o + f.O_KNOWN_FILLED] - a[o + f.O_WORK]
    if not is_live(a[o + f.O_KNOWN_STATE]):
        reason = _TOO_LATE
    elif a[o + f.O_ASKED_REPLACE] == 1 or a[o + f.O_ASKED_CANCEL] == 1:
        reason = _UNDER_WAY
    elif not 0 < lots < _MOST:
        reason = _BAD_QUANTITY
    elif not 0 < price < _MOST:
        reason = _BAD_PRICE
    elif extra > 0 or price > a[o + f.O_PRICE]:
        asked = a[o + f.O_SIDE] * max(extra, 0)
        # the lots already at work are decided again at the new price
        s = f.symbol_at(symbol)
        work = s + (f.S_WORK_BUY if a[o + f.O_SIDE] > 0 else f.S_WORK_SELL)
        asked += a[o + f.O_SIDE] * a[o + f.O_WORK]
        a[work] -= a[o + f.O_WORK]
        allowed = rule(a, r, symbol, asked, price)[2]
        a[work] += a[o + f.O_WORK]
        if allowed != asked:
            reason = _RISK
    if reason != _OK:
        notify(a, symbol, order, _REPLACE_REFUSED, reason)
        return
    if extra > 0:
        s = f.symbol_at(symbol)
        a[o + f.O_WORK] += extra
        a[s + (f.S_WORK_BUY if a[o + f.O_SIDE] > 0 else f.S_WORK_SELL)] += extra
    a[o + f.O_ASKED_REPLACE] = 1
    request(a, r, f.REQUEST_REPLACE, slot, price, lots)


@kernel
def send_all(a: IntArray, r: FloatArray) -> None:
    """Everything that the strategy put in the outbox, in its order."""
    for k in range(a[f.H_OUTBOX]):
        b = a[f.H_OUTBOXES] + k * f.OUTBOX
        kind = a[b + f.B_KIND]
        if kind == f.REQUEST_NEW:
            send_order(a, r, b)
        elif kind == f.REQUEST_CANCEL:
            send_cancel(a, r, a[b + f.B_ID])
        else:
            send_replace(a, r, a[b + f.B_ID], a[b + f.B_PRICE], a[b + f.B_LOTS])
    a[f.H_OUTBOX] = 0


@kernel
def put(a: IntArray, kind: int, order: int) -> int:
    """A new row of the outbox; returns where it stands, or -1 where the outbox is full."""
    k = a[f.H_OUTBOX]
    if k >= f.OUTBOX_ROWS:
        return f.NONE
    b = a[f.H_OUTBOXES] + k * f.OUTBOX
    a[b + f.B_KIND] = kind
    a[b + f.B_ID] = order
    a[f.H_OUTBOX] = k + 1
    return int(b)


@kernel
def flatten(a: IntArray, r: FloatArray) -> None:
    """Cancel all orders but the engine's own and close what is held beyond the lots that are closing it."""
    for slot in range(a[f.H_SLOTS]):
        o = f.order_at(a, slot)
        if is_live(a[o + f.O_KNOWN_STATE]) and a[o + f.O_CLIENT] != ENGINE_CLIENT and a[o + f.O_ASKED_CANCEL] == 0:
            send_cancel(a, r, a[o + f.O_ID])
    for symbol in range(a[f.H_SYMBOLS]):
        s = f.symbol_at(symbol)
        held = a[s + f.S_LOTS]
        lots = held - a[s + f.S_WORK_SELL] if held > 0 else -held - a[s + f.S_WORK_BUY]
        if held == 0 or lots <= 0:
            continue
        order = free_id(a)
        b = put(a, f.REQUEST_NEW, order)
        if b != f.NONE:
            fill_in(a, b, symbol, -1 if held > 0 else 1, lots, 0, _MARKET, _GTC, 0, 0, ENGINE_CLIENT)
    send_all(a, r)


@kernel
def free_id(a: IntArray) -> int:
    """The next order id whose slot no live order holds (the next one where all are held)."""
    slots = a[f.H_SLOTS]
    order = a[f.H_NEXT_ID]
    for _ in range(slots):
        if not is_live(a[f.order_at(a, order & (slots - 1)) + f.O_KNOWN_STATE]):
            break
        order += 1
    a[f.H_NEXT_ID] = order + 1
    return int(order)


@kernel
def fill_in(
    a: IntArray, b: int, symbol: int, side: int, lots: int, price: int, kind: int, tif: int, post: int, stop: int,
    client: int,
) -> None:  # fmt: skip
    """Write an order into a row of the outbox."""
    a[b + f.B_SYMBOL] = symbol
    a[b + f.B_SIDE] = side
    a[b + f.B_LOTS] = lots
    a[b + f.B_PRICE] = price
    a[b + f.B_TYPE] = kind
    a[b + f.B_TIF] = tif
    a[b + f.B_POST] = post
    a[b + f.B_STOP] = stop
    a[b + f.B_CLIENT] = client
