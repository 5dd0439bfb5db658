"""A broker behind the risk core's own process loop: prices, an approved order, its fill, a kill; and a core that holds
still while the broker is not to be reached.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from modules.live.messages import Connection, Filled, Marked, Ruled, VenueNews
from modules.live.risk.rules import Answer
from modules.live.riskd.client import RiskClient
from tests.modules.live.riskd.house import client, folder, order, server
from tests.modules.live.venues.alpaca.test_conformance import AlpacaUnderTest
from tests.modules.live.venues.fix.test_conformance import FixUnderTest
from tests.modules.live.venues.peers.under_test import AccountUnderTest, eventually

pytestmark = pytest.mark.slow


def fix_price(peer: Any) -> None:
    peer.peer.say("W", [(262, "1"), (55, "AAA"), (268, 2), (269, "0"), (270, "99.99"), (269, "1"), (270, "100.01")])


def alpaca_price(peer: Any) -> None:
    from datetime import UTC, datetime

    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    peer.peer.quotes.say(json.dumps([{"T": "q", "S": "AAA", "bp": 99.99, "ap": 100.01, "t": at}]))


@pytest.fixture(params=[(FixUnderTest, fix_price), (AlpacaUnderTest, alpaca_price)], ids=["fix", "alpaca"])
def broker(request: pytest.FixtureRequest) -> Iterator[tuple[AccountUnderTest, Callable[[Any], None]]]:
    kind, price = request.param
    made = type(kind.__name__, (kind,), {"symbol": "AAA", "other": "BBB", "natives": ("AAA", "BBB")})()
    try:
        yield made, price
    finally:
        made.close()


@contextmanager
def served(peer: Any) -> Iterator[RiskClient]:
    """A desk's connection to a risk core in front of the broker."""
    with folder() as place:
        venue = peer.adapter()
        account = yaml.safe_load((place / "riskd.yaml").read_text())
        (place / "riskd.yaml").write_text(yaml.safe_dump({**account, "venue": {"name": venue.name}}))
        limits = yaml.safe_load((place / "limits.yaml").read_text())
        (place / "limits.yaml").write_text(yaml.safe_dump({**limits, "venues": [venue.name]}))
        with server(place, venue), client(place) as desk:
            yield desk


def until(one: RiskClient, is_it: Callable[[VenueNews], bool]) -> None:
    """Wait for news; those before it are not looked at again."""
    eventually(lambda: any(is_it(n) for n in one.news(0.05)))


def priced(one: RiskClient, price: Callable[[], None]) -> None:
    """A price is heard. It is said again and again, as markets do: the connection for prices may not stand yet."""

    def look() -> bool:
        price()
        return any(isinstance(n, Marked) for n in one.news(0.05))

    eventually(look)


def ruled(one: RiskClient, **changed: object) -> Ruled:
    return one.ask(order(venue=one.status().venues.popitem()[0], **changed))


def test_from_the_desk_to_the_broker_and_back(broker: tuple[AccountUnderTest, Callable[[Any], None]]) -> None:
    peer, price = broker
    with served(peer) as desk:
        assert ruled(desk).answer == Answer.REJECT.value  # no price yet
        priced(desk, lambda: price(peer))
        answer = ruled(desk, lots=7)
        assert (Answer(answer.answer), answer.allowed) == (Answer.APPROVE, 7), answer
        eventually(lambda: answer.client_id in peer.orders())
        peer.fill(answer.client_id, 7, 100.25)
        until(desk, lambda n: isinstance(n, Filled))
        eventually(lambda: {p.symbol: p.lots for p in desk.status().positions if p.lots} == {"AAA": 7})
        assert desk.status().cash_micros == 1_000_000_000_000 - 701_750_000
        resting = ruled(desk, lots=5, order_type="limit", limit_price=99.5)
        eventually(lambda: resting.client_id in peer.orders())
        desk.kill("somebody", "a test")
        eventually(lambda: peer.orders()[resting.client_id].ended == "cancelled")
        assert ruled(desk).answer == Answer.REJECT.value


def test_nothing_leaves_while_the_broker_is_away(broker: tuple[AccountUnderTest, Callable[[Any], None]]) -> None:
    peer, price = broker
    with served(peer) as desk:
        priced(desk, lambda: price(peer))
        peer.stop()
        until(desk, lambda n: isinstance(n, Connection) and not n.is_up)
        assert ruled(desk).answer == Answer.REJECT.value
        peer.start()
        until(desk, lambda n: isinstance(n, Connection) and n.is_up)
        eventually(lambda: desk.status().refusing is None)
        priced(desk, lambda: price(peer))
        again = ruled(desk, lots=3)
        assert Answer(again.answer) is Answer.APPROVE, again
        eventually(lambda: peer.orders().get(again.client_id) is not None)
        assert list(peer.orders()) == [again.client_id]
