"""The suite of the port, over every feed there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modules.live.feeds.news import Quote
from modules.live.feeds.port import Feed
from modules.live.feeds.recorded import RecordedFeed
from tests.modules.live.feeds.conformance import FeedConformance
from tests.modules.live.feeds.server import Peer, serving
from tests.modules.live.feeds.test_websocket import binance_feed, bybit_feed, calm, changes


class TestRecorded(FeedConformance):
    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        yield RecordedFeed("r", [Quote("A.X", "x", 9.9, 10.0, 1.0, 1.0, k, k) for k in range(2_000)])


class TestBybit(FeedConformance):
    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        with serving(Peer(1, calm)) as peer:
            made = bybit_feed(peer)
            yield made
            made.close()


class TestBinance(FeedConformance):
    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        with serving(Peer(1, changes)) as peer:
            made = binance_feed(peer)
            yield made
            made.close()
