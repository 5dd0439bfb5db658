"""Whatever a feed says: nothing is raised, no price is believed that is none, and what is kept has limits."""

from __future__ import annotations

import math
import random

import pytest

from modules.engine.exchange.events import Instrument
from modules.live.feeds.market import Market
from modules.live.feeds.news import Bar, Beat, Depth, FeedNews, Levels, Link, Quote, Trade

LISTED = (Instrument("A.X", 0.01, 1.0), Instrument("B.X", 1e-8, 1e-8), Instrument("C.X", 1e6, 1e9))
NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 9.99, 10.0, 10.01, 10.005, 1e-8, 1e-320, 1e6, 1e15, 1.7e308, -1e300, math.inf,
    -math.inf, math.nan, 5e-324, 2.0**53,
)  # fmt: skip
TIMES = (0, 1, -1, 10**9, 2 * 10**9, 10**18, 2**63 - 1, -(2**63))


def levels(rng: random.Random) -> Levels:
    return tuple((rng.choice(NUMBERS), rng.choice(NUMBERS)) for _ in range(rng.choice((0, 1, 2, 30))))


def anything(rng: random.Random) -> FeedNews:
    number, at = lambda: rng.choice(NUMBERS), lambda: rng.choice(TIMES)
    symbol, venue = rng.choice(("A.X", "B.X", "C.X", "Z.X", "")), rng.choice(("v", "w"))
    kind = rng.randrange(7)
    if kind == 0:
        side = (number(), None)
        return Quote(symbol, venue, rng.choice(side), rng.choice(side), number(), number(), at(), at())
    if kind == 1:
        return Trade(symbol, venue, number(), number(), None, rng.choice(("", "1", "2")), at(), at())
    if kind in (2, 3):
        last = rng.choice((0, 1, 2, 3, -5, 2**62))
        first = rng.choice((last, last - 1, last + 1, 0))
        return Depth(symbol, venue, rng.random() < 0.3, first, last, levels(rng), levels(rng), at(), at())
    if kind == 4:
        return Bar(symbol, at(), number(), number(), number(), number(), number(), at())
    return Beat("f", at()) if kind == 5 else Link("f", rng.random() < 0.5, "why", at())


@pytest.mark.parametrize("seed", range(10))
def test_anything_at_all(seed: int) -> None:
    rng, market = random.Random(seed), Market(LISTED)
    market.listeners.append(lambda mark: believed.append(mark.price))
    believed: list[float] = []
    for _ in range(600):
        market.take("f", [anything(rng)])
        market.wanted()
        market.health.stalled(rng.choice(TIMES), "A.X")
    assert all(0.0 < price < math.inf for price in believed) and believed
    assert len(market.lines) <= 6 and market.unknown > 0
    for line in market.lines.values():
        for buy in (True, False):
            assert all(0.0 < p < math.inf and lots > 0 for p, lots in line.book.levels(buy, 100))
        assert line.book.sweep(10**6).lots >= 0
