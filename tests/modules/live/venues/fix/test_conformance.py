"""The suite for venues, against a FIX acceptor on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from modules.live.venues.fix.session import Names
from modules.live.venues.fix.venue import FixSettings, FixVenue
from tests.modules.live.venues.conformance import Fault, VenueConformance
from tests.modules.live.venues.peers.book import BookOrder, Execution
from tests.modules.live.venues.peers.fix import FixPeer
from tests.modules.live.venues.peers.under_test import AccountUnderTest


class FixUnderTest(AccountUnderTest):
    faults = frozenset(Fault) - {Fault.RATE_LIMIT}

    def __init__(self) -> None:
        super().__init__()
        self._peer = FixPeer(self.account)

    @property
    def peer(self) -> FixPeer:
        return self._peer

    def adapter(self) -> FixVenue:
        settings = FixSettings(
            "127.0.0.1", self._peer.port, "ACCOUNT", Names("DESK", "VENUE", heartbeat_s=20), tls=False,
            answer_s=self.answer_s, report_s=20.0, retry_s=0.02, longest_retry_s=0.1,
        )  # fmt: skip
        return FixVenue(settings, self.listings)

    def say(self, order: BookOrder, done: Execution) -> None:
        self._peer.say("8", self._peer.executed(order, done))

    def swallow(self, order: BookOrder, done: Execution) -> None:
        self._peer.keep("8", self._peer.executed(order, done))

    def bust(self, client_id: str, exec_id: str) -> None:
        order, done = self.execution(client_id, exec_id)
        done.stands = False
        self._peer.say("8", self._peer.report(order, "H", [(19, exec_id), (31, done.price), (32, done.quantity)]))

    def correct(self, client_id: str, exec_id: str, lots: int, price: float) -> None:
        order, done = self.execution(client_id, exec_id)
        done.quantity, done.price = Decimal(abs(lots)), Decimal(repr(price))
        self._peer.say("8", self._peer.report(order, "G", [(19, exec_id), (31, done.price), (32, done.quantity)]))

    def hang_up(self) -> None:
        self._peer.hang_up()


class TestFix(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[FixUnderTest]:
        peer = FixUnderTest()
        try:
            yield peer
        finally:
            peer.close()
