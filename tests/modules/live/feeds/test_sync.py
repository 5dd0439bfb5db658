"""The sequence of a book.

1. What is applied has no gap and nothing twice, whatever is lost, doubled or mixed up on the way.
2. After a gap nothing is applied until a snapshot, and then only what joins on to it.
"""

from __future__ import annotations

import random

import pytest

from modules.live.feeds import sync
from modules.live.feeds.news import Depth
from modules.live.feeds.sync import Stand, Sync


def message(first: int, last: int, *, snapshot: bool = False) -> Depth:
    return Depth("A.X", "x", snapshot, first, last, (), (), 0, 0)


def snap(last: int) -> Depth:
    return message(last, last, snapshot=True)


ROWS = [
    # what comes, the last numbers applied, where the book stands then
    ("nothing before a snapshot", [message(1, 1), message(2, 2)], [], Stand.EMPTY),
    ("snapshot, then changes", [snap(5), message(6, 6), message(7, 9)], [5, 6, 9], Stand.LIVE),
    ("what a snapshot covers is dropped", [snap(5), message(4, 4), message(5, 5), message(6, 6)], [5, 6], Stand.LIVE),
    ("a change that overlaps joins", [snap(5), message(4, 7)], [5, 7], Stand.LIVE),
    ("doubled", [snap(5), message(6, 6), message(6, 6)], [5, 6], Stand.LIVE),
    ("a gap stops it", [snap(5), message(7, 7), message(8, 8)], [5], Stand.LOST),
    ("held over a gap", [snap(5), message(7, 7), message(8, 8), snap(6)], [5, 6, 7, 8], Stand.LIVE),
    ("held, partly covered", [message(4, 5), message(6, 8), snap(6)], [6, 8], Stand.LIVE),
    ("a snapshot that is too old", [message(9, 9), snap(5)], [], Stand.LOST),
    ("too old, then a newer one", [message(9, 9), snap(5), message(10, 10), snap(9)], [9, 10], Stand.LIVE),
    ("a hole in what was held", [message(6, 6), message(8, 8), snap(5)], [], Stand.LOST),
    ("the venue begins anew", [snap(5), message(6, 6), snap(1), message(2, 2)], [5, 6, 1, 2], Stand.LIVE),
    ("without numbers", [snap(0), message(0, 0), message(0, 0)], [0, 0, 0], Stand.LIVE),
    ("without numbers, nothing is held", [message(0, 0), snap(0)], [0], Stand.LIVE),
]


@pytest.mark.parametrize(("words", "said", "applied", "stand"), ROWS, ids=[r[0] for r in ROWS])
def test_a_sequence(words: str, said: list[Depth], applied: list[int], stand: Stand) -> None:
    book = Sync()
    got = [d for one in said for d in book.take(one)]
    assert ([d.last for d in got], book.stand) == (applied, stand)
    assert changes(said) == changes(got) + book.dropped + len(book.held), "none disappears uncounted"


def changes(messages: list[Depth]) -> int:
    return sum(not d.is_snapshot for d in messages)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_on_the_way(seed: int) -> None:
    rng = random.Random(seed)
    book, at, applied, lost = Sync(), 0, -1, 0
    waiting = False
    for _ in range(400):
        width = rng.randrange(1, 4)
        one = message(at + 1, at + width)
        at += width
        if rng.random() < 0.05:
            lost += 1
            continue
        for again in range(2 if rng.random() < 0.05 else 1):
            for done in book.take(one):
                assert again == 0 and done.first <= applied + 1 <= done.last
                applied = done.last
        if not book.is_live and (not waiting or rng.random() < 0.2):
            waiting = True
            whole = snap(max(0, at - rng.randrange(0, 6)))
            got = book.take(whole)
            for k, done in enumerate(got):
                assert done.is_snapshot == (k == 0) and (k == 0 or done.first <= applied + 1 <= done.last)
                applied = done.last
    assert lost > 5 and book.gaps > 3 and applied > 0


def test_what_is_held_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "MOST_HELD", 10)
    book = Sync()
    for k in range(1, 36):
        book.take(message(k, k))
        assert len(book.held) <= 10
    assert [d.last for d in book.take(snap(33))] == [33, 34, 35]


def test_their_levels_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "MOST_HELD_LEVELS", 10)
    book = Sync()
    for k in range(1, 40):
        book.take(Depth("A.X", "x", False, k, k, ((1.0, 1.0),) * 2, ((2.0, 1.0),), 0, 0))
        assert sum(len(d.bids) + len(d.asks) for d in book.held) == book.held_levels <= 10
    assert book.dropped > 20
    book.take(snap(39))
    assert book.held_levels == 0
