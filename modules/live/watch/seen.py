"""What was seen of an account at one moment, and what its journal adds up to."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Final

from modules.live.desk.asking import Stand
from modules.live.journal.port import Entry
from modules.live.messages import (
    Acknowledged,
    AnyMessage,
    Ask,
    Busted,
    Corrected,
    Filled,
    Lost,
    Marked,
    RefusedByVenue,
    Ruled,
    Status,
)
from modules.live.orders.ids import decided_ns
from modules.live.orders.order import Order
from modules.live.risk.rules import Answer, Rule
from modules.live.units import SECOND_NS

BOUNDS_S: Final = (50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 0.25, 1.0, 5.0, 60.0)
"""Upper bounds of the classes that waits are counted in, seconds."""

MOST_KEPT: Final = 200
"""Fills and ended orders that are kept to be shown."""

MOST_PENDING: Final = 100_000
_LONGEST_S: Final = 3_600.0
"""A wait above it is of a clock that is not the wall's (recorded data), and is not counted."""


@dataclass
class Waits:
    """A histogram of waits, seconds. `counts` has one class more than `BOUNDS_S`: what is above all of them."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, wait_ns: int) -> None:
        """Count one; what no clock could have measured is left out."""
        wait_s = wait_ns / SECOND_NS
        if 0.0 <= wait_s <= _LONGEST_S:
            self.counts[bisect_left(BOUNDS_S, wait_s)] += 1
            self.sum_s += wait_s


@dataclass
class _Times:
    """When the stages of one order were recorded, ns of the desk's clock."""

    asked: int
    ruled: int = 0
    acknowledged: int = 0


@dataclass
class Tally:
    """What a desk's journal adds up to for a metric: counts since its first entry. Waits are of the recording clock."""

    entries: int = 0
    asks: Counter[str] = field(default_factory=Counter)
    rulings: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: int = 0
    lost: int = 0
    fills: Counter[str] = field(default_factory=Counter)
    traded_micros: int = 0
    fee_micros: int = 0
    amended: Counter[str] = field(default_factory=Counter)
    ruling: Waits = field(default_factory=Waits)
    acknowledging: Waits = field(default_factory=Waits)
    filling: Waits = field(default_factory=Waits)
    deciding: Waits = field(default_factory=Waits)
    last_fills: deque[Filled] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    refusals: dict[str, str] = field(default_factory=dict)
    """The rule by which the risk core refused, of the newest orders that it refused, by client id."""
    rejections: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    """When the newest orders were refused by the risk core, ns."""
    _strategies: dict[str, str] = field(default_factory=dict)
    _times: dict[str, _Times] = field(default_factory=dict)
    _executions: dict[str, int] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Count an entry."""
        self.entries += 1
        message, at = entry.message, entry.ts_ns
        match message:
            case Ask():
                self._asked(message, at)
            case Ruled():
                self._ruled(message, at)
            case Acknowledged():
                times = self._times.get(message.client_id)
                if times is not None and times.ruled and not times.acknowledged:
                    times.acknowledged = at
                    self.acknowledging.add(at - times.ruled)
            case Filled():
                self._filled(message, at)
            case _:
                self._seldom(message)

    def forget(self, before_ns: int) -> None:
        """Let go of single orders and executions from before a time; what they added up to stays."""
        self._executions = {i: ts_ns for i, ts_ns in self._executions.items() if ts_ns >= before_ns}
        self._times = {i: times for i, times in self._times.items() if not _is_before(i, before_ns)}
        self._strategies = {i: self._strategies[i] for i in self._times}

    def copy(self) -> Tally:
        """The counts as they are now, for another thread; it is not taken further."""
        told = {f.name: copy.copy(getattr(self, f.name)) for f in fields(self) if not f.name.startswith("_")}
        for name, value in told.items():
            if isinstance(value, Waits):
                told[name] = Waits(list(value.counts), value.sum_s)
        return Tally(**told)

    def _asked(self, ask: Ask, at: int) -> None:
        self.asks[ask.strategy] += 1
        if len(self._times) >= MOST_PENDING:
            self._times.pop(next(iter(self._times)))
            self._strategies.pop(next(iter(self._strategies)))
        self._times[ask.client_id] = _Times(at)
        self._strategies[ask.client_id] = ask.strategy
        with suppress(ValueError):  # an id of another make does not tell when
            self.deciding.add(at - decided_ns(ask.client_id))

    def _ruled(self, ruled: Ruled, at: int) -> None:
        answer = Answer(ruled.answer)
        self.rulings[answer.name, Rule(ruled.rule).name] += 1
        if answer in (Answer.REJECT, Answer.FLATTEN):
            self.rejections.append(at)
            self.refusals[ruled.client_id] = Rule(ruled.rule).name
            if len(self.refusals) > 2 * MOST_KEPT:
                del self.refusals[next(iter(self.refusals))]
        times = self._times.get(ruled.client_id)
        if times is not None and not times.ruled:
            times.ruled = at
            self.ruling.add(at - times.asked)

    def _filled(self, fill: Filled, at: int) -> None:
        if fill.exec_id in self._executions:
            return
        self._executions[fill.exec_id] = fill.ts_ns
        self.fills[self._strategies.get(fill.client_id, "")] += 1
        self.traded_micros += abs(fill.value_micros)
        self.fee_micros += fill.fee_micros
        self.last_fills.append(fill)
        times = self._times.get(fill.client_id)
        if times is not None:
            self.filling.add(at - times.asked)

    def _seldom(self, message: AnyMessage) -> None:
        match message:
            case RefusedByVenue():
                self.refused += 1
            case Lost():
                self.lost += 1
            case Busted():
                self.amended["busted"] += 1
            case Corrected():
                self.amended["corrected"] += 1
            case _:
                pass  # it is no order's


def _is_before(client_id: str, before_ns: int) -> bool:
    try:
        return decided_ns(client_id) < before_ns
    except ValueError:
        return False  # of another make: it goes when there are too many


@dataclass(frozen=True)
class Seen:
    """An account at `at_ns`. `riskd`, `desk`, `journal`: why nothing is known of each; None = it answers.

    `orders`: those that may be open, then those that ended last, the newest first.
    """

    account: str
    at_ns: int
    riskd: str | None = "not asked yet"
    desk: str | None = "not asked yet"
    journal: str | None = None
    status: Status | None = None
    stand: Stand | None = None
    marks: Mapping[str, Marked] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    stale_ns: int = 5_000_000_000
    paid_micros: Mapping[str, int] = field(default_factory=dict)
    """Money that the standing fills of each symbol cost, fees included, since the journal began."""
    lot_sizes: Mapping[str, float] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def lot_size(self, symbol: str) -> float:
        """Units of a lot, as the account's file has it."""
        return self.lot_sizes.get(symbol, 1.0)

    @property
    def mode(self) -> str:
        """PAPER, LIVE, or NONE where nobody answers."""
        told = self.status or self.stand
        return "NONE" if told is None else told.mode.upper()
