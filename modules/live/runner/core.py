"""The runner without clock, socket and disk: what is heard goes in, what is to be done comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from modules.contract import ContractError
from modules.engine.accounting import EngineError
from modules.live.messages import VenueNews
from modules.live.runner.account import Account, BarClosed
from modules.live.runner.decide import DecideError, Programme, decide
from modules.live.runner.reach import forgettable
from modules.live.runner.taped import Decided, Ordered
from modules.panel import IntArray, iso
from modules.signal import SignalError

MOST_CHUNKS: Final = 64
"""Tables that records are made of; each costs a thousand bytes a column, however few rows it has."""


@dataclass
class Runner:
    """One programme on one account. `records`: what was known before the first bar, as ingest writes it; `forgotten`:
    labels of bars before those, of which no decision reads more."""

    programme: Programme
    account: Account
    instruments: pl.DataFrame
    records: pl.DataFrame
    facts: pl.DataFrame | None = None
    forgotten: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _new: list[pl.DataFrame] = field(default_factory=list)

    def known(self, rows: pl.DataFrame) -> None:
        """Records that became known."""
        self._new.append(rows)

    def hear(self, news: VenueNews) -> None:
        """What the venue said."""
        self.account.hear(news)

    def bar(self, ts_ns: int, known_ns: int) -> BarClosed:
        """The bar `ts_ns` closed, and all of it is known at `known_ns`: mark, decide, order.

        Raises DecideError where the bar is not there, EngineError, ContractError, SignalError: nothing is ordered then.
        """
        targets = decide(self.programme, self.all_records(), self.instruments, known_ns, self.facts)
        if targets.ts_ns != ts_ns:
            raise DecideError(
                f"bar {iso(ts_ns)} closed, and the last one known at {iso(known_ns)} is {iso(targets.ts_ns)}; nothing "
                "is ordered on bars that are not there"
            )
        return self.account.close(targets, self.instruments, self.forgotten)

    def forget(self) -> bool:
        """Let go of the records that no decision reads any more, where that is certain; whether there were any."""
        found = forgettable(self.programme, self.all_records(), self.instruments, self.facts)
        if found is None:
            return False
        self.records, self.forgotten = found.records, np.concatenate([self.forgotten, found.labels])
        return True

    def all_records(self) -> pl.DataFrame:
        """Everything known so far, in the order in which it became known."""
        if self._new:
            self.records = pl.concat([self.records, *self._new])
            self._new = []
            if self.records.n_chunks() > MOST_CHUNKS:
                self.records = self.records.rechunk()
        return self.records


def decided_at(runner: Runner, ts_ns: int, known_ns: int) -> tuple[Decided, BarClosed | None]:
    """Decide on a bar; where that is not to be had, why. A replay does the same."""
    try:
        made = runner.bar(ts_ns, known_ns)
    except (DecideError, EngineError, ContractError, SignalError) as error:
        account = runner.account
        return Decided(ts_ns, account.nav_micros, account.cash_micros, (), (), (), str(error)), None
    tickets = tuple(Ordered(t.client_id, t.symbol, t.lots) for t in made.tickets)
    return Decided(ts_ns, made.nav_micros, made.cash_micros, made.decisions, made.cancels, tickets), made
