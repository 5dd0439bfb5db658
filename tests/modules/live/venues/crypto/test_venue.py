"""What only Bybit says: tickers in parts, funding, steps of its own, days that it does not know, two-way positions."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from modules.live.messages import Acknowledged, Cancelled, Connection, Filled, Lost, Marked, Moved, RefusedByVenue
from modules.live.venues.crypto.venue import CryptoVenue
from modules.live.venues.port import VenueError
from tests.modules.live.venues.conformance import Fault, Heard, ask
from tests.modules.live.venues.crypto.test_conformance import BybitUnderTest
from tests.modules.live.venues.peers.bybit import BybitPeer
from tests.modules.live.venues.peers.under_test import eventually

pytestmark = pytest.mark.slow
DAY_NS = 86_400 * 10**9
UNDER_TEST = BybitUnderTest


def ticker(kind: str, **data: str) -> str:
    return json.dumps(
        {"topic": "tickers.BTCUSDT", "type": kind, "ts": 1704209400123, "data": {"symbol": "BTCUSDT", **data}}
    )


def test_tickers_come_in_parts(peer: BybitUnderTest, venue: CryptoVenue, heard: Heard) -> None:
    """A snapshot, one side that changed, a message without sides, a crossed one that is no mark, a new snapshot."""
    assert peer.peer.tickers_asked.wait(20.0)
    for message in (
        ticker("snapshot", bid1Price="100", ask1Price="100.02"), ticker("delta", bid1Price="100.01"),
        ticker("delta", bid1Price="101"), ticker("snapshot", bid1Price="7"), ticker("delta", ask1Price="9"),
    ):  # fmt: skip
        peer.peer.tickers.say(message)
    marks = heard.until(lambda _: len(heard.of(Marked)) == 3 and heard.of(Marked))
    assert marks
    assert [m.price for m in marks] == [100.01, 100.015, 8.0]
    assert {(m.symbol, m.ts_ns) for m in marks} == {(peer.symbol, 1_704_209_400_123_000_000)}


def test_a_stream_that_is_never_quiet_is_told_that_we_are_there(peer: BybitUnderTest, heard: Heard) -> None:
    """The exchange ends one that sends no ping for minutes, however much it tells itself."""
    times = replace(peer.adapter()._settings.times, ping_s=0.5)
    venue = CryptoVenue(replace(peer.adapter()._settings, times=times), peer.listings)
    venue.open(heard)
    try:
        price = ticker("snapshot", bid1Price="100", ask1Price="100.02")
        eventually(lambda: peer.peer.tickers.say(price) or peer.peer.tickers_pinged.is_set())
    finally:
        venue.close()


@pytest.mark.parametrize("steps", [("0.3", "0.01"), ("1", "0.03"), ("x", "0.01")])
def test_steps_that_are_not_ours_are_refused(peer: BybitUnderTest, steps: tuple[str, str]) -> None:
    peer.peer.steps = steps
    with pytest.raises(VenueError, match="BTC-USDT"):
        peer.adapter().open(Heard())


def test_funding_moves_cash_and_nothing_else(peer: BybitUnderTest, venue: CryptoVenue, heard: Heard) -> None:
    order = peer.account.take("a", "BTCUSDT", 1, Decimal(3), "Market", "IOC", None)
    row = peer.peer.done(order, peer.account.fill("a", Decimal(3), Decimal(100)))
    peer.peer.say("execution", {**row, "execType": "Funding", "execFee": "0.1234567"})
    peer.peer.say("execution", {**row, "category": "spot"})
    moved = heard.first(Moved)
    assert (moved.what, moved.symbol, moved.micros) == ("funding", peer.symbol, -123_457)
    assert not heard.of(Filled)


def test_a_day_order_ends_with_the_day(peer: BybitUnderTest, heard: Heard) -> None:
    """The exchange has no days: the adapter cancels what yesterday's orders left, and nothing that is to stay."""
    venue = peer.adapter()
    now = [10 * DAY_NS + 5]
    venue._clock_ns = lambda: now[0]
    venue.open(heard)
    try:
        day, stays = ask(peer.symbol, 5, "limit", 99.5), ask(peer.symbol, 5, "limit", 99.5, tif="gtc")
        for order in (day, stays):
            venue.submit(order, 5)
            heard.first(Acknowledged, order.client_id)
        venue._beat()
        now[0] = 11 * DAY_NS
        venue._beat()
        heard.first(Cancelled, day.client_id)
        venue.report()
        assert peer.account.orders[stays.client_id].state == "open"
    finally:
        venue.close()


