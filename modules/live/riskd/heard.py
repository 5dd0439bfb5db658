"""What the venue says moves the account: twice, in any order, after the end, or of orders that nobody here knows."""

from __future__ import annotations

import math
from typing import Final

from modules.live.messages import (
    Ask,
    Busted,
    BuyingPower,
    Cancelled,
    Corrected,
    Expired,
    Filled,
    Lost,
    Marked,
    Moved,
    RefusedByVenue,
    Restated,
    Trading,
    VenueNews,
)
from modules.live.risk.core import Intent, RiskCore, RiskCoreError

_MOST: Final = 2**53
_MOST_REMARKS: Final = 1_000
Execution = tuple[int, int, int]
"""Signed lots, signed value, fee (micros)."""


class Tracked:
    """One order: what was let out, and its executions by id."""

    __slots__ = ("day", "ended", "fills", "firm", "lots", "strategy", "symbol", "voided")

    def __init__(self, strategy: str | None, symbol: str, lots: int, day: int) -> None:
        self.strategy, self.symbol, self.lots, self.day = strategy, symbol, lots, day
        self.fills: dict[str, Execution] = {}
        self.voided: frozenset[str] = frozenset()
        self.firm: frozenset[str] = frozenset()
        """Executions whose figures were corrected: an older message does not change them back."""
        self.ended = False

    @property
    def executed(self) -> int:
        """Signed lots of all executions, those taken back as well."""
        return sum(lots for lots, _, _ in self.fills.values())

    @property
    def left(self) -> int:
        """Signed lots that may fill yet."""
        left = self.lots - self.executed
        return left if left * self.lots > 0 and not self.ended else 0


