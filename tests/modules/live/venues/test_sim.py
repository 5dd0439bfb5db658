"""The simulated exchange's venue, through a proxy that fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modules.live.messages import Filled, Marked, Stepped
from modules.live.venues.sim.client import SimVenue
from modules.live.venues.sim.server import SimExchange
from modules.live.venues.sim.warming import warm
from tests.modules.live.venues.byhand import ByHand
from tests.modules.live.venues.conformance import Fault, Heard, PeerOrder, VenueConformance, VenueUnderTest, ask
from tests.modules.live.venues.proxy import FaultProxy
from tests.modules.live.venues.test_bars import quiet


class SimUnderTest(VenueUnderTest):
    """An exchange that fills by hand."""

    symbol, other = ByHand.symbols
    faults = frozenset(Fault) - {Fault.RATE_LIMIT}

    def __init__(self) -> None:
        self.matching = ByHand()
        self.exchange = SimExchange(self.matching).start()
        self.proxy = FaultProxy(self.exchange.address)

    def adapter(self) -> SimVenue:
        return SimVenue(self.proxy.address, answer_s=self.answer_s)

    def orders(self) -> dict[str, PeerOrder]:
        with self.exchange.lock:
            return {
                i: PeerOrder(o.lots, sum(f.lots for f in o.fills.values()), o.ended, o.sent.limit_price)
                for i, o in self.matching.orders.by_id.items()
            }

    def positions(self) -> dict[str, int]:
        with self.exchange.lock:
            return self.matching.positions()

    def fill(self, client_id: str, lots: int, price: float) -> str:
        with self.exchange.lock:
            fill = self.matching.fill(client_id, lots, price)
            self.exchange.say([fill])
            return fill.exec_id

    def bust(self, client_id: str, exec_id: str) -> None:
        with self.exchange.lock:
            self.exchange.say([self.matching.orders.bust(client_id, exec_id, 1)])

    def correct(self, client_id: str, exec_id: str, lots: int, price: float) -> None:
        with self.exchange.lock:
            self.exchange.say([self.matching.correct(client_id, exec_id, lots, price)])

    def arm(self, fault: Fault) -> None:
        if fault is Fault.REFUSE:
            self.matching.refuses = 1
        self.proxy.armed.add(fault)

    def stop(self) -> None:
        self.proxy.stop()

    def start(self) -> None:
        self.proxy.start()

    def hang_up(self) -> None:
        self.proxy.hang_up()

    def close(self) -> None:
        self.proxy.stop()
        self.exchange.close()


class TestSim(VenueConformance):
    @pytest.fixture
    def under_test(self) -> Iterator[VenueUnderTest]:
        peer = SimUnderTest()
        try:
            yield peer
        finally:
            peer.close()


def test_bars_over_the_socket() -> None:
    """The data go on when they are told, once a moment; who comes anew hears where things stand."""
    warm()  # or the exchange compiles while it is asked, and whoever asks takes it for gone
    matching, heard = quiet(), Heard()
    ts = [int(x) for x in matching.run.bars.ts]
    with SimExchange(matching) as exchange:
        venue = SimVenue(exchange.address)
        venue.open(heard)
        venue.proceed(0)
        venue.proceed(0)
        venue.submit(order := ask("A", 10), 10)
        venue.proceed(ts[0])
        venue.proceed(ts[0])
        heard.until(lambda _: len(heard.of(Stepped)) == 4)
        assert [n.ts_ns for n in heard.of(Stepped)] == [ts[0], ts[0], ts[1], ts[1]]
        assert [(n.client_id, n.price, n.ts_ns) for n in heard.of(Filled)] == [(order.client_id, 100.5, ts[1])]
        venue.close()
        anew, hears = SimVenue(exchange.address), Heard()
        anew.open(hears)
        hears.first(Stepped)
        assert hears.news[1:] == [Marked("A", 101.0, ts[1]), Stepped("sim", ts[1], False)]
        assert anew.report().positions == {"A": 10} and anew.symbols == ("A",)
        anew.close()
