"""The account that the risk core decides on: marks, fills, open orders, cash and days. No clock, no disk, no socket."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np

from modules.engine.accounting import MICROS
from modules.live.risk import layout as at
from modules.live.risk.intent import Day, Instrument, Intent, Mode, Open, RiskCoreError
from modules.live.risk.limits import LiveLimits
from modules.live.risk.sums import follow_nav, refresh
from modules.live.risk.table import limits_table
from modules.panel import FloatArray, IntArray

MODES: Mapping[str, int] = {"paper": 1, "live": 2}


class Holdings:
    """One account as its venue and its own orders made it. Not to be shared between threads."""

    def __init__(
        self, limits: LiveLimits, instruments: Iterable[Instrument], *, cash_micros: int, mode: Mode, build: str
    ) -> None:
        self.limits, self.mode, self.build = limits, mode, build
        self.instruments = tuple(instruments)
        self._rows = {x.symbol: at.FIRST + i for i, x in enumerate(self.instruments)}
        if len(self._rows) != len(self.instruments):
            raise RiskCoreError("two instruments have the same symbol; give each once")
        sectors = {name: i for i, name in enumerate(sorted({x.sector for x in self.instruments}))}
        rows = at.FIRST + len(self.instruments)
        self._ints, self._floats = np.zeros((rows, at.INTS), np.int64), np.full((rows, at.FLOATS), np.nan)
        self._order_ints = memoryview(self._ints[1])  # of the arrays, item by item quicker than they are
        self._order_floats = cast("memoryview[float]", memoryview(self._floats[1]))
        self._numbers = {name: i for i, name in enumerate(sorted(limits.strategies))}
        self._strategies = np.zeros((max(1, len(self._numbers)), rows, at.STRATEGY_INTS), np.int64)
        for name, who in self._numbers.items():
            self._strategies[who, 0, at.S_CAPITAL] = round(limits.strategies[name] * MICROS)
        self._limits = limits_table(limits)
        self.open_orders: dict[str, Open] = {}
        self._resting: dict[int, dict[str, Open]] = {}
        self._seen: set[str] = set()
        for x in self.instruments:
            self._add(x, sectors[x.sector])
        total = self._ints[0]
        total[at.CASH] = total[at.NAV] = total[at.BUYING_POWER] = cash_micros
        total[at.MODE] = MODES[mode]
        self.new_day()

    def _add(self, x: Instrument, sector: int) -> None:
        row = self._rows[x.symbol]
        if not (x.lot_size > 0.0 and x.tick > 0.0 and math.isfinite(x.beta)):
            raise RiskCoreError(
                f"{x.symbol}: lot_size {x.lot_size}, tick {x.tick}, beta {x.beta}; sizes are above 0, betas finite"
            )
        ints, floats = self._ints[row], self._floats[row]
        ints[at.SECTOR], ints[at.LISTED], ints[at.TRADING] = sector, 1, 1
        ints[at.RESTRICTED] = x.symbol in self.limits.restricted
        ints[at.LOCATED], ints[at.MAX_LONG], ints[at.MAX_SHORT] = x.located_lots, x.max_long_lots, x.max_short_lots
        ints[at.ADV], ints[at.PRICE_TS] = x.adv_lots, np.iinfo(np.int64).min // 4
        floats[at.LOT_SIZE], floats[at.TICK] = x.lot_size, x.tick
        floats[at.SIGMA_DAY], floats[at.BETA] = x.sigma_day, x.beta

    # --- what is heard ------------------------------------------------------------------------------

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

    def _fewer_open(self, order: Open, size: int) -> None:
        """An open order has `size` lots less to fill, on its side."""
        side = 1 if order.left > 0 else -1
        self._ints[order.row, at.OPEN_BUY if side > 0 else at.OPEN_SELL] -= size
        who = self._numbers.get(order.intent.strategy)
        if who is not None:
            self._strategies[who, order.row, at.S_BUY if side > 0 else at.S_SELL] -= size
        order.left -= side * size

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

    def new_day(self) -> None:
        """A day begins: losses and falls are counted from here, client ids may come again."""
        self.begin_day()
        self._seen = set(self.open_orders)

    def begin_day(self) -> None:
        """The day's losses and falls are counted from the NAV of now."""
        total = self._ints[0]
        total[at.DAY_NAV] = total[at.LEAST_NAV] = total[at.PEAK_NAV] = total[at.NAV]
        total[at.DEEPEST] = 0

    def set_day(self, day: Day) -> None:
        """The day's figures as they were before a restart; what NAV is now counts too."""
        total = self._ints[0]
        total[at.DAY_NAV], total[at.LEAST_NAV] = day.first_micros, day.least_micros
        total[at.PEAK_NAV], total[at.DEEPEST] = day.peak_micros, day.deepest_micros
        follow_nav(self._ints)

    # --- what stands --------------------------------------------------------------------------------

    @property
    def nav_micros(self) -> int:
        """Cash and what is held at its reference prices."""
        return int(self._ints[0, at.NAV])

    @property
    def positions(self) -> dict[str, int]:
        """Lots held, those that are not 0."""
        return {s: int(self._ints[r, at.LOTS]) for s, r in self._rows.items() if self._ints[r, at.LOTS] != 0}

    @property
    def cash_micros(self) -> int:
        """Cash."""
        return int(self._ints[0, at.CASH])

    @property
    def day(self) -> Day:
        """The day's figures."""
        total = self._ints[0]
        return Day(int(total[at.DAY_NAV]), int(total[at.LEAST_NAV]), int(total[at.PEAK_NAV]), int(total[at.DEEPEST]))

    @property
    def tables(self) -> tuple[IntArray, FloatArray]:
        """What the decision reads, for reading (`layout.py`)."""
        return self._ints, self._floats

    def strategies_worth(self) -> dict[str, int]:
        """What each strategy uses of its capital, micros."""
        return {name: int(self._strategies[who, 0, at.S_WORTH]) for name, who in self._numbers.items()}

    def unmarked(self) -> tuple[str, ...]:
        """What is held and has no price: NAV is not known before it has."""
        ints, prices = self._ints, self._floats[:, at.PRICE]
        some = (ints[at.FIRST :, at.LOTS] != 0) & ~(prices[at.FIRST :] > 0.0)
        return tuple(self.instruments[i].symbol for i in np.flatnonzero(some))

    def knows(self, symbol: str) -> bool:
        """Whether it is an instrument of this account."""
        return symbol in self._rows

    def withdraw(self, client_id: str) -> None:
        """An order that was counted as open did not go out; its id may be asked for again."""
        self.done(client_id)
        self._seen.discard(client_id)

    def _row(self, symbol: str) -> int:
        row = self._rows.get(symbol)
        if row is None:
            raise RiskCoreError(f"{symbol} is no instrument of this account; list it before prices or fills come")
        return row

    def _order(self, client_id: str) -> Open:
        order = self.open_orders.get(client_id)
        if order is None:
            raise RiskCoreError(f"order {client_id} is not open here: never approved, or done")
        return order

    def _refresh(self, row: int) -> None:
        try:
            refresh(self._ints, self._floats, self._strategies, row)
        except OverflowError as error:
            raise RiskCoreError(f"{self.instruments[row - at.FIRST].symbol}: {error}") from error
        follow_nav(self._ints)

    def _opened(self, order: Open) -> None:
        self.open_orders[order.intent.client_id] = order
        if order.intent.limit_price > 0.0:
            self._resting.setdefault(order.row, {})[order.intent.client_id] = order
            self._own_quotes(order.row)

    def _closed(self, order: Open) -> None:
        del self.open_orders[order.intent.client_id]
        if order.intent.limit_price > 0.0:
            del self._resting[order.row][order.intent.client_id]
            self._own_quotes(order.row)

    def _own_quotes(self, row: int) -> None:
        """Our best resting prices in an instrument, which an order of ours must not meet."""
        here = self._resting.get(row)
        if here is None:
            return
        bids = [o.intent.limit_price for o in here.values() if o.left > 0]
        asks = [o.intent.limit_price for o in here.values() if o.left < 0]
        self._floats[row, at.OWN_BID] = max(bids, default=math.nan)
        self._floats[row, at.OWN_ASK] = min(asks, default=math.nan)
