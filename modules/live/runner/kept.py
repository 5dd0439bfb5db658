"""What the venue's news make of an account: the engine's book, to the micro, whatever is said twice or taken back."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from modules.engine.accounting import CASH, DAY_NAV, NAV, EngineError, new_book
from modules.engine.actions import restated
from modules.live.messages import (
    Busted,
    Cancelled,
    Corrected,
    Expired,
    Filled,
    Moved,
    RefusedByVenue,
    Report,
    Restated,
    VenueNews,
)

MOST_EXECUTIONS: Final = 5_000
"""The last executions are kept, so that what is told twice counts once and what is taken back can be."""


class AccountState(msgspec.Struct, frozen=True):
    """Everything that a restart needs. `working`: client id and lots left by symbol; `executions`: symbol, lots, what
    was paid and when, by execution id; `void`: those that the venue took back before they were heard of; up to
    `forgotten_ns` executions may have been dropped, up to `told_ns` cash is what the venue said."""

    cash_micros: int
    nav_micros: int
    day_nav_micros: int
    day_loss: float
    lots: dict[str, int]
    marks: dict[str, float]
    working: dict[str, tuple[str, int]]
    last_ts_ns: int | None
    executions: dict[str, tuple[str, int, int, int]] = {}
    void: tuple[str, ...] = ()
    forgotten_ns: int = -1
    told_ns: int = -1


class Kept:
    """The account of some symbols as the venue's news leave it. Not to be shared between threads."""

    def __init__(self, symbols: tuple[str, ...], cash_micros: int) -> None:
        self.symbols = tuple(sorted(symbols))
        self._column = {s: i for i, s in enumerate(self.symbols)}
        self._book = new_book(len(self.symbols), 1, cash_micros)
        self._working: dict[int, str] = {}
        self._executions: dict[str, tuple[int, int, int, int]] = {}
        self._void: set[str] = set()
        self._forgotten_ns = self._told_ns = -1
        self._last_ts_ns: int | None = None

    # --- what is heard ------------------------------------------------------------------------------

    def hear(self, news: VenueNews) -> None:
        """Take in what the venue says. The same execution twice counts once."""
        if isinstance(news, Filled):
            if self.is_new(news):
                self._execute(news, news.lots)
        elif isinstance(news, Corrected):
            before = self._take_back(news.exec_id)
            self._execute(news, news.lots - before)
        elif isinstance(news, Busted):
            if self._take_back(news.exec_id) == 0:
                self._void.add(news.exec_id)  # it is taken back before it is heard of
        elif isinstance(news, Cancelled | Expired | RefusedByVenue):
            self.stopped(news.client_id)
        elif isinstance(news, Restated):
            self._restate(news)
        elif isinstance(news, Moved) and news.ts_ns > self._told_ns:
            self._book.totals[CASH] += news.micros

    def _restate(self, news: Restated) -> None:
        """A split or a delisting: what is held, its mark and what is ordered in other shares, as the engine does it."""
        column = self._column_of(news.symbol)
        book = self._book
        book.lots[column] = news.lots
        book.mark[column] = book.mark[column] * float(news.old) / float(news.new) if news.new else np.nan
        if column in self._working:
            left = restated(int(book.pending[column]), news.new, news.old) if news.new else 0
            self.allowed(self._working[column], left)

    def is_new(self, fill: Filled) -> bool:
        """Whether an execution was not heard of yet."""
        known = fill.exec_id in self._executions or fill.exec_id in self._void
        return not known and fill.ts_ns > self._forgotten_ns

    def opened(self, report: Report) -> None:
        """Begin with what the venue has: positions, cash, and executions that are in them already."""
        for symbol, lots in report.positions.items():
            if lots:
                self._book.lots[self._column_of(symbol)] = lots
        for order in report.orders:
            for f in order.fills:
                if f.symbol in self._column:
                    self._remember(f)
        book, cash = self._book, report.cash_micros
        book.totals[CASH] = book.totals[NAV] = book.totals[DAY_NAV] = cash
        self._told_ns = report.ts_ns

    def cash_told(self, cash_micros: int, ts_ns: int) -> None:
        """Cash as the venue says it was at a moment: what came or went without being heard is in it."""
        self._book.totals[CASH] = cash_micros
        self._told_ns = ts_ns

    def stopped(self, client_id: str) -> None:
        """An order will not fill any further; unknown ids are of earlier bars, and say nothing."""
        self.allowed(client_id, 0)

    def allowed(self, client_id: str, lots: int) -> None:
        """What went out of an order: less than was decided where the risk core said so, 0 = nothing."""
        for column, working in list(self._working.items()):
            if working == client_id:
                self._book.pending[column] = lots
                if lots == 0:
                    del self._working[column]

    def working(self) -> dict[str, tuple[str, int]]:
        """Client id and lots left, by symbol, of what may still fill."""
        return {self.symbols[c]: (i, int(self._book.pending[c])) for c, i in sorted(self._working.items())}

    def works(self, working: dict[str, tuple[str, int]]) -> None:
        """Let these orders be what may still fill, in place of what was decided here."""
        self._working.clear()
        self._book.pending[:] = 0
        for symbol, (working_id, left) in working.items():
            column = self._column_of(symbol)
            self._working[column], self._book.pending[column] = working_id, left

    def _execute(self, news: Filled | Corrected, moved: int) -> None:
        column = self._column_of(news.symbol)
        self._book.lots[column] += news.lots
        self._book.totals[CASH] -= news.value_micros + news.fee_micros
        self._remember(news)
        if self._working.get(column) == news.client_id:
            left = int(self._book.pending[column]) - moved
            self.allowed(news.client_id, left if left * self._book.pending[column] > 0 else 0)

    def _remember(self, f: Filled | Corrected) -> None:
        self._executions[f.exec_id] = (self._column[f.symbol], f.lots, f.value_micros + f.fee_micros, f.ts_ns)
        if len(self._executions) > MOST_EXECUTIONS:
            oldest = self._executions.pop(next(iter(self._executions)))
            self._forgotten_ns = max(self._forgotten_ns, oldest[3])

    def _take_back(self, exec_id: str) -> int:
        """Undo an execution; returns its lots, 0 where it was never heard of."""
        column, lots, paid, _ = self._executions.pop(exec_id, (0, 0, 0, 0))
        self._book.lots[column] -= lots
        self._book.totals[CASH] += paid
        return lots

    def _column_of(self, symbol: str) -> int:
        column = self._column.get(symbol)
        if column is None:
            raise EngineError(
                f"a fill in {symbol}, which this account does not trade ({', '.join(self.symbols[:5])} ...); reconcile "
                "with the venue before anything is sent"
            )
        return column

    # --- what stands --------------------------------------------------------------------------------

    @property
    def cash_micros(self) -> int:
        """Cash after everything heard so far."""
        return int(self._book.totals[CASH])

    @property
    def nav_micros(self) -> int:
        """NAV at the last bar's close."""
        return int(self._book.totals[NAV])

    @property
    def last_ts_ns(self) -> int | None:
        """Label of the last bar that was decided."""
        return self._last_ts_ns

    @property
    def positions(self) -> dict[str, int]:
        """Lots held, those that are not 0."""
        return {s: int(n) for s, n in zip(self.symbols, self._book.lots, strict=True) if n}

    def state(self) -> AccountState:
        """Everything that a restart needs."""
        book = self._book
        return AccountState(
            cash_micros=int(book.totals[CASH]),
            nav_micros=int(book.totals[NAV]),
            day_nav_micros=int(book.totals[DAY_NAV]),
            day_loss=float(book.day_loss[0]),
            lots=self.positions,
            marks={s: float(m) for s, m in zip(self.symbols, book.mark, strict=True) if m == m},
            working=self.working(),
            last_ts_ns=self._last_ts_ns,
            executions={i: (self.symbols[c], n, paid, at) for i, (c, n, paid, at) in self._executions.items()},
            void=tuple(sorted(self._void)),
            forgotten_ns=self._forgotten_ns,
            told_ns=self._told_ns,
        )

    def restore(self, state: AccountState) -> None:
        """Go on from a state. Raises EngineError for an instrument that this account does not trade."""
        book = self._book
        book.totals[CASH], book.totals[NAV] = state.cash_micros, state.nav_micros
        book.totals[DAY_NAV], book.day_loss[0] = state.day_nav_micros, state.day_loss
        for symbol, lots in state.lots.items():
            book.lots[self._column_of(symbol)] = lots
        for symbol, mark in state.marks.items():
            book.mark[self._column_of(symbol)] = mark
        self.works(state.working)
        self._executions = {i: (self._column_of(s), n, paid, at) for i, (s, n, paid, at) in state.executions.items()}
        self._void = set(state.void)
        self._forgotten_ns, self._told_ns = state.forgotten_ns, state.told_ns
        self._last_ts_ns = state.last_ts_ns
