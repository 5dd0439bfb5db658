"""One order: what was asked, and what was heard of it. Every change gives a new order; news may come in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from modules.live.orders.states import FINAL, News, Remark, State, after


class OrderError(ValueError):
    """News that cannot be of this order, or a second order under one client id; names field, value and rule."""


@dataclass(frozen=True)
class Ticket:
    """What is ordered. `lots` is signed; `client_id` names it for ever, here and at the venue."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    order_type: str = "market"
    time_in_force: str = "day"
    limit_micros: int | None = None
    parent: str | None = None

    def __post_init__(self) -> None:
        if not self.client_id or self.lots == 0:
            raise OrderError(f"client_id {self.client_id!r}, lots {self.lots}: give an id, and lots other than 0")


@dataclass(frozen=True)
class Fill:
    """One execution, in the order's direction: signed lots, price and fee in micros of the currency."""

    exec_id: str
    lots: int
    price_micros: int
    fee_micros: int = 0


@dataclass(frozen=True)
class Order:
    """A ticket with its state. `voided`: executions that the venue took back, whether or not they were heard of yet."""

    ticket: Ticket
    state: State = State.CREATED
    fills: Mapping[str, Fill] = field(default_factory=lambda: MappingProxyType({}))
    voided: frozenset[str] = frozenset()
    corrected: frozenset[str] = frozenset()
    venue_id: str | None = None

    @property
    def filled(self) -> int:
        """Signed lots that stand as filled."""
        return sum(f.lots for e, f in self.fills.items() if e not in self.voided)

    @property
    def executed(self) -> int:
        """Signed lots of all executions, those taken back too: what a venue takes back does not work again."""
        return sum(f.lots for f in self.fills.values())

    @property
    def left(self) -> int:
        """Signed lots that may fill yet."""
        return 0 if self.state in FINAL else self.ticket.lots - self.executed

    @property
    def is_open(self) -> bool:
        """Whether the venue may have it open."""
        return self.state not in FINAL

    def hear(self, news: News, venue_id: str | None = None) -> tuple[Order, Remark | None]:
        """The order after news. Raises TransitionError."""
        state, remark = after(self.state, news)
        return replace(self, state=state, venue_id=self.venue_id or venue_id), remark

    def fill(self, fill: Fill) -> tuple[Order, Remark | None]:
        """The order after an execution; the same one again changes nothing.

        Raises OrderError for lots of the other side, none, or a price below 0.
        """
        self._check(fill)
        known = self.fills.get(fill.exec_id)
        if known is not None:
            changed = known != fill and fill.exec_id not in self.corrected
            return self, Remark.CHANGED_FILL if changed else None
        heard = self._with(fill)
        if abs(heard.executed) > abs(self.ticket.lots):
            return heard, Remark.EXCESS_FILL
        return heard, Remark.LATE_FILL if self.state in FINAL else None

    def bust(self, exec_id: str) -> tuple[Order, Remark | None]:
        """The order after the venue took an execution back, heard of or not."""
        if exec_id in self.voided:
            return self, None
        return replace(self, voided=self.voided | {exec_id}), Remark.BUSTED

    def correct(self, fill: Fill) -> tuple[Order, Remark | None]:
        """The order after the venue corrected an execution: other lots, price or fee under the same id."""
        self._check(fill)
        if self.fills.get(fill.exec_id) == fill and fill.exec_id in self.corrected:
            return self, None
        heard = replace(self, corrected=self.corrected | {fill.exec_id})._with(fill)
        excess = abs(heard.executed) > abs(self.ticket.lots)
        return heard, Remark.EXCESS_FILL if excess else Remark.CORRECTED

    def _check(self, fill: Fill) -> None:
        if fill.lots * self.ticket.lots <= 0 or fill.price_micros < 0:
            raise OrderError(
                f"execution {fill.exec_id} has {fill.lots} lots at {fill.price_micros} micros, order "
                f"{self.ticket.client_id} {self.ticket.lots} lots: the sides must agree, and the price be at least 0"
            )

    def _with(self, fill: Fill) -> Order:
        """With an execution. It says that the venue has the order; the last one ends it."""
        heard = replace(self, fills=MappingProxyType({**self.fills, fill.exec_id: fill}))
        if abs(heard.executed) >= abs(self.ticket.lots):
            return replace(heard, state=State.FILLED)
        waiting = self.state in (State.CREATED, State.SENT, State.UNKNOWN)
        return replace(heard, state=State.WORKING) if waiting else heard
