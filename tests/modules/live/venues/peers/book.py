"""What an exchange believes of one account: orders, executions, positions, cash. Protocols are put around it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from tests.modules.live.venues.conformance import Fault


@dataclass
class Execution:
    """One execution; `revision` counts corrections."""

    exec_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    revision: int = 1
    stands: bool = True


@dataclass
class BookOrder:
    """An order as the exchange has it. `sign` is 1 for a buy."""

    client_id: str
    venue_id: str
    native: str
    sign: int
    quantity: Decimal
    kind: str
    time_in_force: str
    limit: Decimal | None
    state: str = "open"
    executions: list[Execution] = field(default_factory=list)

    @property
    def done(self) -> Decimal:
        """Quantity of executions that stand."""
        return sum((e.quantity for e in self.executions if e.stands), Decimal(0))

    @property
    def mean_price(self) -> Decimal:
        """Mean price of executions that stand; 0 = none."""
        value = sum((e.quantity * e.price for e in self.executions if e.stands), Decimal(0))
        return value / self.done if self.done else Decimal(0)


class DuplicateIdError(Exception):
    """The client id is in use."""


class Account:
    """The orders of one account. `arrivals` counts every order that reached the exchange, taken or not."""

    def __init__(self, cash: Decimal = Decimal(1_000_000)) -> None:
        self.orders: dict[str, BookOrder] = {}
        self.cash = cash
        self.arrivals: list[str] = []
        self.by_hand: dict[str, Decimal] = {}
        """What came to be held without an order."""
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing changes meanwhile."""
        with self._lock:
            yield

    def arm(self, fault: Fault, times: int = 1) -> None:
        """Let the next orders meet a fault."""
        with self._lock:
            self._faults += [fault] * times

    def arrived(self, client_id: str) -> Fault | None:
        """An order came; the fault that it meets."""
        with self._lock:
            self.arrivals.append(client_id)
            return self._faults.pop(0) if self._faults else None

    def take(
        self, client_id: str, native: str, sign: int, quantity: Decimal, kind: str, tif: str, limit: Decimal | None
    ) -> BookOrder:
        """A new order. Raises DuplicateIdError."""
        with self._lock:
            if client_id in self.orders:
                raise DuplicateIdError(client_id)
            order = BookOrder(client_id, f"V{next(self._ids)}", native, sign, quantity, kind, tif, limit)
            self.orders[client_id] = order
            return order

    def fill(self, client_id: str, quantity: Decimal, price: Decimal, fee: Decimal = Decimal(0)) -> Execution:
        """An execution; it comes whatever the order's state."""
        with self._lock:
            order = self.orders[client_id]
            done = Execution(f"X{next(self._ids)}", quantity, price, fee)
            order.executions.append(done)
            if order.done >= order.quantity and order.state == "open":
                order.state = "filled"
            return done

    def end(self, client_id: str, state: str) -> bool:
        """Whether the order was open; it is ended."""
        with self._lock:
            order = self.orders.get(client_id)
            if order is None or order.state != "open":
                return False
            order.state = state
            return True

    def open_orders(self) -> list[BookOrder]:
        """Those that may fill."""
        with self._lock:
            return [o for o in self.orders.values() if o.state == "open"]

    def positions(self) -> dict[str, Decimal]:
        """By native name, those that are not 0."""
        with self._lock:
            held = dict(self.by_hand)
            for order in self.orders.values():
                held[order.native] = held.get(order.native, Decimal(0)) + order.sign * order.done
        return {native: quantity for native, quantity in held.items() if quantity}

    def cash_now(self) -> Decimal:
        """What is left after all executions that stand."""
        with self._lock:
            spent = (
                o.sign * e.quantity * e.price + e.fee for o in self.orders.values() for e in o.executions if e.stands
            )
            return self.cash - sum(spent, Decimal(0))
