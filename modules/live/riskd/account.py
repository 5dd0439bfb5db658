"""What the risk core's process knows of the account: what it let out, and what the venue said of it.

A second book beside the desk's that shares no code with it: each is checked against the venue. News may come twice, in
any order, after the end or of orders that nobody here knows; all of it moves the account, and what cannot be explained
is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
    OpenAtVenue,
    RefusedByVenue,
    Report,
    Restated,
    Trading,
    VenueNews,
)
from modules.live.risk.core import Intent, RiskCore, RiskCoreError

_KEPT_DAYS: Final = 3
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


class Account:
    """The risk core with the orders behind its figures."""

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

    # --- what the venue has --------------------------------------------------------------------------

    def compare(self, report: Report, *, is_final: bool) -> list[str]:
        """Take in what the venue has; returns what remains unexplained: nothing = both agree.

        What the venue lacks is believed only where `is_final`: an order may still be on its way to it, an execution on
        its way into its report.
        """
        if not report.complete:
            return ["the venue told only a part of what it has"]
        if not all(map(_small, (report.cash_micros, *report.positions.values(), *(o.lots for o in report.orders)))):
            return ["the venue's figures cannot be: more than 2**53"]
        try:
            return self._compared(report, is_final=is_final)
        except (RiskCoreError, OverflowError) as error:
            return [f"the account's figures cannot be kept exact: {error}"]

    def _compared(self, report: Report, *, is_final: bool) -> list[str]:
        open_: list[str] = []
        theirs = set()
        for told in report.orders:
            theirs.add(told.client_id)
            open_ += self._compare_order(told, is_final=is_final)
        for client_id, order in self.orders.items():
            if not order.ended and client_id not in theirs:
                open_ += self._absent(client_id, order, is_final=is_final)
        ours = self.core.positions
        for symbol in sorted(ours.keys() | {s for s, lots in report.positions.items() if lots}):
            here, there = ours.get(symbol, 0), report.positions.get(symbol, 0)
            if here != there:
                open_.append(f"position {symbol}: here {here} lots, at the venue {there}")
        return open_

    def _compare_order(self, told: OpenAtVenue, *, is_final: bool) -> list[str]:
        order = self.orders.get(told.client_id)
        if order is None:
            order = self.orders[told.client_id] = Tracked(None, told.symbol, told.lots, self.today)
            self._remark(f"{told.client_id} is at the venue and was not known here; taken over")
            self._reopen(told, order)
        elif order.strategy is None:
            order.lots = told.lots  # known by its executions only
        for fill in told.fills:
            known = order.fills.get(fill.exec_id)
            if known is None:
                self._filled(fill)
            elif known != (fill.lots, fill.value_micros, fill.fee_micros) and fill.exec_id not in order.voided:
                self._corrected(
                    Corrected(
                        fill.client_id, fill.exec_id, fill.symbol, fill.lots, fill.price, fill.value_micros,
                        fill.fee_micros, fill.ts_ns,
                    )
                )  # fmt: skip
        standing = {fill.exec_id for fill in told.fills}
        gone = [e for e in order.fills if e not in standing and e not in order.voided]
        if gone and not is_final:
            return [f"executions {gone} of {told.client_id} are not in the venue's report"]
        for exec_id in gone:
            self._busted(told.client_id, exec_id, 0)
        if told.ended is not None:
            self._ended(told.client_id)
        elif order.ended and abs(order.executed) < abs(order.lots):
            if not is_final:
                return [f"{told.client_id} has ended here and is open at the venue"]
            self._remark(f"{told.client_id} had ended here and is open at the venue; taken over")
            self._reopen(told, order)
        return []

    def _reopen(self, told: OpenAtVenue, order: Tracked) -> None:
        order.ended = told.ended is not None
        if order.left == 0 or not self.core.knows(told.symbol):
            return
        price = math.nan if told.limit_price is None else told.limit_price
        self.core.resume(
            Intent(
                told.client_id, order.strategy or "", told.symbol, told.lots, "", self.core.mode, self.core.build, 0,
                told.order_type, told.time_in_force, price,
            ),
            order.left,
        )  # fmt: skip

    def _absent(self, client_id: str, order: Tracked, *, is_final: bool) -> list[str]:
        if not is_final:
            return [f"{client_id} is open here and unknown to the venue"]
        self._remark(f"{client_id} is unknown to the venue: it never arrived")
        self._end(client_id, order)
        return []

    def take_over(self, report: Report) -> None:
        """The account as the venue has it, whatever was known: a human accepted it, or nothing was known before."""
        self.compare(report, is_final=True)
        held = {s: lots for s, lots in report.positions.items() if lots and self.core.knows(s)}
        self.core.adopt(report.cash_micros, held)
        self._cash_of_ns = report.ts_ns

    def settle_cash(self, report: Report) -> int:
        """The venue's cash, whatever came between; returns by how much it differed."""
        difference = report.cash_micros - self.core.cash_micros
        self.core.moved(difference, is_flow=False)
        self._cash_of_ns = report.ts_ns
        return difference

    # --- days ----------------------------------------------------------------------------------------

    def new_day(self, day: int) -> None:
        """A day begins: its figures, and client ids, anew."""
        self.core.new_day()
        if not self.buying_power_said:
            self.core.buying_power(max(0, self.core.nav_micros))
        self.begin(day)

    def begin(self, day: int) -> None:
        """It is this day; orders that ended some days ago are forgotten."""
        self.today = day
        gone = [i for i, o in self.orders.items() if o.ended and o.day < day - _KEPT_DAYS]
        for client_id in gone:
            del self.orders[client_id]

    def open_ids(self) -> Iterator[str]:
        """Orders that may fill yet, oldest first."""
        return (client_id for client_id, order in self.orders.items() if not order.ended)

    def _remark(self, sentence: str) -> None:
        self.remarks.append(sentence)
        if len(self.remarks) > _MOST_REMARKS:
            del self.remarks[: _MOST_REMARKS // 2]


def _small(number: int) -> bool:
    return -_MOST < number < _MOST


def _possible(news: VenueNews) -> bool:
    """Whether the figures are such that sums of them stay exact."""
    if isinstance(news, Filled | Corrected):
        return _small(news.lots) and _small(news.value_micros) and _small(news.fee_micros)
    if isinstance(news, Moved | BuyingPower):
        return _small(news.micros)
    if isinstance(news, Restated):
        return all(map(_small, (news.lots, news.new, news.old))) and news.new >= 0 and news.old > 0
    return not isinstance(news, Marked) or abs(news.ts_ns) < 2**62


def intent_of(ask: Ask, core: RiskCore, now_ns: int) -> Intent:
    """What was asked, as the core takes it."""
    return Intent(
        ask.client_id, ask.strategy, ask.symbol, ask.lots, ask.venue, ask.mode, ask.build, now_ns, ask.order_type,
        ask.time_in_force, math.nan if ask.limit_price is None else ask.limit_price, ask.parent_left,
    )  # fmt: skip
