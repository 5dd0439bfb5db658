"""A venue that answers as it likes: late, in part, twice, not at all. Lots and prices are whole numbers.

It keeps its own books, so that what an algorithm believes can be held against what really happened.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from modules.live.algorithms.algorithm import Algorithm
from modules.live.algorithms.heard import Event, NotSent, Send, Shown, Traded, Withdraw
from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Filled,
    Lost,
    RefusedByVenue,
    Ruled,
)
from modules.live.risk.rules import Answer, Rule

SECOND = 1_000_000_000
TICK = 10_000


@dataclass
class AtVenue:
    """An order as the venue has it: lots without sign."""

    send: Send
    lots: int
    filled: int = 0
    ended: bool = False


@dataclass
class World:
    """`kind`: how often it cuts, refuses, loses, fills a part, says things twice, takes fills back (0 to 1 each)."""

    algorithm: Algorithm
    seed: int = 0
    cut: float = 0.0
    refuse: float = 0.0
    lose: float = 0.0
    part: float = 0.0
    twice: float = 0.0
    bust: float = 0.0
    rest: float = 0.0
    market: bool = True
    late_fills: bool = False
    orders: dict[str, AtVenue] = field(default_factory=dict)
    sends: list[tuple[int, Send]] = field(default_factory=list)
    withdrawn: list[tuple[int, str]] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    bid: int = 1_000 * TICK
    now: int = 0
    most_at_risk: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    @property
    def filled(self) -> int:
        """Lots that really filled."""
        return sum(o.filled for o in self.orders.values())

    def run(self, until_ns: int, step_ns: int) -> None:
        """Let time pass: a price, some volume and some news a step, until the algorithm's end and then some."""
        while self.now < until_ns:
            self.step(step_ns)
        for _ in range(4):  # what is under way arrives
            self.now += 10 * SECOND
            self.resolve()
            while self.waiting:
                self._told(1.0)
            self._act(None)

    def step(self, step_ns: int) -> None:
        """One step of time."""
        self.now += step_ns
        if self.market and self.random.random() < 0.7:
            self._act(self._shown())
        if self.market and self.random.random() < 0.5:
            self._act(Traded("sim", self.bid, self.random.randint(1, 40), self.now))
        self._resting()
        self._told(self.random.random())
        self._act(None)

    def resolve(self) -> None:
        """The venue says what became of the orders that were lost."""
        for client_id in self.lost:
            order = self.orders.get(client_id)
            if order is None:
                self.waiting.append(NotSent(client_id, "the venue has no such order", self.now))
            else:
                order.ended = True
                self.waiting.append(Cancelled(client_id, self.now))
        self.lost = []

    def _shown(self) -> Shown:
        self.bid = max(10 * TICK, self.bid + self.random.randint(-2, 2) * TICK)
        depth = tuple((self.bid - k * TICK, self.random.randint(1, 30)) for k in range(3))
        asks = tuple((self.bid + (1 + k) * TICK, self.random.randint(1, 30)) for k in range(3))
        return Shown("sim", depth, asks, self.now)

    def _told(self, share: float) -> None:
        """Some of what waits is heard, in another order; only what a venue says of one order stays in its order."""
        order = list(self.waiting)
        self.random.shuffle(order)
        if not self.late_fills:
            own = {i: [e for e in self.waiting if _of(e) == i] for i in {_of(e) for e in order}}
            order = [own[_of(e)].pop(0) for e in order]
        self.waiting = order
        count = round(len(self.waiting) * share)
        heard, self.waiting = self.waiting[:count], self.waiting[count:]
        for event in heard:
            self._act(event)
            if self.random.random() < self.twice:
                self._act(event)

    def _act(self, event: Event | None) -> None:
        queue = self.algorithm.on(self.now, event)
        while queue:
            action = queue.pop(0)
            if isinstance(action, Withdraw):
                self.withdrawn.append((self.now, action.client_id))
                self._cancel(action.client_id)
            else:
                self.sends.append((self.now, action))
                queue += self._ruling(action)
            children = self.algorithm.children
            self.most_at_risk = max(self.most_at_risk, children.filled + children.open_lots)

    def _ruling(self, send: Send) -> list[Send | Withdraw]:
        """The risk core's answer comes at once, the venue's later."""
        ticket, roll = send.ticket, self.random.random()
        if roll < self.refuse:
            return self.algorithm.on(self.now, _ruled(ticket.client_id, 0, Answer.REJECT, Rule.STALE_PRICE, self.now))
        allowed = ticket.lots
        if self.random.random() < self.cut:
            allowed = ticket.lots // abs(ticket.lots) * self.random.randint(1, abs(ticket.lots))
        if self.random.random() < self.lose:
            self.lost.append(ticket.client_id)
            if self.random.random() < 0.5:  # it did arrive
                self.orders[ticket.client_id] = AtVenue(send, abs(ticket.lots))
                self._fills(self.orders[ticket.client_id])
            return self.algorithm.on(self.now, Lost(ticket.client_id, "no answer", self.now))
        order = self.orders[ticket.client_id] = AtVenue(send, abs(allowed))
        answer = Answer.APPROVE if allowed == ticket.lots else Answer.REDUCE
        out = self.algorithm.on(self.now, _ruled(ticket.client_id, allowed, answer, Rule.INSTRUMENT_NAV, self.now))
        if self.random.random() < self.refuse:
            order.ended = True
            self.waiting.append(RefusedByVenue(ticket.client_id, "halted", self.now))
            return out
        self.waiting.append(Acknowledged(ticket.client_id, f"v{len(self.orders)}", self.now))
        if ticket.time_in_force == "ioc":
            self._fills(order)
            if order.filled < order.lots:
                self.waiting.append(Cancelled(ticket.client_id, self.now))
            order.ended = True
        return out

    def _resting(self) -> None:
        for order in self.orders.values():
            if not order.ended and self.random.random() < self.rest:
                self._fills(order)

    def _fills(self, order: AtVenue) -> None:
        """A part of it, or all."""
        left = order.lots - order.filled
        if left == 0 or order.ended:
            return
        lots = self.random.randint(0, left) if self.random.random() < self.part else left
        if lots == 0:
            return
        ticket = order.send.ticket
        side = 1 if ticket.lots > 0 else -1
        exec_id = f"{ticket.client_id}/{order.filled}"
        order.filled += lots
        order.ended = order.filled == order.lots
        price = ticket.limit_micros or self.bid
        self.waiting.append(
            Filled(ticket.client_id, exec_id, ticket.symbol, side * lots, price / 1e6, side * lots * price, 0, self.now)
        )
        if self.random.random() < self.bust:
            order.filled -= lots
            order.ended = True
            self.waiting.append(Busted(ticket.client_id, exec_id, self.now))
            self.waiting.append(Cancelled(ticket.client_id, self.now))

    def _cancel(self, client_id: str) -> None:
        order = self.orders.get(client_id)
        if order is None or order.ended:
            self.waiting.append(CancelRefused(client_id, "no such order", self.now))
            return
        order.ended = True
        self.waiting.append(Cancelled(client_id, self.now))


def _ruled(client_id: str, allowed: int, answer: Answer, rule: Rule, now: int) -> Ruled:
    return Ruled(client_id, int(answer), int(rule), allowed, None, None, now)


def _of(event: Event) -> str:
    return getattr(event, "client_id", "")
