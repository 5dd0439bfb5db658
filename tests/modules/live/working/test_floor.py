"""Algorithms over a real desk with its journal, whose link to the venue loses what it likes.

1. What is at the venue for a parent is never more than the parent, nor after its end; all of it where nothing fails.
2. Once the desk and the venue agree, the algorithm believes filled what filled.
3. Held back (the desk is cancel-only) is a pause, not a refusal.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from modules.live.algorithms.algorithm import Standing
from modules.live.algorithms.heard import Shown
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.settings import Twap, build
from modules.live.desk.desk import Desk, Identity
from modules.live.feeds.news import Bar, Quote, Trade
from modules.live.journal.file import FileJournal
from modules.live.messages import Filled
from modules.live.orders.ids import client_id, decided_ns, is_of
from modules.live.working.floor import Floor
from tests.modules.live.desk.faulty import FaultyLink, Truth

SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND
END = BEGIN + 120 * SECOND


def parent(lots: int, number: int = 0) -> Parent:
    """Two minutes of AAA."""
    name = client_id("main", "alpha", BEGIN - SECOND, "AAA", number)
    return Parent(name, "main", "alpha", "AAA", lots, BEGIN, END, ("sim",))


class Scene:
    """A desk, its venue, and a floor with orders to work."""

    def __init__(self, folder: Path, seed: int, faults: float) -> None:
        self.truth, self.chance, self.now = Truth(), random.Random(seed), BEGIN - 5 * SECOND
        journal = FileJournal(folder, clock_ns=lambda: self.now)
        self.desk = Desk(
            Identity("main", "paper", "b"), lambda: FaultyLink(self.truth, self.chance, faults), journal, settle_s=0.0
        )
        self.floor = Floor(self.desk, {"AAA": 0.5})
        self.desk.listeners.append(self.floor.hear)

    def run(self, until: int) -> None:
        """A second at a time: a quote, some fills, the desk, the floor."""
        while self.now < until:
            self.now += SECOND
            quote = Quote("AAA", "sim", 9.99, 10.01, 500.0, 500.0, self.now, self.now)
            self.floor.seen(quote)
            for order in sorted(self.truth.orders):
                if self.chance.random() < 0.5:
                    self.truth.trade(order, self.chance.randint(1, 8))
            if self.desk.cancel_only is not None:
                self.desk.recover()
            self.desk.poll(0.0)
            self.floor.tend(self.now)


@pytest.mark.parametrize("seed", [1, 3, *(pytest.param(k, marks=pytest.mark.slow) for k in (0, 2, 4, 5, 7, 8))])
def test_over_a_desk_that_loses_things(tmp_path: Path, seed: int) -> None:
    """1, 2."""
    scene = Scene(tmp_path / "journal", seed, faults=0.1 * (seed % 3))
    buys, sells = build(parent(300), Twap(slice_s=10)), build(parent(-200, 1), Twap(slice_s=15))
    scene.floor.work(buys)
    scene.floor.work(sells)
    scene.run(END + 60 * SECOND)
    for _ in range(50):  # until all is said
        scene.run(scene.now + SECOND)
    assert scene.desk.cancel_only is None or seed % 3
    for algorithm in (buys, sells):
        ids = [i for i in scene.truth.orders if i in algorithm.children.book.orders]
        at_venue = sum(f.lots for i in ids for f in scene.truth.orders[i].fills)
        side = algorithm.parent.side
        assert 0 < side * at_venue <= algorithm.parent.total
        assert algorithm.children.filled == side * at_venue
        assert algorithm.standing is Standing.DONE or algorithm.children.open_lots
        for name in ids:
            assert is_of("main", name) and BEGIN <= decided_ns(name) < END
            assert scene.desk.book.orders[name].ticket.parent == algorithm.parent.parent_id
        if seed % 3 == 0:
            assert at_venue == algorithm.parent.lots or algorithm.stopped
    assert set(scene.floor.drop_done()) <= {buys, sells}


def test_held_back_is_a_pause(tmp_path: Path) -> None:
    """3: cancel-only for half of the window; the order is caught up afterwards."""
    scene = Scene(tmp_path / "journal", 1, faults=0.0)
    algorithm = build(parent(100), Twap(slice_s=10))
    scene.floor.work(algorithm)
    for now in range(BEGIN, BEGIN + 60 * SECOND, SECOND):  # nobody connects
        scene.floor.seen(Quote("AAA", "sim", 9.99, 10.01, 500.0, 500.0, now, now))
        scene.floor.tend(now)
    assert len(algorithm.children.kinds) > 5 and algorithm.stopped is None and algorithm.refusals == 0
    assert not scene.truth.orders
    scene.now = BEGIN + 60 * SECOND
    scene.run(END + 30 * SECOND)
    assert sum(f.lots for o in scene.truth.orders.values() for f in o.fills) == 100


class Told:
    """What a floor hands over, seen from outside."""

    def __init__(self) -> None:
        self.algorithm = build(parent(10), Twap())
        self.floor = Floor(None, {"AAA": 0.5})  # type: ignore[arg-type]
        self.floor.work(self.algorithm)


def test_feeds_are_put_into_lots_and_micros() -> None:
    told = Told()
    told.floor.seen(Quote("AAA", "sim", 9.99, None, 20.4, 0.0, 5, 7))
    told.floor.seen(Quote("BBB", "sim", 1.0, 2.0, 1.0, 1.0, 5, 7))
    told.floor.tend(0)
    assert told.algorithm.shown == {"sim": Shown("sim", ((9_990_000, 40),), (), 7)}
    for known in (BEGIN, BEGIN + 1, END, END + 1):
        told.floor.seen(Bar("AAA", 0, 1.0, 1.0, 1.0, 1.0, 3.0, known), "sim")
    told.floor.seen(Trade("AAA", "sim", 10.0, 0.4, None, "t", 0, BEGIN + 1))  # less than a lot
    told.floor.seen(Trade("AAA", "sim", float("nan"), 4.0, None, "t", 0, BEGIN + 1))
    told.floor.tend(1)
    assert told.algorithm.volume == 12  # only what was known inside the window


def test_parents_are_known_once() -> None:
    told = Told()
    with pytest.raises(AlgorithmError, match="an id is used once"):
        told.floor.work(build(parent(10), Twap()))
    with pytest.raises(AlgorithmError, match="has no lot size"):
        Floor(None, {}).work(build(parent(10), Twap()))  # type: ignore[arg-type]
    with pytest.raises(AlgorithmError, match="is not worked here"):
        told.floor.stop("x", "why", 0)
    told.floor.hear(Filled("of somebody else", "e", "AAA", 1, 1.0, 1, 0, 0))
    assert told.floor.tend(5) == BEGIN
    told.floor.stop(told.algorithm.parent.parent_id, "by hand", 5)
    assert told.floor.drop_done() == [told.algorithm] and told.floor.working == {}
