"""A recording, said again in order and at its pace."""

from __future__ import annotations

import polars as pl
import pytest

from modules.live.feeds.news import FeedNews, Link, Quote
from modules.live.feeds.port import FeedError
from modules.live.feeds.recorded import RecordedFeed, bars_of

S = 1_000_000_000


def quotes(*seconds: int) -> list[FeedNews]:
    return [Quote("A.X", "x", 9.9, 10.0, 1.0, 1.0, s * S, s * S) for s in seconds]


def everything(feed: RecordedFeed) -> list[FeedNews]:
    found: list[FeedNews] = []
    while not feed.ended:
        found += feed.poll(0.0)
    return found


def test_as_fast_as_asked() -> None:
    feed = RecordedFeed("r", quotes(*range(2_000)))
    feed.open()
    said = everything(feed)
    assert said[0] == Link("r", True, "recorded", 0) and said[1:] == quotes(*range(2_000))
    assert feed.poll(0.0) == [] and feed.fileno() == -1


def test_at_its_pace() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    feed = RecordedFeed("r", quotes(0, 1, 1, 4), speed=2.0, clock=lambda: now[0], sleep=sleep)
    feed.open()
    assert [type(x).__name__ for x in feed.poll(0.1)] == ["Link", "Quote"]
    assert feed.poll(0.3) == [] and now[0] == 100.3
    assert len(feed.poll(0.3)) == 2 and now[0] == 100.5
    assert feed.poll(1.0) == [] and not feed.ended
    assert len(feed.poll(1.0)) == 1 and now[0] == 102.0 and feed.ended


def test_what_cannot_be_said() -> None:
    with pytest.raises(FeedError, match="holds nothing"):
        RecordedFeed("r", []).open()
    with pytest.raises(FeedError, match="above 0"):
        RecordedFeed("r", quotes(0), speed=0.0)
    with pytest.raises(FeedError, match="lack event_time"):
        list(bars_of(pl.DataFrame({"symbol": ["A"]})))
