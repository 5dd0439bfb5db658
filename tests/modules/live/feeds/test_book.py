"""The book beside one that is kept in dictionaries, over random messages; and its edges."""

from __future__ import annotations

import random

import pytest

from modules.engine.exchange.events import Instrument
from modules.live.feeds import book as module
from modules.live.feeds.book import DepthBook, Swept
from modules.live.feeds.gates import Gate

XRP = Instrument("XRP-USDT.BYBIT", 0.0001, 0.1)


def two(seed: int, low: int, high: int) -> None:
    """Random messages; after each the two books agree in best prices, sizes, levels and verdict."""
    rng = random.Random(seed)
    book = DepthBook(XRP)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    middle = (low + high) // 2
    for step in range(250):
        snapshot = step == 0 or rng.random() < 0.02
        if snapshot:
            bids, asks = {}, {}
            middle = rng.randrange(low, high)
        middle = max(low, min(high, middle + rng.randrange(-40, 41)))
        sides: list[list[tuple[float, float]]] = [[], []]
        for side, mine in enumerate((bids, asks)):
            for _ in range(rng.randrange(0, 12)):
                away = rng.randrange(1, 300)
                tick = middle - away if side == 0 else middle + away
                lots = rng.choice((0, 0, 1, 7, 500))
                if lots:
                    mine[tick] = lots
                else:
                    mine.pop(tick, None)
                sides[side].append((tick / 10_000, lots * 0.1))
        gate = (book.replace if snapshot else book.change)(tuple(sides[0]), tuple(sides[1]), step)
        bid, ask = max(bids, default=0), min(asks, default=1 << 60)
        assert gate is (Gate.PASS if bid < ask else Gate.LOCKED if bid == ask else Gate.CROSSED)
        assert book.bid == (bid / 10_000 if bids else None) and book.ask == (ask / 10_000 if asks else None)
        assert book.bid_lots == bids.get(bid, 0) and book.ask_lots == asks.get(ask, 0)
        assert book.levels(True, 1_000) == tuple((t / 10_000, bids[t]) for t in sorted(bids, reverse=True))
        assert book.levels(False, 1_000) == tuple((t / 10_000, asks[t]) for t in sorted(asks))


@pytest.mark.parametrize("seed", range(6))
def test_beside_dictionaries(seed: int) -> None:
    two(seed, 10_000, 30_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 300))
def test_beside_dictionaries_for_long(seed: int) -> None:
    two(seed, 400, 400_000)


BAD = [
    ((1.9531, 5.0), Gate.PASS),
    ((1.95311, 5.0), Gate.OFF_TICK),
    ((0.0, 5.0), Gate.ZERO),
    ((-1.0, 5.0), Gate.ZERO),
    ((float("nan"), 5.0), Gate.ZERO),
    ((float("inf"), 5.0), Gate.ZERO),
    ((1.9531, -1.0), Gate.ZERO),
    ((1.9531, float("nan")), Gate.ZERO),
    ((1e300, 1.0), Gate.ZERO),
]


@pytest.mark.parametrize(("level", "gate"), BAD)
def test_a_bad_level_changes_nothing(level: tuple[float, float], gate: Gate) -> None:
    book = DepthBook(XRP)
    assert book.replace(((1.95, 10.0),), ((1.96, 10.0),), 1) is Gate.PASS
    before = book.levels(True), book.levels(False)
    assert book.change(((1.951, 3.0), level), ((1.955, 3.0),), 2) is gate
    if gate is not Gate.PASS:
        assert (book.levels(True), book.levels(False)) == before and book.venue_ns == 1


def test_too_many_levels_are_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LEVELS", 3)
    assert DepthBook(XRP).replace(tuple((1.0 + k / 100, 1.0) for k in range(4)), (), 0) is Gate.ZERO


def test_levels_far_from_the_market_are_left_away_and_a_market_that_comes_near_them_needs_a_snapshot() -> None:
    book = DepthBook(Instrument("BTC-USDT.BINANCE", 0.01, 0.00001))
    assert book.replace(((0.01, 5.0), (60_000.0, 1.0)), ((60_000.5, 1.0), (500_000.0, 2.0)), 0) is Gate.PASS
    assert book.beyond == 2 and not book.at_edge
    assert (book.bid, book.ask) == (60_000.0, 60_000.5)
    assert book.change(((60_000.0, 0.0),), ((60_000.5, 0.0), (64_000.0, 1.0)), 1) is Gate.PASS
    assert book.change(((63_999.0, 1.0),), (), 2) is Gate.PASS
    assert book.levels(True) == ((63_999.0, 100_000),) and not book.at_edge
    for price in range(65_000, 90_000, 1_000):
        book.change(((float(price), 1.0),), ((price - 999.0, 0.0), (price - 100.0, 0.0), (price + 900.0, 1.0)), 3)
        if book.at_edge:
            break
    assert book.at_edge


def test_what_an_order_would_get() -> None:
    book = DepthBook(Instrument("A.X", 0.5, 1.0))
    book.replace(((99.0, 10.0), (98.0, 20.0)), ((100.0, 10.0), (102.0, 5.0)), 0)
    assert book.sweep(12) == Swept(12, (1000.0 + 204.0) / 12)
    assert book.sweep(12, limit=100.0) == Swept(10, 100.0)
    assert book.sweep(100) == Swept(15, (1000.0 + 510.0) / 15)
    assert book.sweep(-15, limit=98.0) == Swept(-15, (990.0 + 490.0) / 15)
    assert book.sweep(5, limit=99.0) == Swept(0, None)
