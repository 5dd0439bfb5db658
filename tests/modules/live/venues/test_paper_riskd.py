"""Paper behind the risk core's own process loop: prices, a fill, a kill; and both know the account after a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.engine.settings import Costs
from modules.live.feeds.news import Quote
from modules.live.messages import Cancelled, Filled, Marked
from modules.live.risk.core import Instrument
from modules.live.risk.rules import Answer
from modules.live.riskd.client import RiskClient
from modules.live.venues.paper.matching import PaperMatching
from modules.live.venues.paper.venue import PaperVenue
from tests.modules.live.riskd.house import client, folder, order, server
from tests.modules.live.venues.peers.under_test import eventually
from tests.modules.live.venues.test_paper import Shows

pytestmark = pytest.mark.slow


@contextmanager
def served(place: Path, feed: Shows) -> Iterator[RiskClient]:
    """A desk's connection to a risk core in front of paper."""
    instruments = (Instrument("AAA", "x"), Instrument("BBB", "x"))
    venue = PaperVenue(PaperMatching(instruments, Costs.none(), cash_micros=10**12), feed, place / "paper")
    with server(place, venue), client(place) as desk:
        yield desk


def shown(feed: Shows) -> None:
    now = time.time_ns()
    feed.say(Quote("AAA", "test", 99.99, 100.01, 50.0, 50.0, now, now))


def until(one: RiskClient, kind: type, end_s: float = 60.0) -> Any:
    end = time.monotonic() + end_s
    while time.monotonic() < end:
        for news in one.news(0.2):
            if isinstance(news, kind):
                return news
    raise AssertionError(f"no {kind.__name__} within {end_s} s")


def test_a_fill_a_restart_and_a_kill() -> None:
    with folder() as place:
        for name, change in (("riskd.yaml", {"venue": {"name": "paper"}}), ("limits.yaml", {"venues": ["paper"]})):
            path = place / name
            path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))
        feed = Shows()
        with served(place, feed) as desk:
            assert desk.ask(order(venue="paper")).answer == Answer.REJECT.value  # no price yet
            shown(feed)
            until(desk, Marked)
            answer = desk.ask(order(venue="paper", lots=7))
            assert Answer(answer.answer) is Answer.APPROVE, answer
            fill = until(desk, Filled)
            assert (fill.client_id, fill.lots, fill.price) == (answer.client_id, 7, 100.01)
            resting = desk.ask(order(venue="paper", lots=5, order_type="limit", limit_price=99.5))
            assert Answer(resting.answer) is Answer.APPROVE, resting
            cash = desk.status().cash_micros
            assert cash == 10**12 - 700_070_000
        feed = Shows()
        with served(place, feed) as desk:
            assert "no price" in str(desk.status().refusing)
            shown(feed)
            until(desk, Marked)
            eventually(lambda: desk.status().refusing is None)
            status = desk.status()
            assert status.refusing is None and status.cash_micros == cash and status.day_loss < 1e-6
            assert {p.symbol: p.lots for p in status.positions if p.lots} == {"AAA": 7}
            assert resting.client_id in status.open_orders
            desk.kill("somebody", "a test")
            assert until(desk, Cancelled).client_id == resting.client_id
            shown(feed)
            assert desk.ask(order(venue="paper")).answer == Answer.REJECT.value
