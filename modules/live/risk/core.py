"""The account that the risk core decides on: marks, fills, open orders in, rulings out. No clock, no disk, no socket.

What it approves it counts at once as if it would fill; what comes back from the venue moves it from open to held.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from modules.engine.accounting import EXACT_LIMIT, MICROS
from modules.live.risk import layout as at
from modules.live.risk.kernel import judge
from modules.live.risk.limits import LiveLimits
from modules.live.risk.rules import FLATTENING, Answer, Rule
from modules.live.risk.sums import follow_nav, passed, refresh

Mode = Literal["paper", "live"]
_MODES: Mapping[str, int] = {"paper": 1, "live": 2}
MOST_ORDERS = 2_000_000
"""Client ids that are remembered in a day; no order passes beyond."""

_MOST_LOTS = 2**53
_SECOND_NS = 1_000_000_000
_MILLI_NS = 1_000_000


class RiskCoreError(ValueError):
    """News that does not fit the account: an unknown order, an excess fill, a price that is none."""


@dataclass(frozen=True)
class Instrument:
    """What may be traded. Lots and volume are in lots, `sigma_day` the volatility of a day's return."""

    symbol: str
    sector: str
    lot_size: float = 1.0
    tick: float = 0.01
    sigma_day: float = math.nan
    beta: float = 1.0
    adv_lots: int = 0
    located_lots: int = 0
    max_long_lots: int = 2**53
    max_short_lots: int = 2**53


@dataclass(frozen=True)
class Intent:
    """An order that somebody wants to send. `lots` is signed; `limit_price` NaN = none."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    mode: Mode
    build: str
    now_ns: int
    order_type: str = "market"
    time_in_force: str = "day"
    limit_price: float = math.nan
    parent_left: int = -1


@dataclass(frozen=True)
class Ruling:
    """The answer: what may be sent, and the rule that spoke with its limit and value (NaN: none)."""

    answer: Answer
    rule: Rule
    allowed_lots: int
    limit: float
    value: float

    @property
    def goes_out(self) -> bool:
        """Whether an order of `allowed_lots` may be sent."""
        return self.answer in (Answer.APPROVE, Answer.REDUCE) and self.allowed_lots != 0


@dataclass
class _Open:
    """An order that passed: lots that may still fill, signed."""

    intent: Intent
    row: int
    left: int


class RiskCore:
    """One account. Not to be shared between threads."""

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
        self._numbers = {name: i for i, name in enumerate(sorted(limits.strategies))}
        self._strategies = np.zeros((max(1, len(self._numbers)), rows, at.STRATEGY_INTS), np.int64)
        for name, who in self._numbers.items():
            self._strategies[who, 0, at.S_CAPITAL] = round(limits.strategies[name] * MICROS)
        self._limits = _table(limits)
        self.open_orders: dict[str, _Open] = {}
        self._seen: set[str] = set()
        for x in self.instruments:
            self._add(x, sectors[x.sector])
        total = self._ints[0]
        total[at.CASH] = total[at.NAV] = total[at.BUYING_POWER] = cash_micros
        total[at.MODE] = _MODES[mode]
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

    # --- what is asked ------------------------------------------------------------------------------

    def ask(self, intent: Intent) -> Ruling:
        """Rule on an order; what goes out is counted as open until `done` or filled."""
        ruling = self.look(intent)
        if ruling.goes_out:
            passed(self._ints, self._floats, self._strategies, self._limits)
            row = self._rows[intent.symbol]
            self._seen.add(intent.client_id)
            self.open_orders[intent.client_id] = _Open(intent, row, ruling.allowed_lots)
            self._own_quotes(row)
        return ruling

    def look(self, intent: Intent) -> Ruling:
        """What `ask` would say; nothing is counted."""
        self._write(intent)
        try:
            answer = judge(self._ints, self._floats, self._strategies, self._limits)
        except OverflowError:
            return Ruling(Answer.REJECT, Rule.ORDER_VALUE, 0, EXACT_LIMIT / MICROS, math.inf)
        _, rule, allowed = self._ints[1, at.ANSWER : at.IS_LIMIT].tolist()
        _, limit, value = self._floats[1, : at.ANSWER_VALUE + 1].tolist()
        return Ruling(Answer(answer), Rule(rule), allowed, limit, value)

    def _write(self, intent: Intent) -> None:
        """Put the order into row 1, its names turned into whether they are known."""
        limits = self.limits
        self._ints[1, : at.ANSWER] = (
            self._rows.get(intent.symbol, at.FIRST - 1) - at.FIRST,
            intent.lots if abs(intent.lots) < _MOST_LOTS else 0,
            intent.order_type in limits.order_types,
            intent.time_in_force in limits.times_in_force,
            intent.now_ns,
            self._numbers.get(intent.strategy, -1),
            intent.venue in limits.venues,
            _MODES.get(intent.mode, 0),
            intent.build == self.build,
            intent.parent_left,
            intent.client_id in self._seen or len(self._seen) >= MOST_ORDERS,
        )
        self._ints[1, at.IS_LIMIT] = intent.order_type in ("limit", "stop_limit")
        self._floats[1, at.LIMIT_PRICE] = intent.limit_price

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
        ints = self._ints
        ints[order.row, at.LOTS] += lots
        ints[order.row, at.OPEN_BUY if lots > 0 else at.OPEN_SELL] -= abs(lots)
        paid = round(lots * float(self._floats[order.row, at.LOT_SIZE]) * price * MICROS)
        ints[0, at.CASH] -= paid + fee_micros
        ints[0, at.NAV] -= paid + fee_micros
        own = self._strategies[self._numbers[order.intent.strategy], order.row]
        own[at.S_HELD] += lots
        own[at.S_BUY if lots > 0 else at.S_SELL] -= abs(lots)
        order.left -= lots
        if order.left == 0:
            del self.open_orders[client_id]
            self._own_quotes(order.row)
        self._refresh(order.row)

    def done(self, client_id: str) -> None:
        """An open order will not fill any further: cancelled, expired or refused by the venue."""
        order = self._order(client_id)
        del self.open_orders[client_id]
        self._ints[order.row, at.OPEN_BUY if order.left > 0 else at.OPEN_SELL] -= abs(order.left)
        own = self._strategies[self._numbers[order.intent.strategy], order.row]
        own[at.S_BUY if order.left > 0 else at.S_SELL] -= abs(order.left)
        self._own_quotes(order.row)
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
        total = self._ints[0]
        total[at.DAY_NAV] = total[at.LEAST_NAV] = total[at.PEAK_NAV] = total[at.NAV]
        total[at.DEEPEST] = 0
        self._seen = set(self.open_orders)

    # --- what stands --------------------------------------------------------------------------------

    @property
    def nav_micros(self) -> int:
        """Cash and what is held at its reference prices."""
        return int(self._ints[0, at.NAV])

    @property
    def positions(self) -> dict[str, int]:
        """Lots held, those that are not 0."""
        return {s: int(self._ints[r, at.LOTS]) for s, r in self._rows.items() if self._ints[r, at.LOTS] != 0}

    def must_flatten(self) -> bool:
        """Whether the day's loss or fall has reached its limit."""
        if not self.instruments:
            return False
        first = self.instruments[0].symbol
        probe = Intent("", "", first, 1, "", self.mode, self.build, 0)
        return self.look(probe).rule in FLATTENING

    def _row(self, symbol: str) -> int:
        row = self._rows.get(symbol)
        if row is None:
            raise RiskCoreError(f"{symbol} is no instrument of this account; list it before prices or fills come")
        return row

    def _order(self, client_id: str) -> _Open:
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

    def _own_quotes(self, row: int) -> None:
        """Our best resting prices in an instrument, which an order of ours must not meet."""
        here = [o for o in self.open_orders.values() if o.row == row and o.intent.limit_price > 0.0]
        bids = [o.intent.limit_price for o in here if o.left > 0]
        asks = [o.intent.limit_price for o in here if o.left < 0]
        self._floats[row, at.OWN_BID] = max(bids, default=math.nan)
        self._floats[row, at.OWN_ASK] = min(asks, default=math.nan)


