"""An order worked from a process of its own: children through the desk's socket, news from the risk core's.

The desk stays the only one that asks for orders, the risk core the only one at the venue. Where the desk does not
answer, the same child is asked for again through a new connection: it is the same order, and is not sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.heard import Shown
from modules.live.desk.asking import BookSeen, ByHand, Level, Stand, Told
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.outcome import Outcome
from modules.live.messages import Ruled, VenueNews
from modules.live.orders.ids import decided_ns
from modules.live.orders.order import Ticket
from modules.live.units import MICROS, SECOND_NS
from modules.live.working.floor import Floor

_LOOK_S: Final = 1.0
"""How often the desk is asked for the books that it sees."""


class News(Protocol):
    """What is needed of the risk core's connection."""

    def news(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said meanwhile. Raises OSError."""
        ...


class RemoteDesk:
    """The desk behind a socket, as a floor needs it."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        """Raises DeskUnavailableError where nobody serves it."""
        self._path, self._timeout_s = path, timeout_s
        self._client: DeskClient | None = DeskClient(path, timeout_s)
        self._numbers: dict[str, int] = {}

    def submit(self, ticket: Ticket, parent_left: int = -1) -> Outcome:
        """Ask for a child, once; asked again where no answer came, until one comes or none can."""
        assert ticket.parent is not None, "only children are worked"
        number = self._numbers.setdefault(ticket.parent, 0)
        self._numbers[ticket.parent] = number + 1
        limit = None if ticket.limit_micros is None else ticket.limit_micros / MICROS
        asked = ByHand(
            ticket.strategy, ticket.symbol, ticket.lots, ticket.venue, decided_ns(ticket.client_id), number,
            ticket.order_type, ticket.time_in_force, limit, ticket.parent, parent_left,
        )  # fmt: skip
        may_be_out = False
        for _ in range(2):
            try:
                return _outcome(ticket, self._asked(lambda desk: desk.submit(asked)))
            except DeskUnavailableError as error:
                may_be_out |= error.may_be_out
                words = str(error)
        return Outcome("unknown" if may_be_out else "held", ticket.client_id, why=words)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises OSError where nobody can be asked."""
        told = self._asked(lambda desk: desk.cancel(client_id))
        if told.status != "done":
            raise DeskUnavailableError(f"cancel of {client_id}: {told.status}, {told.why}")

    def stand(self) -> Stand:
        """Where the desk stands. Raises DeskUnavailableError."""
        if self._client is None:
            self._client = DeskClient(self._path, self._timeout_s)
        try:
            return self._client.stand()
        except DeskUnavailableError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _asked(self, what: Callable[[DeskClient], Told]) -> Told:
        if self._client is None:
            self._client = DeskClient(self._path, self._timeout_s)
        try:
            return what(self._client)
        except DeskUnavailableError:
            self.close()
            raise


@dataclass
class Work:
    """One order being worked. `say` is told of each step of it; `until` ends it early when it says why."""

    algorithm: Algorithm
    desk: RemoteDesk
    risk: News
    lot_size: float
    say: Callable[[str], None] = lambda _: None
    until: Callable[[], str | None] = lambda: None
    clock_ns: Callable[[], int] = time.time_ns

    def run(self) -> None:
        """Until it is done. Raises OSError where the risk core is gone: children may be at the venue then."""
        symbol = self.algorithm.parent.symbol
        floor = Floor(self.desk, {symbol: self.lot_size})
        floor.work(self.algorithm)
        looked, filled = 0, -1
        while True:
            now = self.clock_ns()
            why = self.until()
            if why is not None and self.algorithm.stopped is None:
                floor.stop(self.algorithm.parent.parent_id, why, now)
            if now - looked >= _LOOK_S * SECOND_NS:
                looked = now
                for display in self._books():
                    floor.shown(symbol, display)
            wake = floor.tend(now)
            if self.algorithm.children.filled != filled:
                filled = self.algorithm.children.filled
                self.say(f"{filled} of {self.algorithm.parent.total} lots filled")
            if self.algorithm.standing is Standing.DONE:
                return
            wait_s = _LOOK_S if wake is None else min(_LOOK_S, max(0.0, (wake - now) / SECOND_NS))
            for news in self.risk.news(wait_s):
                floor.hear(news)

    def _books(self) -> Iterator[Shown]:
        """What the desk sees of the symbol; nothing where it does not answer or the feed has stalled."""
        try:
            books = self.desk.stand().books
        except DeskUnavailableError:
            return
        for book in books:
            if book.symbol == self.algorithm.parent.symbol and book.stalled is None:
                yield _shown(book)


def _shown(book: BookSeen) -> Shown:
    def side(levels: tuple[Level, ...]) -> tuple[tuple[int, int], ...]:
        return tuple((round(x.price * MICROS), int(x.lots)) for x in levels)

    return Shown(book.venue, side(book.bids), side(book.asks), book.ts_ns)


def _outcome(ticket: Ticket, told: Told) -> Outcome:
    """What the desk told, as it says it in its own process."""
    if told.client_id != ticket.client_id:
        return Outcome("refused", ticket.client_id, why=told.why or f"the desk knows it as {told.client_id!r}")
    ruled = None
    if told.answer is not None and told.rule is not None and told.allowed is not None:
        ruled = Ruled(ticket.client_id, told.answer, told.rule, told.allowed, told.limit, told.value, 0)
    status = "refused" if told.status in ("bad", "done") else told.status
    return Outcome(status, ticket.client_id, ruled, told.why)  # type: ignore[arg-type]


@contextmanager
def remote(path: Path) -> Iterator[RemoteDesk]:
    """A desk's socket, hung up on at the end. Raises DeskUnavailableError."""
    desk = RemoteDesk(path)
    try:
        yield desk
    finally:
        desk.close()
