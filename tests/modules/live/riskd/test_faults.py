"""A day of faults at a real socket: what the risk core knows of the account ends as the exchange has it.

1. Whatever fails and whenever the process restarts: positions, open lots and cash end as the exchange's, once nothing
   is refused any more.
2. An order is at the exchange at most once, and only one that was approved.
3. While it is not known where the account stands, nothing is approved.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from modules.live.messages import Ask, Cancel, Marked
from modules.live.risk.rules import Rule
from modules.live.riskd import rulings, standing
from tests.modules.live.riskd.house import core, drain, folder
from tests.modules.live.venues.conformance import Fault
from tests.modules.live.venues.test_sim import SimUnderTest

pytestmark = pytest.mark.slow
ORDER_FAULTS = [Fault.REFUSE, Fault.HANG_UP_BEFORE, Fault.HANG_UP_AFTER, Fault.SILENT, Fault.GARBAGE]
NEWS_FAULTS = [Fault.DUPLICATE, Fault.GAP]
PATIENCE_S = 40.0


class Story:
    """A peer, a risk core that comes and goes, and what was approved."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place, self.rng = place, random.Random(seed)
        self.peer = SimUnderTest()
        self.approved: dict[str, int] = {}
        self.refused: set[str] = set()
        self.count = 0

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        with core(self.place, self.peer.adapter()) as (self.rulings, self.inbox):
            yield

    def mark(self) -> None:
        for symbol in (self.peer.symbol, self.peer.other):
            self.rulings.hear(Marked(symbol, 100.0, time.time_ns()))

    def pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            drain(self.rulings, self.inbox)
            self.rulings.tick()
            if time.monotonic() >= end:
                return
            time.sleep(0.005)

    def ask(self) -> None:
        if self.rulings.refusing is not None and self.rng.random() < 0.7:
            self.mark()
            self.settle()
        self.count += 1
        symbol, lots = self.rng.choice([self.peer.symbol, self.peer.other]), self.rng.choice([-9, -4, 5, 8])
        kind = {"order_type": "limit", "limit_price": 99.0 if lots > 0 else 101.0} if self.rng.random() < 0.7 else {}
        ask = Ask(f"s{self.count}", "alpha", symbol, lots, "sim", "paper", "b1", time.time_ns(), **kind)  # type: ignore[arg-type]
        refusing = self.rulings.refusing
        ruled = self.rulings.ask(ask)
        if ruled.allowed:
            assert refusing is None
            self.approved[ask.client_id] = ruled.allowed
        else:
            assert refusing is None or ruled.rule == Rule.CANCEL_ONLY
            self.refused.add(ask.client_id)

    def step(self) -> None:
        what, known = self.rng.random(), self.peer.orders()
        live = [i for i, o in known.items() if o.ended is None]
        some = self.rng.choice(list(known)) if known else None
        if what < 0.5:
            self.ask()
        elif what < 0.7 and live:
            client_id = self.rng.choice(live)
            order = known[client_id]
            left = order.lots - order.filled
            part = left if self.rng.random() < 0.5 else (1 if left > 0 else -1)
            self.peer.fill(client_id, part, 100.0)
        elif what < 0.78 and live:
            self.rulings.cancel(Cancel(self.rng.choice(live)))
        elif what < 0.82 and some is not None and known[some].ended == "cancelled":
            self.peer.fill(some, 1 if known[some].lots > 0 else -1, 100.0)
        elif what < 0.93:
            self.peer.arm(self.rng.choice(ORDER_FAULTS if self.rng.random() < 0.7 else NEWS_FAULTS))
        elif what < 0.97:
            self.peer.hang_up()
        else:
            self.mark()

    def settle(self) -> None:
        """Wait until it says that it knows where it stands."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.pump(0.05)
            if self.rulings.refusing is None and not self.rulings.standing.unanswered:
                return
            assert time.monotonic() < end, self.rulings.refusing

    def agrees(self) -> None:
        """When it says that it knows where it stands, it is right."""
        self.mark()
        self.settle()
        self.pump(0.3)
        self.settle()
        known, mine = self.peer.orders(), self.rulings.core
        open_there = {i: o.lots - o.filled for i, o in known.items() if o.ended is None}
        assert mine.positions == self.peer.positions()
        assert {i: o.left for i, o in mine.open_orders.items()} == open_there
        assert mine.cash_micros == self.peer.matching.cash()
        assert set(known) <= set(self.approved)
        assert all(known[i].lots == lots for i, lots in self.approved.items() if i in known)
        assert not self.refused & set(known)


def play(seed: int, steps: int, lives: int) -> Story:
    with folder(repeats_a_minute=120) as place:
        account = yaml.safe_load((place / "riskd.yaml").read_text())
        for row, symbol in zip(account["instruments"], (SimUnderTest.symbol, SimUnderTest.other), strict=True):
            row["symbol"] = symbol
        (place / "riskd.yaml").write_text(yaml.safe_dump(account))
        story = Story(place, seed)
        try:
            for _ in range(lives):
                with story.awake():
                    story.mark()
                    story.pump(0.05)
                    for _ in range(steps):
                        story.step()
                        story.pump(story.rng.choice([0.0, 0.0, 0.02]))
                    if story.rng.random() < 0.5:
                        story.agrees()
            with story.awake():
                story.mark()
                story.agrees()
        finally:
            story.peer.close()
        return story


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_LOOK_AGAIN_NS", 250_000_000)
    monkeypatch.setattr(rulings, "UNANSWERED_NS", 2_000_000_000)


@pytest.mark.parametrize("seed", range(3))
def test_it_ends_as_the_exchange_has_it(seed: int) -> None:
    story = play(seed, steps=60, lives=3)
    assert len(story.approved) > 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_it_ends_so_on_many_days(seed: int) -> None:
    play(seed, steps=120, lives=4)
