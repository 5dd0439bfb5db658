"""What the risk core's process knows of the account: what it let out, and what the venue said of it.

A second book beside the desk's that shares no code with it: each is checked against the venue. News may come twice, in
any order, after the end or of orders that nobody here knows; all of it moves the account, and what cannot be explained
is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from modules.live.messages import Corrected, OpenAtVenue, Report
from modules.live.risk.core import Intent, RiskCoreError
from modules.live.riskd.heard import Heard, Tracked, intent_of, small

__all__ = ["Account", "Tracked", "intent_of"]

_KEPT_DAYS: Final = 3


class Account(Heard):
    """The risk core's account, compared with what the venue has."""

    # --- what the venue has --------------------------------------------------------------------------

    def compare(self, report: Report, *, is_final: bool) -> list[str]:
        """Take in what the venue has; returns what remains unexplained: nothing = both agree.

        What the venue lacks is believed only where `is_final`: an order may still be on its way to it, an execution on
        its way into its report.
        """
        if not report.complete:
            return ["the venue told only a part of what it has"]
        if not all(map(small, (report.cash_micros, *report.positions.values(), *(o.lots for o in report.orders)))):
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
