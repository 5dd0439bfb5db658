"""Where a resting order stands in its queue, from what the data show of the level.

Lots ahead are those displayed at the price when the order arrived. Trades at the price take from the front. A fall of
the displayed lots that trades do not explain is cancellations, of which ahead**p / (ahead**p + behind**p) were ahead
(E. Rigtorp, "Estimating order queue position", 2013, with f(x) = x**p: p = 1 spreads them evenly, a larger p puts
more of them into the longer part). A new lot joins behind. The part ahead is rounded down to lots, so an order never
gains by rounding. On level 1 a price behind the best is not displayed: its queue is UNSEEN until the best comes to it.
"""

from __future__ import annotations

import math

from modules.engine.exchange import layout as f
from modules.engine.exchange.plain import kernel
from modules.mathematics import power
from modules.panel import FloatArray, IntArray


@kernel
def cancelled_ahead(cancelled: int, ahead: int, behind: int, exponent: float) -> int:
    """How many of `cancelled` lots were ahead; at most `ahead`, and no more are behind than `behind`."""
    if behind <= 0 or ahead <= 0:
        return min(cancelled, ahead)
    front, back = float(ahead), float(behind)
    if exponent != 1.0:
        # the ratio first: powers of the lots themselves might overflow
        back = power(back / front, exponent)
        front = 1.0
    part = math.floor(float(cancelled) * (front / (front + back)))
    return int(min(max(int(part), cancelled - behind), ahead))


@kernel
def level_changed(a: IntArray, r: FloatArray, o: int, before: int, lots: int) -> None:
    """The displayed lots at a resting order's price went from `before` to `lots`."""
    ahead = a[o + f.O_AHEAD]
    if ahead > 0:
        cancelled = before - lots - a[o + f.O_TRADED]
        if cancelled > 0:
            behind = before - a[o + f.O_TRADED] - ahead
            ahead -= cancelled_ahead(cancelled, ahead, max(0, behind), r[f.F_QUEUE_POWER])
        a[o + f.O_AHEAD] = min(ahead, lots)
    a[o + f.O_TRADED] = 0


@kernel
def traded_at(a: IntArray, o: int, lots: int) -> int:
    """Lots traded at a resting order's price; returns how many of them reach the order."""
    ahead = a[o + f.O_AHEAD]
    taken = min(ahead, lots)
    a[o + f.O_AHEAD] = ahead - taken
    a[o + f.O_TRADED] += lots
    return int(lots - taken)
