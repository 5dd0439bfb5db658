"""Closing everything: never more than is held, whatever the venue's report is behind, refuses, or loses.

1. From any account it ends flat, and at no moment has it traded through zero.
2. What was just sent and is not in the report yet is not sent again.
3. A market that refuses is asked less and less often.
4. Orders of others are cancelled before anything is closed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from modules.live.messages import Ask, Filled, OpenAtVenue, Report
from modules.live.riskd.flatten import Flattening
from modules.live.venues.port import Hear, VenueError

SECOND = 1_000_000_000


@dataclass
class Order:
    symbol: str
    lots: int
    arrives_ns: int
    fills_ns: int
    ended: bool = False
    filled: bool = False


@dataclass
class LaggingVenue:
    """Orders arrive, fill and are told at times of their own. Its report is of some time ago, and consistent."""

    held: dict[str, int]
    rng: random.Random
    lag_ns: int = 0
    refuses: bool = False
    loses: int = 0
    name: str = "sim"
    now_ns: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    past: list[tuple[int, Report]] = field(default_factory=list)
    sent: int = 0
    cancels: int = 0
    fails: bool = False

    def open(self, hear: Hear) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def cancel(self, client_id: str) -> None:
        raise NotImplementedError

    def submit(self, ask: Ask, lots: int) -> None:
        assert not [o for o in self.orders.values() if not o.ended and o.symbol == ask.symbol], "closed twice"
        self.sent += 1
        if self.loses:
            self.loses -= 1
            return
        wait = self.rng.randrange(0, 2 * SECOND)
        self.orders[ask.client_id] = Order(ask.symbol, lots, self.now_ns, self.now_ns + wait)

    def cancel_all(self) -> None:
        self.cancels += 1
        for order in self.orders.values():
            order.ended = True

    def move(self, to_ns: int) -> None:
        self.now_ns = to_ns
        for order in self.orders.values():
            if not order.ended and order.fills_ns <= to_ns:
                order.ended = True
                if not self.refuses:
                    order.filled = True
                    before = self.held.get(order.symbol, 0)
                    self.held[order.symbol] = before + order.lots
                    assert abs(self.held[order.symbol]) <= abs(before), "traded through zero"
        self.past.append((to_ns, self._now()))

    def _now(self) -> Report:
        told = []
        for client_id, o in self.orders.items():
            fills = (Filled(client_id, client_id, o.symbol, o.lots, 1.0, 0, 0, 0),) if o.filled else ()
            ended = None if not o.ended else ("filled" if o.filled else "rejected")
            told.append(OpenAtVenue(client_id, o.symbol, o.lots, fills, ended))  # type: ignore[arg-type]
        return Report(self.name, tuple(told), {s: n for s, n in self.held.items() if n}, 0, True, self.now_ns)

    def report(self) -> Report:
        if self.fails:
            raise VenueError("not now; ask again")
        seen = [r for at, r in self.past if at <= self.now_ns - self.lag_ns]
        return seen[-1] if seen else self.past[0][1]


def run(venue: LaggingVenue, seconds: int, until_flat: bool = True) -> Flattening:
    sent: list[str] = []

    def send(ask: Ask, lots: int) -> None:
        assert ask.lots == lots and ask.client_id not in sent
        sent.append(ask.client_id)
        venue.submit(ask, lots)

    closing = Flattening(venue, "demo", "paper", "b", send)
    for tick in range(seconds * 10):
        now = (tick + 1) * SECOND // 10
        venue.move(now)
        closing.step(now, now)
        if until_flat and closing.is_flat and not any(venue.held.values()):
            break
    return closing


@pytest.mark.parametrize("seed", range(12))
def test_1_2_it_ends_flat(seed: int) -> None:
    rng = random.Random(seed)
    held = {s: rng.randrange(-500, 500) for s in "ABCDE"}
    venue = LaggingVenue(held, rng, lag_ns=rng.choice([0, SECOND // 2, 3 * SECOND]), loses=rng.choice([0, 2]))
    if seed % 3 == 0:
        venue.orders["other"] = Order("A", 7 if held["A"] < 0 else -7, 0, 10**15)
    closing = run(venue, 300)
    assert closing.is_flat and not any(venue.held.values()), closing.sentence


def test_3_a_closed_market_is_not_hammered() -> None:
    venue = LaggingVenue({"A": 5}, random.Random(1), refuses=True)
    closing = run(venue, 600)
    assert "closing A 5" in closing.sentence
    assert 5 < venue.sent < 30
    venue.refuses = False
    before = venue.sent
    for tick in range(6_000, 7_000):
        venue.move(tick * SECOND // 10)
        closing.step(venue.now_ns, venue.now_ns)
    assert closing.is_flat and venue.sent == before + 1


def test_4_orders_of_others_first() -> None:
    venue = LaggingVenue({"A": 5}, random.Random(1))
    venue.orders["other"] = Order("A", 100, 0, 10**15)
    venue.move(0)
    closing = Flattening(venue, "demo", "paper", "b", venue.submit)
    closing.step(1, 1)
    assert (venue.cancels, venue.sent) == (1, 0)
    venue.fails = True
    closing.step(SECOND, SECOND)
    assert closing.trouble == "not now; ask again"


def test_a_venue_that_goes_wrong_is_asked_again() -> None:
    venue = LaggingVenue({"A": 5}, random.Random(1))
    venue.fails = True
    closing = run(venue, 3)
    assert not closing.is_flat and venue.sent == 0
    venue.fails = False
    for tick in range(31, 200):
        venue.move(tick * SECOND // 10)
        closing.step(venue.now_ns, venue.now_ns)
    assert closing.is_flat and not any(venue.held.values())
