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
from modules.engine.exchange.plain import kernel
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


@kernel
def advance(a: IntArray, r: FloatArray, e: IntArray) -> int:
    """Run to the next callback that the strategy wants; its kind, or END, DRAIN (empty the logs) or FAULT."""
    if a[f.H_STARTED] == 0:
        start(a, r, e)
        return f.START
    if a[f.H_OUTBOX] > 0:
        send_all(a, r)
    rows, mask = a[f.H_ROWS], a[f.H_MASK]
    row, seen = a[f.H_EXCHANGE_ROW], a[f.H_LOCAL_ROW]
    ring = a[f.H_RING] - 1
    kind = 0
    while True:
        if a[f.H_DRAIN] != 0:
            kind = f.DRAIN
            break
        if a[f.H_FAULT] != 0:
            kind = f.FAULT
            break
        if a[f.H_NOTICE_HEAD] != a[f.H_NOTICE_TAIL]:
            kind = deliver_notice(a)
            if (mask >> kind) & 1:
                break
            continue
        local = e[f.E_LOCAL_NS, seen] if seen < rows else f.NEVER
        public = e[f.E_EXCHANGE_NS, row] if row < rows else f.NEVER
        head = a[f.H_RESPONSE_HEAD]
        back = f.NEVER
        if head != a[f.H_RESPONSE_TAIL]:
            back = a[a[f.H_RESPONSES] + (head & ring) * f.RESPONSE + f.R_TIME]
        head = a[f.H_REQUEST_HEAD]
        if head != a[f.H_REQUEST_TAIL] and seen < rows:
            due = a[a[f.H_REQUESTS] + (head & ring) * f.REQUEST + f.Q_TIME]
            if due <= public and due <= back and due <= local and due <= a[f.H_TIMER]:
                arrive(a, r)
                continue
        if public <= local and public <= back and public <= a[f.H_TIMER]:
            if row >= rows:  # nothing is left at all
                kind = f.END
                break
            happen(a, r, e, row)
            row += 1
        elif back <= local and back <= a[f.H_TIMER]:
            kind = deliver(a, r)
            if (mask >> kind) & 1 or kind == f.FAULT:
                break
        elif local <= a[f.H_TIMER]:
            kind = see(a, r, e, seen)
            seen += 1
            if (mask >> kind) & 1:
                break
        elif seen < rows:
            follow_clock(a, r, a[f.H_TIMER])
            a[f.H_TIMER] = f.NEVER
            kind = f.ON_TIMER
            if (mask >> kind) & 1:
                break
        else:
            a[f.H_TIMER] = f.NEVER  # no event is left that a timer could wait for
    a[f.H_EXCHANGE_ROW], a[f.H_LOCAL_ROW] = row, seen
    a[f.H_KIND] = kind
    a[f.H_TIME] = a[f.H_NOW]
    return kind
