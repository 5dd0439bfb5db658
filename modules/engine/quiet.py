"""Bars at which one symbol is held, or nothing is, and nobody orders: most of the bars of most strategies.

What the loop would do to such a bar is to mark it. Here that is all that is done, in a kernel small enough to keep the
account in registers; the bits are those of the long way (`tests/modules/engine/test_engine_strategy.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modules.engine.accounting import (
    CASH,
    DAY_NAV,
    FAULT_ROW,
    NAV,
    PENDING,
    BarLog,
    Book,
    Market,
    Terms,
    add,
    micros,
)
from modules.engine.marking import DAY_NS
from modules.jit import around, inlined
from modules.panel import FloatArray, IntArray


@inlined
def is_quiet(market: Market, terms: Terms, book: Book) -> bool:
    """Whether there is one symbol, time costs it nothing, no action can take place and no order waits."""
    if book.lots.size != 1 or market.events.symbol.size > 0 or market.member.shape[0] > 0:
        return False
    accrues = terms.funding_year > 0.0 or (terms.borrow_year > 0.0 and book.lots[0] < 0)
    return not accrues and book.totals[PENDING] == 0


def quiet_bars(decide: Callable[..., None]) -> Callable[..., int]:
    """The kernel for a strategy."""

    def mark(
        t: int,
        stop: int,
        origin: int,
        ts: IntArray,
        closes: FloatArray,
        lot_size: float,
        max_daily_loss: float,
        book: Book,
        bars: BarLog,
        signals: FloatArray,
        account: tuple[FloatArray, ...],
        parameters: FloatArray,
        memory: FloatArray,
        targets: FloatArray,
    ) -> int:
        """Mark bars from t on and show them to the strategy, while it asks for nothing and the day's loss is allowed.

        Returns the bar that is marked and decided and whose orders are to be made; `stop` where there is none.
        """
        totals, to_nav, to_cash = book.totals, bars.nav, bars.cash
        to_long, to_short, to_lots = bars.long, bars.short, bars.lots
        lots, cash, nav, first_nav = book.lots[0], totals[CASH], totals[NAV], totals[DAY_NAV]
        price, loss, value = book.mark[0], book.day_loss[0], 0
        day_begins = ts[t - 1] // DAY_NS * DAY_NS if t > origin else ts[t] + 1
        while t < stop:
            at, row = np.uint64(t), np.uint64(t - origin)  # unsigned: nothing asks whether they count from the end
            totals[FAULT_ROW] = t
            if closes[at, 0] > 0.0:
                price = closes[at, 0]
                book.mark[0] = price
            if lots != 0:
                value = micros(lots, lot_size, price)
            book.value[0] = value
            if not day_begins <= ts[at] < day_begins + DAY_NS:
                day_begins, first_nav, loss = ts[at] // DAY_NS * DAY_NS, nav, 0.0
            nav = add(cash, value)
            if first_nav > 0:
                loss = max(loss, 1.0 - float(nav) / float(first_nav))
            to_nav[row], to_cash[row], to_lots[row, 0] = nav, cash, lots
            to_long[row] = max(0, value)
            if value < 0:
                to_short[row] = -value
            decide(signals[at], account, nav, parameters, memory, targets)
            weight = targets[0]
            if loss >= max_daily_loss or not (weight != weight or (weight == 0.0 and lots == 0)):
                break
            t += 1
        totals[NAV], totals[DAY_NAV], book.day_loss[0] = nav, first_nav, loss
        return t

    return around(mark, decide)
