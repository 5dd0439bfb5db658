"""Algorithms at work: news and prices are kept for them, what they ask for goes to the desk, its answers come back.

The desk's listener only keeps what it hears; orders go out in `tend`, never from inside the desk.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Final, Protocol

from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.heard import Action, Event, NotSent, OrderNews, Send, Shown, Traded
from modules.live.algorithms.parent import AlgorithmError
from modules.live.desk.outcome import Outcome
from modules.live.feeds.news import Bar, Quote, Trade
from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Corrected,
    Expired,
    Filled,
    Lost,
    RefusedByVenue,
    VenueNews,
)
from modules.live.orders.order import Ticket
from modules.live.units import MICROS

MOST_PARENTS: Final = 10_000
_OF_ORDERS = (Acknowledged, RefusedByVenue, Filled, Corrected, Busted, Cancelled, CancelRefused, Expired, Lost, NotSent)


class Orders(Protocol):
    """What is needed of the desk."""

    def submit(self, ticket: Ticket, parent_left: int = -1) -> Outcome:
        """Ask for an order, once."""
        ...

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises OSError where there is no connection."""
        ...


class Floor:
    """All parents that are worked for one account. `hear` is to be among the desk's listeners."""

    def __init__(self, desk: Orders, lot_sizes: Mapping[str, float]) -> None:
        self.desk, self.lot_sizes = desk, dict(lot_sizes)
        self.working: dict[str, Algorithm] = {}
        self._waiting: deque[tuple[str, Event]] = deque()  # symbol, event
        self._owner: dict[str, Algorithm] = {}

    def work(self, algorithm: Algorithm) -> None:
        """Take on a parent. Raises AlgorithmError for one that is known, or a symbol without a lot size."""
        parent = algorithm.parent
        if parent.parent_id in self.working or len(self.working) >= MOST_PARENTS:
            raise AlgorithmError(
                f"parent {parent.parent_id} is known, or there are {MOST_PARENTS} already; an id is used once"
            )
        if parent.symbol not in self.lot_sizes:
            raise AlgorithmError(f"{parent.symbol} of parent {parent.parent_id} has no lot size here; list it first")
        self.working[parent.parent_id] = algorithm

    def owns(self, client_id: str, algorithm: Algorithm) -> None:
        """An order that went out before belongs to a parent that is worked here."""
        self._owner[client_id] = algorithm

    def hear(self, news: VenueNews | OrderNews) -> None:
        """Keep what the venue said of orders."""
        if isinstance(news, _OF_ORDERS):
            self._waiting.append(("", news))

    def seen(self, news: Quote | Trade | Bar, venue: str | None = None) -> None:
        """Keep what a feed said: a touch, a trade, or the volume of a bar (of `venue`)."""
        size = self.lot_sizes.get(news.symbol)
        if size is None:
            return
        if isinstance(news, Quote):
            bids = _level(news.bid, news.bid_size, size)
            asks = _level(news.ask, news.ask_size, size)
            self.shown(news.symbol, Shown(news.venue, bids, asks, news.seen_ns))
        elif isinstance(news, Trade):
            self._traded(news.symbol, news.venue, news.price, news.size / size, news.seen_ns)
        else:
            self._traded(news.symbol, venue or "", news.close, news.volume / size, news.known_ns)

    def shown(self, symbol: str, display: Shown) -> None:
        """Keep what a venue displays."""
        self._waiting.append((symbol, display))

    def traded(self, symbol: str, lots: int, ts_ns: int) -> None:
        """Keep what the market traded, wherever and at whatever price."""
        self._waiting.append((symbol, Traded("", 0, lots, ts_ns)))

    def _traded(self, symbol: str, venue: str, price: float, lots: float, ts_ns: int) -> None:
        if lots >= 1.0 and price > 0.0 and math.isfinite(lots + price):
            self._waiting.append((symbol, Traded(venue, round(price * MICROS), math.floor(lots), ts_ns)))

    def tend(self, now_ns: int) -> int | None:
        """Hand over what was kept, send what is asked for; returns when to call again at the latest, None = on news."""
        while self._waiting:
            symbol, event = self._waiting.popleft()
            if isinstance(event, Shown | Traded):
                for algorithm in self.working.values():
                    if algorithm.parent.symbol == symbol:
                        self._do(algorithm, now_ns, algorithm.on(now_ns, event))
            elif event.client_id in self._owner:
                algorithm = self._owner[event.client_id]
                self._do(algorithm, now_ns, algorithm.on(now_ns, event))
        for algorithm in self.working.values():
            self._do(algorithm, now_ns, algorithm.on(now_ns))
        return min((w for w in (a.wake_ns for a in self.working.values()) if w is not None), default=None)

    def stop(self, parent_id: str, reason: str, now_ns: int) -> None:
        """End a parent. Raises AlgorithmError for one that is not known."""
        if parent_id not in self.working:
            raise AlgorithmError(f"parent {parent_id} is not worked here; name one of {', '.join(self.working)}")
        algorithm = self.working[parent_id]
        self._do(algorithm, now_ns, algorithm.stop(reason))

    def drop_done(self) -> list[Algorithm]:
        """Those that are done; their late news are no longer heard."""
        done = [a for a in self.working.values() if a.standing is Standing.DONE]
        for algorithm in done:
            del self.working[algorithm.parent.parent_id]
        self._owner = {i: a for i, a in self._owner.items() if a.parent.parent_id in self.working}
        return done

    def _do(self, algorithm: Algorithm, now_ns: int, actions: list[Action]) -> None:
        queue = deque(actions)
        while queue:
            action = queue.popleft()
            if isinstance(action, Send):
                self._owner[action.ticket.client_id] = algorithm
                outcome = self.desk.submit(action.ticket, action.parent_left)
                queue += algorithm.on(now_ns, _answer(outcome, now_ns))
            else:
                try:
                    self.desk.cancel(action.client_id)
                except OSError:
                    continue  # no connection: the cancel is asked for again after a pause


def _answer(outcome: Outcome, now_ns: int) -> Event:
    """What became of a ticket, as an algorithm hears it."""
    if outcome.ruled is not None:
        return outcome.ruled
    why = outcome.why or outcome.status
    if outcome.status == "held":
        return NotSent(outcome.client_id, why, now_ns)
    if outcome.status == "refused":
        return RefusedByVenue(outcome.client_id, why, now_ns)
    return Lost(outcome.client_id, why, now_ns)


def _level(price: float | None, size: float, lot_size: float) -> tuple[tuple[int, int], ...]:
    if price is None or not (math.isfinite(price) and price > 0.0 and math.isfinite(size)):
        return ()
    return ((round(price * MICROS), math.floor(size / lot_size + 1e-9)),)
