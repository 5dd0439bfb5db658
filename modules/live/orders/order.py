"""One order: what was asked, and what was heard of it. Every change gives a new order; news may come in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from modules.live.messages import OrderType, TimeInForce
from modules.live.orders.states import FINAL, News, Remark, State, after


class OrderError(ValueError):
    """News that cannot be of this order, or a second order under one client id; names field, value and rule."""


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """What is ordered. `lots` is signed; `client_id` names it for ever, here and at the venue."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_micros: int | None = None
    parent: str | None = None

    def __post_init__(self) -> None:
        if not self.client_id or self.lots == 0:
            raise OrderError(f"client_id {self.client_id!r}, lots {self.lots}: give an id, and lots other than 0")


@dataclass(frozen=True)
class Fill:
    """One execution, in the order's direction: signed lots, price and fee in micros of the currency.

    `value_micros`: what the lots cost (above 0 for a buy), without the fee: exact, where the price is rounded.
    """

    exec_id: str
    lots: int
    price_micros: int
    fee_micros: int = 0
    value_micros: int = 0


_NO_FILLS: Mapping[str, Fill] = MappingProxyType({})


class Order(msgspec.Struct, frozen=True):
    """A ticket with its state. `voided`: executions that the venue took back, whether or not they were heard of yet.

    `allowed`: lots that went out, where the risk core let fewer out than the ticket asks for. `adopted`: it was found
    at the venue, and nobody here has asked for it since; until the venue told its lots (`allowed`) nobody knows them.
    """

    ticket: Ticket
    state: State = State.CREATED
    fills: Mapping[str, Fill] = msgspec.field(default_factory=lambda: _NO_FILLS)
    voided: frozenset[str] = frozenset()
    corrected: frozenset[str] = frozenset()
    venue_id: str | None = None
    allowed: int | None = None
    adopted: bool = False

    @property
    def lots(self) -> int:
        """Signed lots that are or were to be filled at the venue."""
        return self.ticket.lots if self.allowed is None else self.allowed

    @property
    def filled(self) -> int:
        """Signed lots that stand as filled."""
        return sum(f.lots for e, f in self.fills.items() if e not in self.voided)

    @property
    def paid_micros(self) -> int:
        """Money that the lots cost that stand as filled, fees included."""
        return sum(f.value_micros + f.fee_micros for e, f in self.fills.items() if e not in self.voided)

    @property
    def executed(self) -> int:
        """Signed lots of all executions, those taken back too: what a venue takes back does not work again."""
        return sum(f.lots for f in self.fills.values())

    @property
    def left(self) -> int:
        """Signed lots that may fill yet."""
        return 0 if self.state in FINAL or self._is_vague else self.lots - self.executed

    @property
    def is_open(self) -> bool:
        """Whether the venue may have it open."""
        return self.state not in FINAL

    def hear(self, news: News, venue_id: str | None = None) -> tuple[Order, Remark | None]:
        """The order after news. Raises TransitionError."""
        state, remark = after(self.state, news)
        if state is self.state and (venue_id is None or self.venue_id is not None):
            return self, remark
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
        if heard._is_excess:
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
        return heard, Remark.EXCESS_FILL if heard._is_excess else Remark.CORRECTED

    def sized(self, lots: int) -> Order:
        """The order with the lots that went out: what the risk core allowed, or the venue says that it has.

        Raises OrderError for none, or lots of the other side.
        """
        if lots * self.ticket.lots <= 0:
            raise OrderError(
                f"order {self.ticket.client_id} is for {self.ticket.lots} lots, and {lots} went out: sides must agree"
            )
        if lots == self.lots and not self._is_vague:
            return self
        sized = replace(self, allowed=lots)
        done = abs(sized.executed) >= abs(lots) and sized.fills
        return replace(sized, state=State.FILLED) if done else sized

    def claimed(self, ticket: Ticket) -> Order:
        """An adopted order, asked for after all: by the ticket that it was made of. Raises OrderError."""
        same = ticket.symbol == self.ticket.symbol and ticket.lots * self.ticket.lots > 0
        there = max(abs(self.allowed or 0), abs(self.executed))
        if not same or abs(ticket.lots) < there:
            raise OrderError(
                f"client_id {ticket.client_id} names {ticket.lots} lots of {ticket.symbol} here, and {there} of "
                f"{self.ticket.symbol} at the venue; an id is used once: make a new one"
            )
        return replace(self, ticket=ticket, adopted=False)

    @property
    def _is_vague(self) -> bool:
        """Whether nobody has told how many lots it is for."""
        return self.adopted and self.allowed is None

    @property
    def _is_excess(self) -> bool:
        return abs(self.executed) > abs(self.lots) and not self._is_vague

    def _check(self, fill: Fill) -> None:
        if fill.lots * self.ticket.lots <= 0 or fill.price_micros < 0:
            raise OrderError(
                f"execution {fill.exec_id} has {fill.lots} lots at {fill.price_micros} micros, order "
                f"{self.ticket.client_id} {self.ticket.lots} lots: the sides must agree, and the price be at least 0"
            )

    def _with(self, fill: Fill) -> Order:
        """With an execution. It says that the venue has the order; the last one ends it."""
        heard = replace(self, fills=MappingProxyType({**self.fills, fill.exec_id: fill}))
        if abs(heard.executed) >= abs(self.lots) and not self._is_vague:
            return replace(heard, state=State.FILLED)
        waiting = self.state in (State.CREATED, State.SENT, State.UNKNOWN)
        return replace(heard, state=State.WORKING) if waiting else heard
