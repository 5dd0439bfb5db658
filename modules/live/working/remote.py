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
from typing import Final, Protocol, TypeVar

from modules.live.algorithms.adopting import adopt
from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.children import news_of
from modules.live.algorithms.heard import NotSent, Shown
from modules.live.algorithms.parent import Parent
from modules.live.desk.asking import BookSeen, ByHand, Children, ChildrenAsked, Level, Stand, Told
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.outcome import Outcome
from modules.live.messages import Ruled, VenueNews
from modules.live.orders.ids import decided_ns
from modules.live.orders.order import Ticket
from modules.live.orders.states import State
from modules.live.units import MICROS, SECOND_NS
from modules.live.working.floor import Floor

_LOOK_S: Final = 1.0
"""How often the desk is asked for the books that it sees, and what became of children that are open."""

MOST_LOOKED_AT: Final = 1_000
"""Open children of which the desk is asked at once."""


T = TypeVar("T")


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
        self._taken: dict[str, ChildrenAsked] = {}
        self.is_new = False
        """Whether the connection was made anew since `children` was asked for all."""

    def children(self, parent: Parent, ids: tuple[str, ...] = ()) -> Children:
        """What is out of a parent, or of its orders `ids`. No older connection can send any of it from now on.

        Raises DeskUnavailableError.
        """
        asked = ChildrenAsked(parent.strategy, parent.symbol, parent.parent_id, ids)
        told = self._call(lambda desk: desk.children(asked))
        self._taken[parent.parent_id] = ChildrenAsked(parent.strategy, parent.symbol, parent.parent_id, ("",))
        if not ids:
            self.is_new = False
        return told

    def goes_on(self, parent_id: str, number: int) -> None:
        """The next child of a parent has this number."""
        self._numbers[parent_id] = number

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
                return _outcome(ticket, self._call(lambda desk: desk.submit(asked)))
            except DeskUnavailableError as error:
                may_be_out |= error.may_be_out
                words = str(error)
        return Outcome("unknown" if may_be_out else "held", ticket.client_id, why=words)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises OSError where nobody can be asked."""
        told = self._call(lambda desk: desk.cancel(client_id))
        if told.status != "done":
            raise DeskUnavailableError(f"cancel of {client_id}: {told.status}, {told.why}")

    def stand(self) -> Stand:
        """Where the desk stands. Raises DeskUnavailableError."""
        return self._call(lambda desk: desk.stand())

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _call(self, what: Callable[[DeskClient], T]) -> T:
        try:
            if self._client is None:
                self._client = DeskClient(self._path, self._timeout_s)
                self.is_new = True
                for taken in self._taken.values():
                    self._client.children(taken)
            return what(self._client)
        except DeskUnavailableError:
            self.close()
            raise


@dataclass
class Counter:
    """What the market traded since an order's begin, in lots, by the desk's count of units. `born_ns`: the desk whose
    count `units` was; of a desk that began later all counts, and what was traded while there was none does not.
    """

    symbol: str
    lot_size: float
    born_ns: int
    units: float
    left: float = 0.0
    kept: Callable[[Counter, int], None] = lambda _self, _lots: None
    """Told after each count, with the lots that came."""

    def more(self, stand: Stand) -> int:
        """Whole lots since the last call."""
        units = stand.traded.get(self.symbol, 0.0)
        before = self.units if stand.born_ns == self.born_ns else 0.0
        if units == before and stand.born_ns == self.born_ns:
            return 0
        self.left += max(0.0, units - before) / self.lot_size
        self.born_ns, self.units = stand.born_ns, units
        lots = int(self.left + 1e-9)
        self.left = max(0.0, self.left - lots)
        self.kept(self, lots)
        return lots


@dataclass
class Work:
    """One order being worked. `say` is told of each step of it; `until` ends it early when it says why.

    `is_begun`: an earlier process worked it, so children may be out; nothing is sent before the desk can say which.
    """

    algorithm: Algorithm
    desk: RemoteDesk
    risk: News
    lot_size: float
    say: Callable[[str], None] = lambda _: None
    until: Callable[[], str | None] = lambda: None
    clock_ns: Callable[[], int] = time.time_ns
    is_begun: bool = False
    stopped: Callable[[str], None] = lambda _: None
    """Told once why it was stopped, before anything is done about it."""
    counter: Counter | None = None
    """Counts what the market trades, where the algorithm goes by that."""

    def run(self) -> None:
        """Until it is done. Raises OSError where the risk core is gone: children may be at the venue then."""
        parent = self.algorithm.parent
        self._floor = Floor(self.desk, {parent.symbol: self.lot_size})
        self._floor.work(self.algorithm)
        if self.is_begun:
            self._take_over()
        looked, filled, is_told = 0, -1, False
        while True:
            now = self.clock_ns()
            why = self.until()
            if why is not None and self.algorithm.stopped is None:
                self.stopped(why)
                is_told = True
                self._floor.stop(parent.parent_id, why, now)
            if now - looked >= _LOOK_S * SECOND_NS:
                looked = now
                self._look(now)
            wake = self._floor.tend(now)
            if self.algorithm.stopped is not None and not is_told:
                self.stopped(self.algorithm.stopped)
                is_told = True
            if self.algorithm.children.filled != filled:
                filled = self.algorithm.children.filled
                self.say(f"{filled} of {parent.total} lots filled")
            if self.algorithm.standing is Standing.DONE:
                return
            wait_s = _LOOK_S if wake is None else min(_LOOK_S, max(0.0, (wake - now) / SECOND_NS))
            for news in self.risk.news(wait_s):
                self._floor.hear(news)

    def _take_over(self) -> None:
        """Know what is out before anything is sent. Raises DeskUnavailableError where it is ended before that."""
        parent, is_told = self.algorithm.parent, False
        while True:
            try:
                told = self.desk.children(parent)
                why = told.cancel_only
                if why is None:
                    known = adopt(self.algorithm, told.orders)
                    self.desk.goes_on(parent.parent_id, self.algorithm.children.number)
                    for order in self.algorithm.children.book.orders:
                        self._floor.owns(order, self.algorithm)
                    self.say(f"goes on where it was: {known} children were sent")
                    return
            except DeskUnavailableError as error:
                why = str(error)
            if not is_told:
                is_told = True
                self.say(f"waits for the desk to say what is out: {why}")
            ended = self.until()
            if ended is not None:
                self.stopped(ended)
                raise DeskUnavailableError(f"{ended}, before the desk could say what is out: {why}", may_be_out=True)
            for news in self.risk.news(_LOOK_S):
                self._floor.hear(news)

    def _look(self, now: int) -> None:
        """What the desk sees of the market, and what became of children that are open; nothing where it is silent."""
        try:
            stand = self.desk.stand()
            self._market(stand, now)
            live = [o.ticket.client_id for o in self.algorithm.children.live()][:MOST_LOOKED_AT]
            if not live and not self.desk.is_new:
                return
            told = self.desk.children(self.algorithm.parent, () if self.desk.is_new else tuple(live))
        except DeskUnavailableError:
            return
        known = {o.client_id: o for o in told.orders}
        for name in live:
            if name in known:
                for news in news_of(known[name]):
                    self._floor.hear(news)
            elif told.cancel_only is None and self._is_vague(name):
                self._floor.hear(NotSent(name, "the desk never had it", now))

    def _is_vague(self, name: str) -> bool:
        """Whether nobody said yet that it went out."""
        return self.algorithm.children.book.orders[name].state in (State.CREATED, State.UNKNOWN)

    def _market(self, stand: Stand, now: int) -> None:
        symbol = self.algorithm.parent.symbol
        for book in stand.books:
            if book.symbol == symbol and book.stalled is None:
                self._floor.shown(symbol, _shown(book))
        lots = 0 if self.counter is None else self.counter.more(stand)
        if lots:
            self._floor.traded(symbol, lots, now)


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
