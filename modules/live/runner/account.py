"""The engine's account, kept by what the venue says: the same integers as in a backtest, and the same decisions.

Between two bars fills, fees, borrow and funding come from the venue (`kept.py`). At a bar's close the account is
marked, the day's loss followed, and targets go through the backtest's risk decision, all by the engine's own kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl

from modules.engine.accounting import (
    CASH,
    FAULT_ROW,
    FAULT_SYMBOL,
    MICROS,
    NAV,
    NEXT_ORDER,
    PENDING,
    EngineError,
    Terms,
    new_bar_log,
    new_order_log,
    new_room,
)
from modules.engine.market import build_market
from modules.engine.metrics import known_bars_per_day
from modules.engine.settings import TradingSettings
from modules.live.orders.ids import client_id
from modules.live.orders.order import Ticket
from modules.live.runner.decide import Targets
from modules.live.runner.kept import AccountState, Kept
from modules.live.runner.kernel import close_bar
from modules.panel import FloatArray, IntArray, Panel, iso

__all__ = ["Account", "AccountState", "BarClosed", "Decision"]


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What a target asked for and what the backtest's risk decision allowed. `limit`, `value`: None = none spoke."""

    symbol: str
    asked: int
    allowed: int
    decision: int
    rule: int
    limit: float | None
    value: float | None


@dataclass(frozen=True)
class BarClosed:
    """The account at a bar's close, what was decided there, and what is to be done about it: cancel, then order."""

    ts_ns: int
    nav_micros: int
    cash_micros: int
    decisions: tuple[Decision, ...]
    cancels: tuple[str, ...]
    tickets: tuple[Ticket, ...]
    targets: Targets | None = None


class Account(Kept):
    """One account of one strategy. Not to be shared between threads."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        settings: TradingSettings,
        *,
        cash_micros: int,
        strategy: str,
        venue: str,
        name: str,
    ) -> None:
        super().__init__(symbols, cash_micros)
        self.name, self.strategy, self.venue = name, strategy, venue
        self._settings = settings
        self._bars = new_bar_log(2, len(self.symbols))
        self._orders = new_order_log(len(self.symbols))
        limits = settings.limits
        # What a fill costs the venue says; the decision reads the limits alone.
        self._terms = Terms(
            half_spread=0.0, commission=0.0, impact_k=0.0, borrow_year=0.0,
            max_instrument=limits.max_instrument_nav, max_sector=limits.max_sector_nav,
            max_daily_loss=limits.max_daily_loss, max_trade_risk=limits.max_trade_risk,
            min_order=settings.min_order_usd * MICROS,
        )  # fmt: skip

    def close(self, targets: Targets, instruments: pl.DataFrame, before: IntArray | None = None) -> BarClosed:
        """Mark the account at the last bar of `targets` and decide on orders. Raises EngineError.

        before: labels of bars before those of `targets`, which count for how many bars a day has.
        """
        bars = _on(targets.bars, self.symbols)
        market = build_market(bars, instruments, self._settings.fill_without_open, self._settings.liquidity)
        if before is not None and before.size:
            market = market._replace(day_scale=_day_scale(before, bars.ts))
        t, ts_ns = bars.ts.size - 1, targets.ts_ns
        if self._last_ts_ns is not None and ts_ns <= self._last_ts_ns:
            raise EngineError(
                f"bar {iso(ts_ns)} is not after the last one, {iso(self._last_ts_ns)}; bars come in order"
            )
        book = self._book._replace(sector_gross=np.zeros(int(market.sectors.max(initial=0)) + 1, dtype=np.int64))
        book.totals[NEXT_ORDER], book.totals[PENDING] = 0, np.count_nonzero(book.pending)
        book.pending_id[:] = -1
        row = 0 if self._last_ts_ns is None else 1
        weights = np.zeros(len(self.symbols))
        weights[[self._column[s] for s in targets.bars.symbols]] = targets.weights
        try:
            close_bar(t, row, weights, market, self._terms, book, self._bars, self._orders, new_room(book))
        except OverflowError as error:
            who = self.symbols[int(book.totals[FAULT_SYMBOL])]
            raise EngineError(
                f"{error} at bar {iso(ts_ns)} (row {int(book.totals[FAULT_ROW])}), {who}; check its price and capital"
            ) from None
        self._last_ts_ns = ts_ns
        decisions = self._decisions()
        cancels = self._cancels()
        return BarClosed(
            ts_ns, int(book.totals[NAV]), int(book.totals[CASH]), decisions, cancels, self._tickets(ts_ns, decisions),
            targets,
        )  # fmt: skip

    def _decisions(self) -> tuple[Decision, ...]:
        log = self._orders
        return tuple(
            Decision(
                self.symbols[int(log.symbol[k])], int(log.asked[k]), int(log.allowed[k]), int(log.decision[k]),
                int(log.rule[k]), _given(log.limit[k]), _given(log.value[k]),
            )
            for k in range(int(self._book.totals[NEXT_ORDER]))
        )  # fmt: skip

    def _cancels(self) -> tuple[str, ...]:
        """Orders that no longer work towards their target."""
        book = self._book
        gone = [c for c in sorted(self._working) if book.pending[c] == 0 or book.pending_id[c] >= 0]
        return tuple(self._working.pop(c) for c in gone)

    def _tickets(self, ts_ns: int, decisions: tuple[Decision, ...]) -> tuple[Ticket, ...]:
        made = []
        for decided in decisions:
            if decided.allowed == 0:
                continue
            made_id = client_id(self.name, self.strategy, ts_ns, decided.symbol)
            self._working[self._column[decided.symbol]] = made_id
            made.append(Ticket(made_id, self.strategy, decided.symbol, decided.allowed, self.venue))
        return tuple(made)


def _given(value: np.float64) -> float | None:
    return float(value) if value == value else None


def _day_scale(before: IntArray, ts: IntArray) -> FloatArray:
    """As `build_market` has it with all bars there."""
    scale: FloatArray = np.sqrt(known_bars_per_day(np.concatenate([before, ts])))[before.size :]
    return scale


def _on(bars: Panel, symbols: tuple[str, ...]) -> Panel:
    """The bars on the account's symbols: one that has no bar yet has NaN. Raises EngineError for a stranger."""
    if bars.symbols == symbols:
        return bars
    strange = sorted(set(bars.symbols) - set(symbols))
    if strange:
        raise EngineError(
            f"bars hold {', '.join(strange[:5])}, which this account does not trade; list them at its start"
        )
    columns = [symbols.index(s) for s in bars.symbols]

    def placed(values: FloatArray) -> FloatArray:
        out = np.full((bars.ts.size, len(symbols)), np.nan)
        out[:, columns] = values
        return out

    return Panel(bars.ts, symbols, {name: placed(values) for name, values in bars.fields.items()})