@pytest.mark.parametrize(
    ("code", "kind"), [(110_007, RefusedByVenue), (110_072, Lost), (10_000, Lost), (10_016, Lost), (170_007, Lost)]
)
def test_codes(peer: BybitUnderTest, venue: CryptoVenue, heard: Heard, code: int, kind: type) -> None:
    """A refusal is one in words that leave no doubt; a time-out behind the gateway, or an id in use, is not."""
    peer.peer._order = lambda body: BybitPeer._said({}, code, "no")  # type: ignore[method-assign]
    order = ask(peer.symbol, 5)
    venue.submit(order, 5)
    assert type(heard.outcome(order.client_id)) is kind


@pytest.mark.parametrize(
    "broken",
    [
        {"execPrice": "x"},
        {"execQty": "0.5"},
        {"side": "None"},
        {"execId": ""},
        {"leavesQty": None},
        {"execFee": "1e20"},
    ],
)
def test_an_execution_that_cannot_be_read_begins_the_stream_anew(
    peer: BybitUnderTest, venue: CryptoVenue, heard: Heard, broken: dict[str, Any]
) -> None:
    order = ask(peer.symbol, 5, "limit", 99.5)
    venue.submit(order, 5)
    heard.first(Acknowledged, order.client_id)
    done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"))
    row = peer.peer.done(peer.account.orders[order.client_id], done)
    peer.peer.say("execution", {**row, **broken})
    heard.until(lambda _: [n for n in heard.of(Connection) if not n.is_up])
    assert [f.lots for f in heard.of(Filled)] in ([], [2])
    assert [f.lots for o in venue.report().orders for f in o.fills] == [2]


def test_positions_both_ways_are_refused(peer: BybitUnderTest, venue: CryptoVenue) -> None:
    row = {"symbol": "BTCUSDT", "side": "Buy", "size": "1", "avgPrice": "100", "positionIdx": 1}
    peer.peer.positions_more = [row]
    with pytest.raises(VenueError, match="one-way"):
        venue.report()


@pytest.mark.parametrize("order_type", ["stop", "stop_limit"])
def test_what_cannot_be_said_is_not_sent(peer: BybitUnderTest, venue: CryptoVenue, order_type: Any) -> None:
    for order in (ask(peer.symbol, 5, order_type, 99.5), ask(peer.symbol, 5, client_id="x" * 37)):
        with pytest.raises(VenueError):
            venue.submit(order, 5)
    assert peer.account.arrivals == []


def test_wrong_keys_are_refused(peer: BybitUnderTest) -> None:
    venue = peer.adapter()
    venue._settings = type(venue._settings)(
        "key", "wrong-secret", url=peer.peer.rest.url, stream_url=peer.peer.news.url, quotes_url=None,
        timeout_s=1.0, times=venue._settings.times,
    )  # fmt: skip
    with pytest.raises(VenueError, match="auth") as error:
        venue.open(Heard())
    assert "wrong-secret" not in str(error.value)


def test_a_limited_report_is_asked_for_again(peer: BybitUnderTest, venue: CryptoVenue, heard: Heard) -> None:
    peer.account.arm(Fault.RATE_LIMIT)
    venue.submit(ask(peer.symbol, 5), 5)
    heard.until(lambda _: heard.of(RefusedByVenue))
    assert venue.report().complete
