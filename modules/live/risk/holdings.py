"""What changes the account that the risk core decides on: marks, fills, orders that open and end, cash."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from modules.engine.accounting import MICROS
from modules.live.risk import layout as at
from modules.live.risk.held import Held
from modules.live.risk.intent import Intent, Open, RiskCoreError
from modules.live.risk.sums import follow_nav


class Holdings(Held):
    """One account as its venue and its own orders made it. Not to be shared between threads."""

    def mark(self, symbol: str, price: float, ts_ns: int) -> None:
        """The reference price of an instrument at a time. Raises RiskCoreError for no price, or one from before."""
        row = self._row(symbol)
        if not 0.0 < price < math.inf:
            raise RiskCoreError(f"price of {symbol} is {price}; a reference price is finite and above 0")
        if ts_ns < self._ints[row, at.PRICE_TS]:
            raise RiskCoreError(f"price of {symbol} is of {ts_ns}, before the last one; prices come in order of time")
        before = float(self._floats[row, at.PRICE]), int(self._ints[row, at.PRICE_TS])
        self._floats[row, at.PRICE], self._ints[row, at.PRICE_TS] = price, ts_ns
        try:
            self._refresh(row)
        except RiskCoreError:
            self._floats[row, at.PRICE], self._ints[row, at.PRICE_TS] = before
            raise

    def filled(self, client_id: str, lots: int, price: float, fee_micros: int = 0) -> None:
        """A fill of an open order: signed lots in its direction. Raises RiskCoreError for one that cannot be."""
        order = self._order(client_id)
        if lots == 0 or (lots > 0) != (order.left > 0) or abs(lots) > abs(order.left):
            raise RiskCoreError(
                f"fill of {lots} lots on order {client_id}, which has {order.left} left: excess or wrong side"
            )
        paid = round(lots * float(self._floats[order.row, at.LOT_SIZE]) * price * MICROS)
        self.executed(order.intent.symbol, lots, paid, fee_micros, client_id=client_id)

    def executed(
        self,
        symbol: str,
        lots: int,
        value_micros: int,
        fee_micros: int = 0,
        *,
        client_id: str | None = None,
        strategy: str | None = None,
    ) -> None:
        """An execution as a fact: late, in excess or taken back (`lots` and `value_micros` negated) as well.

        An open order under `client_id` is left with less, never with more. `strategy`: whose it is where the order is
        not open; without one that is known, positions of strategies on the other side shrink. Raises RiskCoreError for
        an unknown instrument.
        """
        row = self._row(symbol)
        order = self.open_orders.get(client_id) if client_id is not None else None
        ints = self._ints
        ints[row, at.LOTS] += lots
        ints[0, at.CASH] -= value_micros + fee_micros
        ints[0, at.NAV] -= value_micros + fee_micros
        self._own(row, lots, order.intent.strategy if order is not None else strategy)
        if order is not None and order.left * lots > 0:
            size = min(abs(lots), abs(order.left))
            self._fewer_open(order, size)
            if order.left == 0:
                self._closed(order)
        self._refresh(row)

    def _own(self, row: int, lots: int, strategy: str | None) -> None:
        """Count what a strategy holds; what is nobody's (the risk core closes an account) closes what others hold."""
        who = self._numbers.get(strategy) if strategy is not None else None
        held = self._strategies[:, row, at.S_HELD]
        if who is not None:
            held[who] += lots
            return
        for i in range(len(self._numbers)):
            closed = min(abs(lots), abs(int(held[i]))) if int(held[i]) * lots < 0 else 0
            step = closed if lots > 0 else -closed
            held[i] += step
            lots -= step
        if self._ints[row, at.LOTS] == 0:
            held[:] = 0

    def resume(self, intent: Intent, left: int) -> None:
        """Count an order as open without a ruling: it was ruled on before a restart, or closes the account.

        Raises RiskCoreError for an unknown instrument or an order that is open already.
        """
        row = self._row(intent.symbol)
        if intent.client_id in self.open_orders:
            raise RiskCoreError(f"order {intent.client_id} is open already; an id is used once")
        self._seen.add(intent.client_id)
        if left == 0:
            return
        self._opened(Open(intent, row, left))
        self._ints[row, at.OPEN_BUY if left > 0 else at.OPEN_SELL] += abs(left)
        who = self._numbers.get(intent.strategy)
        if who is not None:
            self._strategies[who, row, at.S_BUY if left > 0 else at.S_SELL] += abs(left)
        self._refresh(row)

    def forget(self) -> None:
        """Ids of orders that are not open may come again."""
        self._seen = set(self.open_orders)

    def remember(self, client_ids: Iterable[str]) -> None:
        """Ids that passed today, before a restart."""
        self._seen.update(client_ids)

    def adopt(
        self, cash_micros: int, positions: Mapping[str, int], held: Mapping[tuple[str, str], int] | None = None
    ) -> None:
        """Take the account as the venue has it: cash, lots, and (strategy, symbol) lots of strategies.

        Without `held` what strategies hold stays. Open orders stay. Raises RiskCoreError for an unknown instrument.
        """
        for symbol in positions:
            self._row(symbol)
        self._ints[0, at.NAV] += cash_micros - self._ints[0, at.CASH]
        self._ints[0, at.CASH] = cash_micros
        if held is not None:
            self._strategies[:, at.FIRST :, at.S_HELD] = 0
            for (strategy, symbol), lots in held.items():
                who = self._numbers.get(strategy)
                if who is not None:
                    self._strategies[who, self._row(symbol), at.S_HELD] = lots
        for symbol, row in self._rows.items():
            self._ints[row, at.LOTS] = positions.get(symbol, 0)
            self._refresh(row)

    def restated(self, symbol: str, lots: int, new: int, old: int) -> None:
        """A split, `new` for `old`: `lots` are held now; price, open orders and what strategies hold follow it.

        `new` 0: delisted, and its orders have ended. NAV moves by no more than what a lot is worth.
        """
        row = self._row(symbol)
        for order in [o for o in self.open_orders.values() if o.row == row]:
            self._fewer_open(order, abs(order.left) - abs(order.left) * new // old)  # below 0: there are more now
            if order.left == 0:
                self._closed(order)
        held = self._strategies[:, row, at.S_HELD]
        held[:] = [int(h) * new // old if h > 0 else -(-int(h) * new // old) for h in held]
        self._ints[row, at.LOTS] = lots
        if new > 0:
            self._floats[row, at.PRICE] *= old / new
        self._refresh(row)

    def moved(self, micros: int, *, is_flow: bool) -> None:
        """Cash that came or went without a trade. A flow (a deposit) is no gain: the day's figures move with it."""
        total = self._ints[0]
        total[at.CASH] += micros
        total[at.NAV] += micros
        if is_flow:
            for slot in (at.DAY_NAV, at.LEAST_NAV, at.PEAK_NAV):
                total[slot] += micros
        follow_nav(self._ints)

    def done(self, client_id: str) -> None:
        """An open order will not fill any further: cancelled, expired or refused by the venue."""
        order = self._order(client_id)
        self._fewer_open(order, abs(order.left))
        self._closed(order)
        self._refresh(order.row)

    def trading(self, symbol: str, is_open: bool) -> None:
        """Whether the instrument's market takes orders."""
        self._ints[self._row(symbol), at.TRADING] = is_open

    def buying_power(self, micros: int) -> None:
        """What the venue says may be opened, before what is on its way."""
        self._ints[0, at.BUYING_POWER] = micros

    def kill(self, on: bool) -> None:
        """Whether the kill switch is latched."""
        self._ints[0, at.KILLED] = on

    def withdraw(self, client_id: str) -> None:
        """An order that was counted as open did not go out; its id may be asked for again."""
        self.done(client_id)
        self._seen.discard(client_id)
