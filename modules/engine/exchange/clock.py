"""One step of time: whatever is next happens, until something concerns the strategy.

At one instant the order is: requests that reach the exchange, events of the stream at the exchange, answers that reach
the strategy, events that the strategy sees, its timer. So what it sends at an instant finds only what comes after.
"""

from __future__ import annotations

from modules.engine.exchange import layout as f
from modules.engine.exchange.account import begin_day, follow_clock, log_nav
from modules.engine.exchange.booking import deliver, deliver_notice
from modules.engine.exchange.desk import send_all
from modules.engine.exchange.exchange import arrive, happen
from modules.engine.exchange.plain import inlined, kernel
from modules.engine.exchange.sight import see
from modules.panel import FloatArray, IntArray


@kernel
def start(a: IntArray, r: FloatArray, e: IntArray) -> None:
    """Set the clocks to the first event and log the capital."""
    first = e[f.E_LOCAL_NS, 0]
    a[f.H_STARTED] = 1
    a[f.H_NOW] = first
    a[f.H_NAV_NEXT] = (first // a[f.H_NAV_EVERY] + 1) * a[f.H_NAV_EVERY]
    begin_day(a, r, first)
    log_nav(a, first)


@inlined
def wanted(mask: int, kind: int) -> int:
    """The kind, or 0 where the strategy has not asked for it."""
    return kind if (mask >> kind) & 1 else 0


@inlined
def next_request(a: IntArray) -> int:
    """When the oldest request under way reaches the exchange."""
    head = a[f.H_REQUEST_HEAD]
    if head == a[f.H_REQUEST_TAIL]:
        return f.NEVER
    return int(a[(a[f.H_REQUESTS] + (head & (a[f.H_RING] - 1)) * f.REQUEST + f.Q_TIME) & f.PLACES])


@inlined
def next_answer(a: IntArray) -> int:
    """When the oldest answer under way reaches the strategy."""
    head = a[f.H_RESPONSE_HEAD]
    if head == a[f.H_RESPONSE_TAIL]:
        return f.NEVER
    return int(a[(a[f.H_RESPONSES] + (head & (a[f.H_RING] - 1)) * f.RESPONSE + f.R_TIME) & f.PLACES])


@kernel
def advance(a: IntArray, r: FloatArray, e: IntArray) -> int:
    """Run to the next callback that the strategy wants; its kind, or END, DRAIN (empty the logs) or FAULT."""
    if a[f.H_STARTED] == 0:
        start(a, r, e)
        if (a[f.H_MASK] >> f.START) & 1:
            a[f.H_KIND] = f.START
            return f.START
    if a[f.H_OUTBOX] > 0:
        send_all(a, r)
    rows, mask = a[f.H_ROWS], a[f.H_MASK]
    row, seen = a[f.H_EXCHANGE_ROW], a[f.H_LOCAL_ROW]
    a[f.H_STIRRED] = 1
    due = back = timer = before_public = before_local = 0
    kind = 0
    while kind == 0:
        if a[f.H_STIRRED] != 0:  # a message of our own was sent, or something needs attention
            if a[f.H_NOTICE_HEAD] != a[f.H_NOTICE_TAIL]:
                kind = wanted(mask, deliver_notice(a))
                continue
            if a[f.H_DRAIN] != 0 or a[f.H_FAULT] != 0:
                kind = f.DRAIN if a[f.H_FAULT] == 0 else f.FAULT
                continue
            a[f.H_STIRRED] = 0
            due, back, timer = next_request(a), next_answer(a), a[f.H_TIMER]
            if seen >= rows:
                due = timer = f.NEVER  # without an event to come there is neither a market nor a clock
            before_public = min(due - 1, back, timer)
            before_local = min(due - 1, back - 1, timer)
        local = e[f.E_LOCAL_NS, seen & f.PLACES] if seen < rows else f.NEVER
        public = e[f.E_EXCHANGE_NS, row & f.PLACES] if row < rows else f.NEVER
        if public <= local and public <= before_public and row < rows:
            happen(a, r, e, row)
            row += 1
        elif local < public and local <= before_local:
            kind = wanted(mask, see(a, r, e, seen))
            seen += 1
            if seen >= rows:
                a[f.H_STIRRED] = 1
        else:
            a[f.H_STIRRED] = 1
            if due < f.NEVER and due <= min(back, timer):
                arrive(a, r)
            elif back < f.NEVER and back <= timer:
                kind = wanted(mask, deliver(a, r))
            elif timer < f.NEVER:
                follow_clock(a, r, timer)
                a[f.H_TIMER] = f.NEVER
                kind = wanted(mask, f.ON_TIMER)
            else:
                kind = f.END
    a[f.H_EXCHANGE_ROW], a[f.H_LOCAL_ROW] = row, seen
    a[f.H_KIND] = kind
    return kind
