"""What every feed must do, whatever is behind it. A new one derives from `FeedConformance` and gives `under_test`.

1. The first news is `Link`, and names the feed.
2. `poll` waits no longer than it was told to, and gives nothing after `close`.
3. A descriptor that is readable has news; a resync of anything is taken without a word.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from modules.live.feeds.news import FeedNews, Link
from modules.live.feeds.port import Feed


class FeedConformance:
    """The suite."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        """A feed that will say something, not opened; what is behind it ends with the test."""
        raise NotImplementedError

    def first(self, feed: Feed) -> list[FeedNews]:
        end = time.monotonic() + 10.0
        said: list[FeedNews] = []
        while not said:
            assert time.monotonic() < end
            said = feed.poll(0.05)
        return said

    def test_the_first_news_is_its_link(self, feed: Feed) -> None:
        feed.open()
        said = self.first(feed)
        assert isinstance(said[0], Link) and said[0].is_up and said[0].feed == feed.name

    def test_poll_waits_no_longer_than_told(self, feed: Feed) -> None:
        feed.open()
        for _ in range(20):
            began = time.monotonic()
            feed.poll(0.0)
            assert time.monotonic() - began < 20.0

    def test_nothing_comes_before_it_is_opened_or_after_it_was_closed(self, feed: Feed) -> None:
        assert feed.poll(0.0) == [] and feed.fileno() == -1
        feed.open()
        self.first(feed)
        feed.close()
        feed.close()
        assert feed.ended and feed.poll(0.0) == [] and feed.fileno() == -1

    def test_a_resync_of_anything_is_taken(self, feed: Feed) -> None:
        feed.open()
        self.first(feed)
        feed.resync("XRP-USDT.BYBIT")
        assert isinstance(feed.poll(0.05), list)
