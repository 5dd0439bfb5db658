"""A venue under test: the peer that can be told to fail, and what was heard of it."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TypeVar

from modules.live.messages import (
    Acknowledged,
    Ask,
    Connection,
    Lost,
    OpenAtVenue,
    OrderType,
    RefusedByVenue,
    Report,
    TimeInForce,
    VenueNews,
)
from modules.live.venues.port import Venue, VenueError

PATIENCE_S = 30.0
N = TypeVar("N")


class Fault(Enum):
    """What the peer does to the next order, or to what it says next."""

    REFUSE = "refuses the next order for good"
    HANG_UP_BEFORE = "hangs up in the middle of the next order, which it does not take"
    HANG_UP_AFTER = "takes the next order and hangs up before it says so"
    SILENT = "takes the next order and does not answer"
    GARBAGE = "takes the next order and answers what is not its protocol"
    RATE_LIMIT = "turns the next requests away for a while, with the time after which to come again"
    DUPLICATE = "says the next execution twice"
    GAP = "leaves out its next news, as if they were lost on the way"
    BUST = "can take an execution back (`bust`)"
    CORRECT = "can correct an execution (`correct`)"
    LATE_FILL = "can execute an order that it has cancelled (`fill`)"


@dataclass(frozen=True)
class PeerOrder:
    """One order as the peer has it: signed lots; `ended` as in `OpenAtVenue`."""

    lots: int
    filled: int
    ended: str | None
    limit_price: float | None = None


class VenueUnderTest(ABC):
    """A peer that runs, and the adapter for it. `close` is called in the end, whatever happened."""

    symbol: str
    other: str
    faults: frozenset[Fault]
    is_remote: bool = True
    """Whether the peer is somebody else, who can go away (`stop`, `start`, `hang_up`) and fill while nobody listens."""
    answer_s: float = PATIENCE_S
    """What a new adapter is told to wait for an answer: long, or a machine that stands still makes orders `Lost`."""

    @abstractmethod
    def adapter(self) -> Venue:
        """A new adapter for the peer's account, not opened."""

    @abstractmethod
    def orders(self) -> dict[str, PeerOrder]:
        """What the peer believes to have, by client id."""

    @abstractmethod
    def positions(self) -> dict[str, int]:
        """Lots that the peer believes to be held, those that are not 0."""

    @abstractmethod
    def fill(self, client_id: str, lots: int, price: float) -> str:
        """Execute signed lots of an order at the peer, which says so; returns the execution id as it is to be heard."""

    @abstractmethod
    def stop(self) -> None:
        """The peer is gone: connections end, nobody answers. What it knows stays."""

    @abstractmethod
    def start(self) -> None:
        """The peer is there again, at the same address."""

    @abstractmethod
    def hang_up(self) -> None:
        """End all connections; the peer goes on serving."""

    @abstractmethod
    def close(self) -> None:
        """End everything."""

    def arm(self, fault: Fault) -> None:
        """Do this to the next order or news. Only faults of `faults` are asked for."""
        raise NotImplementedError(fault)

    def bust(self, client_id: str, exec_id: str) -> None:
        """Take an execution back."""
        raise NotImplementedError

    def correct(self, client_id: str, exec_id: str, lots: int, price: float) -> None:
        """Correct an execution."""
        raise NotImplementedError

    def hammered(self) -> int:
        """Requests that came before the time that the rate limit named."""
        return 0


def _id(news: object) -> str | None:
    return getattr(news, "client_id", None)


class Heard:
    """What was heard, and waiting for it without asking again and again."""

    def __init__(self) -> None:
        self.news: list[VenueNews] = []
        self._changed = threading.Condition()

    def __call__(self, news: VenueNews) -> None:
        with self._changed:
            self.news.append(news)
            self._changed.notify_all()

    def until(self, found: Callable[[list[VenueNews]], N], patience_s: float = PATIENCE_S) -> N:
        """Wait until `found` says something that is true, and return it."""
        end = time.monotonic() + patience_s
        with self._changed:
            while not (result := found(list(self.news))):
                left = end - time.monotonic()
                assert left > 0.0, f"not heard within {patience_s:g} s; heard {self.news[-20:]}"
                self._changed.wait(left)
            return result

    def of(self, kind: type[N], client_id: str | None = None) -> list[N]:
        """All news of a kind, of an order."""
        return [
            n for n in list(self.news) if isinstance(n, kind) and client_id in (None, getattr(n, "client_id", None))
        ]

    def outcome(self, client_id: str) -> VenueNews:
        """What is first heard of an order that was sent."""
        kinds: tuple[type[VenueNews], ...] = (Acknowledged, RefusedByVenue, Lost)
        return self.until(lambda _: [n for k in kinds for n in self.of(k, client_id)])[0]

    def first(self, kind: type[N], client_id: str | None = None, patience_s: float = PATIENCE_S) -> N:
        """The first news of a kind, once it is heard."""
        return self.until(lambda _: self.of(kind, client_id), patience_s)[0]

    def ups(self) -> list[bool]:
        """The connection's ups and downs."""
        return [n.is_up for n in self.of(Connection)]


_NUMBERS = iter(range(10**9))


def ask(
    symbol: str,
    lots: int,
    order_type: OrderType = "market",
    limit: float | None = None,
    tif: TimeInForce = "day",
    client_id: str | None = None,
) -> Ask:
    """An order as the risk core hands it to a venue."""
    name = client_id or f"conf-{time.time_ns():x}-{next(_NUMBERS)}"
    return Ask(name, "strategy", symbol, lots, "any", "paper", "build", time.time_ns(), order_type, tif, limit)


def told(report: Report) -> dict[str, OpenAtVenue]:
    """A report's orders by client id."""
    return {o.client_id: o for o in report.orders}


def came_back(heard: Heard, before: int, news: list[VenueNews]) -> bool:
    """Whether the connection went and came since it had `before` ups and downs."""
    return len(heard.ups()) >= before + 2 and heard.ups()[-1]


def report_once_up(venue: Venue, heard: Heard) -> Report:
    """A report, once the connection stands; one that goes between the two is asked for again."""
    for _ in range(5):
        heard.until(lambda _: heard.ups()[-1] is True)
        before = len(heard.ups())
        try:
            return venue.report()
        except VenueError:
            heard.until(partial(_changed, heard, before))
    raise AssertionError("the venue says that it is up, and gives no report")


def _changed(heard: Heard, before: int, news: list[VenueNews]) -> bool:
    return len(heard.ups()) > before
