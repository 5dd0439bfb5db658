"""The suite for venues, against a server that speaks Trader Workstation's protocol on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from modules.live.venues.ib.venue import IbSettings, IbVenue
from tests.modules.live.venues.conformance import Fault, VenueConformance
from tests.modules.live.venues.peers.book import BookOrder, Execution
from tests.modules.live.venues.peers.tws import ACCOUNT, TwsPeer
from tests.modules.live.venues.peers.under_test import AccountUnderTest

pytestmark = pytest.mark.slow


class IbUnderTest(AccountUnderTest):
    faults = frozenset(Fault) - {Fault.RATE_LIMIT, Fault.BUST}  # the client keeps TWS's limit; busts are corrections

    def __init__(self) -> None:
        super().__init__()
        self._peer = TwsPeer(self.account)

    @property
    def peer(self) -> TwsPeer:
        return self._peer

    def adapter(self) -> IbVenue:
        settings = IbSettings(
            "127.0.0.1", self._peer.port, 7, ACCOUNT, answer_s=self.answer_s, report_s=20.0, connect_s=10.0,
            retry_s=0.02, longest_retry_s=0.1,
        )  # fmt: skip
        return IbVenue(settings, self.listings)

    def exec_id(self, order: BookOrder, done: Execution) -> str:
        return self._peer.exec_id(done).rpartition(".")[0]

    def say(self, order: BookOrder, done: Execution) -> None:
        self._peer.say_execution(order, done)
        self._peer.say_status(order)

    def swallow(self, order: BookOrder, done: Execution) -> None:
        pass

    def correct(self, client_id: str, exec_id: str, lots: int, price: float) -> None:
        order, done = self.execution(client_id, exec_id)
        done.quantity, done.price, done.revision = Decimal(abs(lots)), Decimal(repr(price)), done.revision + 1
        self._peer.say_execution(order, done)

    def hang_up(self) -> None:
        self._peer.hang_up()


class TestIb(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[IbUnderTest]:
        peer = IbUnderTest()
        try:
            yield peer
        finally:
            peer.close()
