"""The suite for venues, against Bybit's documented messages over HTTP and WebSocket on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from modules.live.venues.crypto.venue import CryptoSettings, CryptoVenue
from modules.live.venues.stream import Times
from tests.modules.live.venues.conformance import Fault, VenueConformance
from tests.modules.live.venues.peers.book import BookOrder, Execution
from tests.modules.live.venues.peers.bybit import KEY, SECRET, BybitPeer
from tests.modules.live.venues.peers.under_test import AccountUnderTest

pytestmark = pytest.mark.slow  # ccxt knows more than a hundred exchanges, and reads them all


class BybitUnderTest(AccountUnderTest):
    """A lot of ours is one unit; prices step by a cent."""

    natives = ("BTCUSDT", "XRPUSDT")
    symbol, other = "BTC-USDT.BYBIT", "XRP-USDT.BYBIT"
    faults = frozenset(Fault) - {Fault.BUST, Fault.CORRECT}  # executions are final there

    def __init__(self) -> None:
        super().__init__()
        self._peer = BybitPeer(self.account)

    @property
    def peer(self) -> BybitPeer:
        return self._peer

    def adapter(self) -> CryptoVenue:
        peer, times = self._peer, Times(open_s=10.0, ping_s=20.0, retry_s=0.02, longest_retry_s=0.1)
        settings = CryptoSettings(
            KEY, SECRET, url=peer.rest.url, stream_url=peer.news.url, quotes_url=peer.tickers.url,
            timeout_s=15.0, times=times,
        )  # fmt: skip
        return CryptoVenue(settings, self.listings)

    def say(self, order: BookOrder, done: Execution) -> None:
        self._peer.say("execution", self._peer.done(order, done))
        self._peer.say("order", self._peer.shown(order))

    def swallow(self, order: BookOrder, done: Execution) -> None:
        pass

    def hang_up(self) -> None:
        self._peer.news.hang_up()

    def hammered(self) -> int:
        return self._peer.hammered


class TestBybit(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[BybitUnderTest]:
        peer = BybitUnderTest()
        try:
            yield peer
        finally:
            peer.close()


def test_cash_is_the_wallet_less_what_positions_cost() -> None:
    """Cash and positions at their entry are the wallet, long or short."""
    peer = BybitUnderTest()
    venue = peer.adapter()
    try:
        venue.open(lambda news: None)
        for client_id, native, sign in (("a", "BTCUSDT", 1), ("b", "XRPUSDT", -1)):
            peer.account.take(client_id, native, sign, Decimal(4), "Market", "IOC", None)
            peer.account.fill(client_id, Decimal(4), Decimal("2.5"), Decimal("0.125"))
        report = venue.report()
        assert report.positions == {peer.symbol: 4, peer.other: -4}
        assert report.cash_micros == (1_000_000 - 10 + 10) * 1_000_000 - 250_000
        peer.account.end("b", "cancelled")
        peer.account.take("c", "XRPUSDT", -1, Decimal(2), "Market", "IOC", None)
        peer.account.fill("c", Decimal(2), Decimal("2.5"))
        assert venue.report().cash_micros == (1_000_000 - 10 + 15) * 1_000_000 - 250_000
    finally:
        venue.close()
        peer.close()
