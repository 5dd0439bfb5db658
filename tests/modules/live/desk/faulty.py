"""A venue behind a risk core, in this process, that really keeps orders, and a link that loses whatever a test wants.

It shares no code with the desk: what it holds is what is true at the venue.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from modules.live.messages import (
    Acknowledged,
    Ask,
    Cancelled,
    CancelRefused,
    Expired,
    Filled,
    OpenAtVenue,
    RefusedByVenue,
    Report,
    Ruled,
    VenueNews,
)
from modules.live.risk.rules import Answer, Rule


@dataclass
class AtVenue:
    symbol: str
    lots: int
    fills: list[Filled] = field(default_factory=list)
    ended: str | None = None

    @property
    def left(self) -> int:
        return self.lots - sum(f.lots for f in self.fills)


@dataclass
class Truth:
    """The venue, with the risk core before it. `outbox`: news that were said and not heard yet.

    `is_calm`: nothing is refused and nothing reduced.
    """

    orders: dict[str, AtVenue] = field(default_factory=dict)
    outbox: list[VenueNews] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    clock: int = 0
    is_calm: bool = False

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def submit(self, ask: Ask, chance: random.Random) -> Ruled:
        if ask.client_id in self.seen:
            return Ruled(ask.client_id, int(Answer.REJECT), int(Rule.DUPLICATE), 0, None, None, self.now())
        what = 0.5 if self.is_calm else chance.random()
        if what < 0.1:
            return Ruled(ask.client_id, int(Answer.REJECT), int(Rule.COLLAR), 0, 1.0, 2.0, self.now())
        allowed = ask.lots // 2 if what < 0.3 and abs(ask.lots) > 1 else ask.lots
        assert ask.client_id not in self.orders, "sent twice"
        self.seen.add(ask.client_id)
        if what > 0.95:
            self.outbox.append(RefusedByVenue(ask.client_id, "no", self.now()))
        else:
            self.orders[ask.client_id] = AtVenue(ask.symbol, allowed)
            self.outbox.append(Acknowledged(ask.client_id, f"v-{ask.client_id}", self.now()))
        answer = Answer.APPROVE if allowed == ask.lots else Answer.REDUCE
        return Ruled(ask.client_id, int(answer), 0, allowed, None, None, self.now())

    def trade(self, client_id: str, lots: int) -> None:
        order = self.orders[client_id]
        if order.ended or not order.left:
            return
        lots = max(-lots, min(lots, order.left))
        done = Filled(
            client_id, f"{client_id}-{len(order.fills)}", order.symbol, lots, 10.0, lots * 10_000_000, 7, self.now()
        )
        order.fills.append(done)
        self.outbox.append(done)
        if not order.left:
            order.ended = "filled"

    def cancel(self, client_id: str) -> None:
        order = self.orders.get(client_id)
        if order is None or order.ended:
            self.outbox.append(CancelRefused(client_id, "too late", self.now()))
            return
        order.ended = "cancelled"
        self.outbox.append(Cancelled(client_id, self.now()))

    def expire(self) -> None:
        for client_id, order in self.orders.items():
            if order.ended is None:
                order.ended = "expired"
                self.outbox.append(Expired(client_id, self.now()))

    @property
    def positions(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for order in self.orders.values():
            total[order.symbol] = total.get(order.symbol, 0) + sum(f.lots for f in order.fills)
        return {s: n for s, n in sorted(total.items()) if n}

    def report(self) -> Report:
        orders = tuple(
            OpenAtVenue(i, o.symbol, o.lots, tuple(o.fills), o.ended)  # type: ignore[arg-type]
            for i, o in self.orders.items()
        )
        return Report("sim", orders, self.positions, 0, True, self.now())


@dataclass
class FaultyLink:
    """A connection that may lose the asking, the answer, the connection, news, and repeats and reorders news."""

    truth: Truth
    chance: random.Random
    faults: float = 0.0
    is_open: bool = True

    def _fault(self, share: float = 1.0) -> bool:
        return self.chance.random() < self.faults * share

    def _check(self) -> None:
        if not self.is_open:
            raise ConnectionError("closed")

    def ask(self, ask: Ask) -> Ruled:
        self._check()
        if self._fault():
            self.is_open = False
            raise TimeoutError("the asking was lost")
        ruled = self.truth.submit(ask, self.chance)
        if self._fault():
            self.is_open = False
            raise TimeoutError("the answer was lost")
        if self._fault(0.3):
            return Ruled("someone else", 0, 0, 1, None, None, 0)
        return ruled

    def rehearse(self, ask: Ask) -> None:
        self._check()

    def cancel(self, client_id: str) -> None:
        self._check()
        if self._fault():
            self.is_open = False
            raise ConnectionError("gone")
        self.truth.cancel(client_id)

    def cancel_all(self, by: str, reason: str) -> None:
        self._check()
        for client_id, order in self.truth.orders.items():
            if order.ended is None:
                self.truth.cancel(client_id)

    def news(self, timeout_s: float) -> list[VenueNews]:
        self._check()
        if self._fault(0.2):
            self.is_open = False
            raise ConnectionError("gone")
        news, self.truth.outbox = self.truth.outbox, []
        if self.faults:
            news += [n for n in news if self.chance.random() < 0.3]
            if self.chance.random() < 0.5:
                self.chance.shuffle(news)
            if news and self._fault():  # lost with the connection that was to bring them
                self.is_open = False
                return news[: len(news) // 2]
        return news

    def report(self) -> Report:
        self._check()
        if self._fault():
            self.is_open = False
            raise TimeoutError("no report")
        return self.truth.report()

    def close(self) -> None:
        self.is_open = False
