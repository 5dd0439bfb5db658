"""What the account holds, in tables that the decision reads: instruments, open orders, cash, the day."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np

from modules.engine.accounting import MICROS
from modules.live.risk import layout as at
from modules.live.risk.intent import Day, Instrument, Mode, Open, RiskCoreError
from modules.live.risk.limits import LiveLimits
from modules.live.risk.sums import follow_nav, refresh
from modules.live.risk.table import limits_table
from modules.panel import FloatArray, IntArray

MODES: Mapping[str, int] = {"paper": 1, "live": 2}


class Held:
    """One account: what it is made of, and how it stands. `Holdings` says what changes it."""

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

    # --- for whoever changes it ----------------------------------------------------------------------

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

    def _fewer_open(self, order: Open, size: int) -> None:
        """An open order has `size` lots less to fill, on its side."""
        side = 1 if order.left > 0 else -1
        self._ints[order.row, at.OPEN_BUY if side > 0 else at.OPEN_SELL] -= size
        who = self._numbers.get(order.intent.strategy)
        if who is not None:
            self._strategies[who, order.row, at.S_BUY if side > 0 else at.S_SELL] -= size
        order.left -= side * size
