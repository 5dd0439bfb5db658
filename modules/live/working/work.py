"""An order worked from a process of its own: from its begin, or from where an earlier one was killed, to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from modules.live.algorithms.adopting import adopt
from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.children import news_of
from modules.live.algorithms.heard import NotSent, Shown
from modules.live.desk.asking import BookSeen, Level, Stand
from modules.live.desk.client import DeskUnavailableError
from modules.live.messages import VenueNews
from modules.live.orders.states import State
from modules.live.units import MICROS, SECOND_NS
from modules.live.working.counter import Counter
from modules.live.working.floor import Floor
from modules.live.working.remote import RemoteDesk

_LOOK_S: Final = 1.0
"""How often the desk is asked for the books that it sees, and what became of children that are open."""

MOST_LOOKED_AT: Final = 1_000
"""Open children of which the desk is asked at once."""


class News(Protocol):
    """What is needed of the risk core's connection."""

    def news(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said meanwhile. Raises OSError."""
        ...


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
