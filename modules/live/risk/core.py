"""The decision on an order, on the account of `holdings.py`. No clock, no disk, no socket.

What it approves it counts at once as if it would fill; what comes back from the venue moves it from open to held.
"""

from __future__ import annotations

import math
from typing import Final

from modules.engine.accounting import EXACT_LIMIT, MICROS
from modules.live.risk import layout as at
from modules.live.risk.held import MODES
from modules.live.risk.holdings import Holdings
from modules.live.risk.intent import Day, Instrument, Intent, Mode, Open, RiskCoreError, Ruling
from modules.live.risk.kernel import judge
from modules.live.risk.rules import FLATTENING, Answer, Rule
from modules.live.risk.sums import passed

__all__ = ["Day", "Instrument", "Intent", "Mode", "RiskCore", "RiskCoreError", "Ruling"]

MOST_ORDERS: Final = 2_000_000
"""Client ids that are remembered in a day; no order passes beyond."""

_MOST_LOTS: Final = 2**53
_ANSWERS: Final = tuple(Answer)
_RULES: Final = tuple(Rule)
_LIMITED: Final = frozenset({"limit", "stop_limit"})


class RiskCore(Holdings):
    """One account and the decision on its orders. Not to be shared between threads."""

    # --- what is asked ------------------------------------------------------------------------------

    def ask(self, intent: Intent) -> Ruling:
        """Rule on an order; what goes out is counted as open until `done` or filled."""
        ruling = self.look(intent)
        if ruling.goes_out:
            passed(self._ints, self._floats, self._strategies, self._limits)
            row = self._rows[intent.symbol]
            self._seen.add(intent.client_id)
            self._opened(Open(intent, row, ruling.allowed_lots))
        return ruling

    def look(self, intent: Intent) -> Ruling:
        """What `ask` would say; nothing is counted."""
        self._write(intent)
        try:
            answer = judge(self._ints, self._floats, self._strategies, self._limits)
        except OverflowError:
            return Ruling(Answer.REJECT, Rule.ORDER_VALUE, 0, EXACT_LIMIT / MICROS, math.inf)
        ints, floats = self._order_ints, self._order_floats
        return Ruling(
            _ANSWERS[answer], _RULES[ints[at.RULE]], ints[at.ALLOWED], floats[at.ANSWER_LIMIT], floats[at.ANSWER_VALUE]
        )

    def _write(self, intent: Intent) -> None:
        """Put the order into row 1, its names turned into whether they are known."""
        limits, row = self.limits, self._order_ints
        row[at.INSTRUMENT] = self._rows.get(intent.symbol, at.FIRST - 1) - at.FIRST
        row[at.ASKED] = intent.lots if abs(intent.lots) < _MOST_LOTS else 0
        row[at.TYPE_OK] = intent.order_type in limits.order_types
        row[at.TIF_OK] = intent.time_in_force in limits.times_in_force
        row[at.NOW] = intent.now_ns
        row[at.STRATEGY] = self._numbers.get(intent.strategy, -1)
        row[at.VENUE_OK] = intent.venue in limits.venues
        row[at.ORDER_MODE] = MODES.get(intent.mode, 0)
        row[at.BUILD_OK] = intent.build == self.build
        row[at.PARENT_LEFT] = intent.parent_left
        row[at.DUPLICATE_OF] = intent.client_id in self._seen or len(self._seen) >= MOST_ORDERS
        row[at.IS_LIMIT] = intent.order_type in _LIMITED
        self._order_floats[at.LIMIT_PRICE] = intent.limit_price

    def must_flatten(self) -> bool:
        """Whether the day's loss or fall has reached its limit."""
        if not self.instruments:
            return False
        first = self.instruments[0].symbol
        probe = Intent("", "", first, 1, "", self.mode, self.build, 0)
        return self.look(probe).rule in FLATTENING
