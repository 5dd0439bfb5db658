"""A feed that stalls while its connection stands: a risk core and a paper account behind it, over real sockets.

Opening stops once the last price is older than `stale_ms`, cancels still go, and opening goes on when prices do.
"""

from __future__ import annotations

import threading
import time

import pytest
import yaml
from websockets.sync.server import ServerConnection

from modules.engine.settings import Costs
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.symbols import symbol_map
from modules.live.feeds.websocket import WebSocketFeed
from modules.live.messages import Cancelled, Ruled
from modules.live.risk.core import Instrument
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.client import RiskClient
from modules.live.venues.paper.matching import PaperMatching
from modules.live.venues.paper.venue import PaperVenue
from tests.modules.live.feeds.server import Peer, bybit, serving
from tests.modules.live.feeds.test_websocket import QUICK, answer
from tests.modules.live.riskd.house import client, folder, heard, resting, server

SYMBOL = "XRP-USDT.BYBIT"
STALE_MS = 400


def bid(one: RiskClient, price: float) -> Ruled:
    return one.ask(resting(100, price, SYMBOL))


def ruled(one: RiskClient, price: float, rule: Rule) -> Ruled:
    """Ask, again where a price is not there yet or is not old yet, until this rule speaks."""
    end = time.monotonic() + 30.0
    while (said := bid(one, price)).rule != rule:
        assert time.monotonic() < end, Rule(said.rule)
        one.news(0.05)
    return said


@pytest.mark.slow
def test_a_stalled_feed_stops_what_opens_and_no_cancel() -> None:
    flowing = threading.Event()
    flowing.set()

    def play(peer: Peer, connection: ServerConnection) -> None:
        answer(peer, connection, 1.0)
        while not peer.stop.is_set():
            if flowing.is_set():
                with peer.lock:
                    peer.truth.middle = 19_500
                    connection.send(bybit(peer.truth, "delta", *peer.truth.step()))
            answer(peer, connection, 0.02)  # heartbeats are answered all the time

    instrument = Instrument(SYMBOL, "coins", 1.0, 0.0001, sigma_day=0.02, adv_lots=10**7)
    with folder(stale_ms=STALE_MS) as place, serving(Peer(9, play)) as peer:
        account = yaml.safe_load((place / "riskd.yaml").read_text())
        row = {"symbol": SYMBOL, "sector": "coins", "tick": 0.0001, "sigma_day": 0.02, "adv_lots": 10**7}
        (place / "riskd.yaml").write_text(yaml.safe_dump(account | {"instruments": [row]}))
        feed = WebSocketFeed("f", peer.url, Bybit(symbol_map("bybit", [SYMBOL])), QUICK)
        matching = PaperMatching([instrument], Costs(), cash_micros=10**12, name="sim")
        with server(place, PaperVenue(matching, feed, place / "paper")), client(place) as one:
            first = ruled(one, 1.93, Rule.WITHIN_LIMITS)
            assert first.answer == Answer.APPROVE and first.allowed == 100
            flowing.clear()
            stopped = ruled(one, 1.92, Rule.STALE_PRICE)
            assert stopped.answer == Answer.REJECT and stopped.allowed == 0 and stopped.value is not None
            assert peer.connections == 1, "the connection stands, heartbeats come"
            one.cancel(first.client_id)
            assert first.client_id in {n.client_id for n in heard(one, (Cancelled,)) if isinstance(n, Cancelled)}
            assert bid(one, 1.92).rule == Rule.STALE_PRICE
            flowing.set()
            assert ruled(one, 1.91, Rule.WITHIN_LIMITS).answer == Answer.APPROVE
