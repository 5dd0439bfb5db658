"""What the suite asks of a peer, for all peers that keep an `Account`."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from modules.live.messages import Acknowledged
from modules.live.venues.exact import Listing, Listings
from modules.live.venues.port import Venue
from tests.modules.live.venues.peers.book import Account, BookOrder, Execution
from tests.modules.live.venues.undertest import PATIENCE_S, Fault, Heard, PeerOrder, VenueUnderTest, ask


def eventually(holds: Callable[[], object]) -> None:
    """Wait until something holds that nobody is told of."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"it did not hold within {PATIENCE_S:g} s"
        time.sleep(0.005)


class Peer(Protocol):
    """A server around an account."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class AccountUnderTest(VenueUnderTest):
    """An account, its server, and two listed instruments."""

    natives = ("AAPL", "MSFT")
    symbol, other = "AAPL.NASDAQ", "MSFT.NASDAQ"
    lot = Decimal(1)
    tick = Decimal("0.01")

    def __init__(self) -> None:
        self.account = Account()
        rows = zip((self.symbol, self.other), self.natives, strict=True)
        self.listings = Listings(Listing(symbol, native, self.lot, self.tick) for symbol, native in rows)
        self.armed: list[Fault] = []

    @property
    @abstractmethod
    def peer(self) -> Peer:
        """The server."""

    @abstractmethod
    def say(self, order: BookOrder, done: Execution) -> None:
        """Tell an execution."""

    @abstractmethod
    def swallow(self, order: BookOrder, done: Execution) -> None:
        """Tell an execution, and let it get lost on the way."""

    def exec_id(self, order: BookOrder, done: Execution) -> str:
        """As the adapter names it."""
        return done.exec_id

    def arm(self, fault: Fault) -> None:
        if fault in (Fault.DUPLICATE, Fault.GAP):
            self.armed.append(fault)
        elif fault not in (Fault.BUST, Fault.CORRECT, Fault.LATE_FILL):
            self.account.arm(fault)

    def orders(self) -> dict[str, PeerOrder]:
        with self.account.locked():
            return {
                i: PeerOrder(
                    self._lots(o, o.quantity), self._lots(o, o.done), None if o.state == "open" else o.state,
                    None if o.limit is None else float(o.limit),
                )
                for i, o in self.account.orders.items()
            }  # fmt: skip

    def _lots(self, order: BookOrder, quantity: Decimal) -> int:
        return order.sign * int(quantity / self.lot)

    def positions(self) -> dict[str, int]:
        found = self.account.positions().items()
        return {self.listings.there(native).symbol: int(quantity / self.lot) for native, quantity in found}

    def fill(self, client_id: str, lots: int, price: float) -> str:
        with self.account.locked():
            order = self.account.orders[client_id]
            done = self.account.fill(client_id, abs(lots) * self.lot, Decimal(repr(price)))
            name = self.exec_id(order, done)
            fault = self.armed.pop() if self.armed else None
            if fault is Fault.GAP:
                self.swallow(order, done)
                return name
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                self.say(order, done)
            return name

    def execution(self, client_id: str, exec_id: str) -> tuple[BookOrder, Execution]:
        """By the adapter's name for it."""
        order = self.account.orders[client_id]
        return order, next(e for e in order.executions if self.exec_id(order, e) == exec_id)

    def start(self) -> None:
        self.peer.start()

    def stop(self) -> None:
        self.peer.stop()

    def close(self) -> None:
        self.peer.stop()


def working(peer: AccountUnderTest, venue: Venue, heard: Heard) -> BookOrder:
    """A limit order that the broker has acknowledged, as the broker has it."""
    order = ask(peer.symbol, 5, "limit", 99.5)
    venue.submit(order, 5)
    heard.first(Acknowledged, order.client_id)
    return peer.account.orders[order.client_id]