def _table(limits: LiveLimits) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    table = np.zeros(at.LIMITS)
    for slot, value in (
        (at.L_DAILY_LOSS, limits.max_daily_loss),
        (at.L_DRAWDOWN, limits.max_drawdown),
        (at.L_ORDER_NAV, limits.max_order_nav),
        (at.L_ORDER_LOTS, limits.max_order_lots),
        (at.L_COLLAR, limits.collar),
        (at.L_INSTRUMENT, limits.max_instrument_nav),
        (at.L_SECTOR, limits.max_sector_nav),
        (at.L_TRADE_RISK, limits.max_trade_risk),
        (at.L_GROSS, limits.max_gross_usd * MICROS),
        (at.L_LEVERAGE, limits.max_leverage),
        (at.L_NET, limits.max_net_nav),
        (at.L_BETA, limits.max_beta_nav),
        (at.L_CONCENTRATION, limits.max_concentration),
        (at.L_PARTICIPATION, limits.max_participation),
        (at.L_TOTAL, limits.total_capital_usd * MICROS),
        (at.L_STALE_NS, limits.stale_ms * _MILLI_NS),
        (at.L_MESSAGE_NS, _SECOND_NS // limits.messages_a_second),
        (at.L_MESSAGE_BURST_NS, _SECOND_NS - _SECOND_NS // limits.messages_a_second),
        (at.L_REPEAT_NS, 60 * _SECOND_NS // limits.repeats_a_minute),
        (at.L_REPEAT_BURST_NS, 60 * _SECOND_NS - 60 * _SECOND_NS // limits.repeats_a_minute),
    ):
        table[slot] = value
    return table
