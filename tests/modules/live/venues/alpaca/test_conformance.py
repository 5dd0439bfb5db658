"""The suite for venues, against Alpaca's documented messages over HTTP and WebSocket on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from modules.live.venues.alpaca.venue import AlpacaSettings, AlpacaVenue
from modules.live.venues.stream import Times
from tests.modules.live.venues.conformance import Fault, VenueConformance
from tests.modules.live.venues.peers.alpaca import KEY, SECRET, AlpacaPeer
from tests.modules.live.venues.peers.book import BookOrder, Execution
from tests.modules.live.venues.peers.under_test import AccountUnderTest

pytestmark = pytest.mark.slow


class AlpacaUnderTest(AccountUnderTest):
    faults = frozenset(Fault) - {Fault.BUST, Fault.CORRECT}  # its stream of updates documents neither

    def __init__(self) -> None:
        super().__init__()
        self._peer = AlpacaPeer(self.account)

    @property
    def peer(self) -> AlpacaPeer:
        return self._peer

    def adapter(self) -> AlpacaVenue:
        peer, times = self._peer, Times(open_s=10.0, ping_s=20.0, retry_s=0.02, longest_retry_s=0.1)
        settings = AlpacaSettings(
            KEY, SECRET, peer.rest.url, peer.updates.url, peer.quotes.url, timeout_s=15.0, times=times
        )
        return AlpacaVenue(settings, self.listings)

    def exec_id(self, order: BookOrder, done: Execution) -> str:
        before = order.executions[: order.executions.index(done) + 1]
        return f"{order.venue_id}:{sum((e.quantity for e in before), Decimal(0)):f}"

    def say(self, order: BookOrder, done: Execution) -> None:
        self._peer.executed(order, done)

    def swallow(self, order: BookOrder, done: Execution) -> None:
        pass

    def hang_up(self) -> None:
        self._peer.updates.hang_up()

    def hammered(self) -> int:
        return self._peer.hammered


class TestAlpaca(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[AlpacaUnderTest]:
        peer = AlpacaUnderTest()
        try:
            yield peer
        finally:
            peer.close()