class Heard:
    """The risk core's account with the orders behind its figures, as news move it."""

    def __init__(self, core: RiskCore) -> None:
        self.core = core
        self.orders: dict[str, Tracked] = {}
        self.remarks: list[str] = []
        self.doubts: list[str] = []
        """What news brought that only the venue, asked, can explain."""
        self.today = 0
        self.buying_power_said = False
        self._cash_of_ns = -1

    # --- what went out -------------------------------------------------------------------------------

    def sent(self, ask: Ask, lots: int) -> None:
        """An order that the core has counted as open goes out."""
        self.orders[ask.client_id] = Tracked(ask.strategy, ask.symbol, lots, self.today)

    def resumed(self, ask: Ask, lots: int, at_ns: int) -> None:
        """An order that went out before a restart, or that closes the account: counted without a ruling."""
        self.sent(ask, lots)
        try:
            self.core.resume(intent_of(ask, self.core, at_ns), lots)
        except RiskCoreError as error:
            self._remark(str(error))

    # --- what is heard -------------------------------------------------------------------------------

    def hear(self, news: VenueNews) -> None:
        """Take in what a venue said. Never raises, whatever it said; what is odd is a remark or a doubt."""
        if not _possible(news):
            self.doubts.append(f"figures that cannot be: {news}"[:200])
            return
        try:
            self._take_in(news)
        except (RiskCoreError, OverflowError) as error:  # sums left what is exact: the venue's report decides
            self.doubts.append(f"{type(news).__name__}: {error}")

    def _take_in(self, news: VenueNews) -> None:
        if isinstance(news, Marked):
            self._mark(news)
        elif isinstance(news, Filled):
            self._filled(news)
        elif isinstance(news, Corrected):
            self._corrected(news)
        elif isinstance(news, Busted):
            self._busted(news.client_id, news.exec_id, news.ts_ns)
        elif isinstance(news, Cancelled | Expired | RefusedByVenue):
            self._ended(news.client_id)
        elif isinstance(news, Lost):
            self.doubts.append(f"the outcome of {news.client_id} is not known: {news.reason}")
        elif isinstance(news, Moved):
            self._moved(news)
        elif isinstance(news, Restated):
            self._restated(news)
        elif isinstance(news, BuyingPower):
            self.buying_power_said = True
            self.core.buying_power(news.micros)
        elif isinstance(news, Trading) and self.core.knows(news.symbol):
            self.core.trading(news.symbol, news.is_open)

    def _mark(self, news: Marked) -> None:
        try:
            self.core.mark(news.symbol, news.price, news.ts_ns)
        except RiskCoreError as error:
            if not self.core.knows(news.symbol) or 0.0 < news.price < math.inf:
                return  # not ours, or older than what is known
            self._remark(str(error))

    def _filled(self, news: Filled) -> None:
        order = self._order(news.client_id, news.symbol, news.lots)
        given = (news.lots, news.value_micros, news.fee_micros)
        known = order.fills.get(news.exec_id)
        if known is not None:
            if known != given and news.exec_id not in order.firm:
                self._remark(f"execution {news.exec_id} of {news.client_id} came again as {given}, before {known}")
            return
        order.fills[news.exec_id] = given
        if news.exec_id in order.voided:
            return
        if order.ended:
            self._remark(f"execution {news.exec_id} of {news.client_id} came after the order had ended")
        self._move(news.client_id, order, news.symbol, given)
        self._look_for_excess(news.client_id, order)

    def _corrected(self, news: Corrected) -> None:
        order = self._order(news.client_id, news.symbol, news.lots)
        before = order.fills.get(news.exec_id, (0, 0, 0))
        after = (news.lots, news.value_micros, news.fee_micros)
        order.fills[news.exec_id] = after
        order.firm |= {news.exec_id}
        if news.exec_id in order.voided or before == after:
            return
        self._remark(f"execution {news.exec_id} of {news.client_id} was corrected from {before} to {after}")
        difference = (after[0] - before[0], after[1] - before[1], after[2] - before[2])
        self._move(news.client_id, order, news.symbol, difference)
        self._look_for_excess(news.client_id, order)

    def _busted(self, client_id: str, exec_id: str, ts_ns: int) -> None:
        order = self.orders.get(client_id)
        if order is None:
            self.doubts.append(f"execution {exec_id} of {client_id} was taken back; no such order is known")
            return
        if exec_id in order.voided:
            return
        order.voided |= {exec_id}
        self._remark(f"execution {exec_id} of {client_id} was taken back at {ts_ns}")
        taken = order.fills.get(exec_id)
        if taken is not None:
            lots, value, fee = taken
            self._move(client_id, order, order.symbol, (-lots, -value, -fee))

    def _ended(self, client_id: str) -> None:
        order = self.orders.get(client_id)
        if order is not None and not order.ended:
            self._end(client_id, order)

    def _end(self, client_id: str, order: Tracked) -> None:
        order.ended = True
        if client_id in self.core.open_orders:
            self.core.done(client_id)

    def _moved(self, news: Moved) -> None:
        if news.ts_ns > self._cash_of_ns:
            self.core.moved(news.micros, is_flow=news.what == "deposit")

    def _restated(self, news: Restated) -> None:
        if not self.core.knows(news.symbol):
            self.doubts.append(f"{news.symbol} was restated {news.new} for {news.old} to {news.lots} lots")
            return
        self.core.restated(news.symbol, news.lots, news.new, news.old)
        for client_id, order in self.orders.items():
            if order.symbol == news.symbol and not order.ended:
                still = self.core.open_orders.get(client_id)
                order.lots = order.executed + (still.left if still is not None else 0)
                order.ended = still is None

    def _order(self, client_id: str, symbol: str, lots: int) -> Tracked:
        order = self.orders.get(client_id)
        if order is None:
            order = self.orders[client_id] = Tracked(None, symbol, lots, self.today)
            order.ended = True
            self.doubts.append(f"news of {client_id}, which no one here sent")
        elif order.symbol != symbol:
            self.doubts.append(f"{client_id} is an order in {order.symbol}, the venue says {symbol}")
        return order

    def _move(self, client_id: str, order: Tracked, symbol: str, change: Execution) -> None:
        lots, value, fee = change
        try:
            self.core.executed(symbol, lots, value, fee, client_id=client_id, strategy=order.strategy)
        except RiskCoreError as error:
            if not self.core.knows(symbol):
                self.core.moved(-(value + fee), is_flow=False)
            self.doubts.append(str(error))
        if not order.ended and order.left == 0:
            self._end(client_id, order)

    def _look_for_excess(self, client_id: str, order: Tracked) -> None:
        if order.executed * order.lots < 0 or abs(order.executed) > abs(order.lots):
            self._remark(f"{client_id} was filled {order.executed} lots; {order.lots} were ordered")

    def _remark(self, sentence: str) -> None:
        self.remarks.append(sentence)
        if len(self.remarks) > _MOST_REMARKS:
            del self.remarks[: _MOST_REMARKS // 2]


def small(number: int) -> bool:
    return -_MOST < number < _MOST


def _possible(news: VenueNews) -> bool:
    """Whether the figures are such that sums of them stay exact."""
    if isinstance(news, Filled | Corrected):
        return small(news.lots) and small(news.value_micros) and small(news.fee_micros)
    if isinstance(news, Moved | BuyingPower):
        return small(news.micros)
    if isinstance(news, Restated):
        return all(map(small, (news.lots, news.new, news.old))) and news.new >= 0 and news.old > 0
    return not isinstance(news, Marked) or abs(news.ts_ns) < 2**62


def intent_of(ask: Ask, core: RiskCore, now_ns: int) -> Intent:
    """What was asked, as the core takes it."""
    return Intent(
        ask.client_id, ask.strategy, ask.symbol, ask.lots, ask.venue, ask.mode, ask.build, now_ns, ask.order_type,
        ask.time_in_force, math.nan if ask.limit_price is None else ask.limit_price, ask.parent_left,
    )  # fmt: skip
