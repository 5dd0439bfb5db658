"""What only Alpaca says: quotes, accounts that may not trade, wrong keys, pages, orders of other kinds."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from modules.live.messages import (
    Acknowledged,
    BuyingPower,
    Cancelled,
    CancelRefused,
    Connection,
    Expired,
    Filled,
    Lost,
    Marked,
    RefusedByVenue,
)
from modules.live.venues.alpaca.venue import AlpacaVenue
from modules.live.venues.port import VenueError
from modules.live.venues.sender import retry_after_s
from tests.modules.live.venues.alpaca.test_conformance import AlpacaUnderTest
from tests.modules.live.venues.conformance import Heard, ask
from tests.modules.live.venues.peers.alpaca import AT
from tests.modules.live.venues.peers.http import Answer
from tests.modules.live.venues.peers.under_test import eventually, working
from tests.modules.live.venues.undertest import PATIENCE_S

pytestmark = pytest.mark.slow
UNDER_TEST = AlpacaUnderTest


def quote(symbol: str, bid: float, offer: float) -> dict[str, Any]:
    return {"T": "q", "S": symbol, "bp": bid, "ap": offer, "bs": 1, "as": 1, "t": AT}


def test_quotes(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard) -> None:
    """One-sided and crossed ones are no marks; what is unknown is left out."""
    rows = [
        quote("AAPL", 0, 100.5),
        quote("AAPL", 101.5, 100.5),
        {"T": "t", "S": "AAPL"},
        quote("AAPL", 100.01, 100.03),
    ]
    peer.peer.quotes.say(json.dumps(rows))
    peer.peer.quotes.say(json.dumps([quote("MSFT", 7, 9)]))
    marks = heard.until(lambda _: len(heard.of(Marked)) == 2 and heard.of(Marked))
    assert marks
    assert [(m.symbol, m.price) for m in marks] == [(peer.symbol, 100.02), (peer.other, 8.0)]
    assert marks[0].ts_ns % 10**9 == 123_456_789


@pytest.mark.parametrize("field", ["trading_blocked", "account_blocked", "trade_suspended_by_user"])
def test_an_account_that_may_not_trade_is_not_opened(peer: AlpacaUnderTest, field: str) -> None:
    peer.peer.account_more = {field: True}
    with pytest.raises(VenueError, match=field):
        peer.adapter().open(Heard())


def test_wrong_keys_are_refused_and_not_said(peer: AlpacaUnderTest) -> None:
    settings = replace(peer.adapter()._settings, secret="wrong-secret")
    with pytest.raises(VenueError, match="401") as error:
        AlpacaVenue(settings, peer.listings).open(Heard())
    assert "wrong-secret" not in str(error.value)


def test_what_never_left_is_no_lost_order(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard) -> None:
    """The stream stands, nobody listens for requests: not one byte left."""
    peer.peer.rest.stop()
    order = ask(peer.symbol, 5)
    venue.submit(order, 5)
    assert "not sent" in heard.first(RefusedByVenue, order.client_id).reason
    assert not heard.of(Lost)
    peer.peer.rest.start()


@pytest.mark.parametrize(
    ("event", "kind"),
    [("expired", Expired), ("done_for_day", Expired), ("canceled", Cancelled), ("replaced", Cancelled)],
)
def test_ends(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard, event: str, kind: type) -> None:
    order = working(peer, venue, heard)
    for quiet in ("pending_new", "stopped", "held", "what_is_new_next_year"):
        peer.peer.say(quiet, order)
    peer.peer.say(event, order)
    assert heard.first(kind, order.client_id)
    assert heard.ups() == [True]


@pytest.mark.parametrize(
    "broken",
    [
        {"price": 99.5, "qty": "x"}, {"price": "nan", "qty": "2"}, {"qty": "2"}, {"price": "99.5", "qty": "0.5"},
        {"price": "99.5", "qty": "3"}, {"price": "-1", "qty": "2"},
    ],
)  # fmt: skip
def test_an_execution_that_cannot_be_read_begins_the_stream_anew(
    peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard, broken: dict[str, object]
) -> None:
    order = working(peer, venue, heard)
    peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"))
    peer.peer.say("partial_fill", order, {"execution_id": "e", **broken})
    heard.until(lambda _: [n for n in heard.of(Connection) if not n.is_up])
    assert not heard.of(Filled)
    assert [f.lots for o in venue.report().orders for f in o.fills] == [2]


def test_a_cancel_is_said_again_after_a_busy_or_silent_answer(
    peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    peer.peer.refusals += [Answer(429, {"message": "too many"}, {"Retry-After": "0"}), Answer(502, b"bad gateway")]
    venue.cancel(order.client_id)
    heard.first(Cancelled, order.client_id)
    assert not heard.of(CancelRefused)
    assert [r.method for r in peer.peer.requests if r.method == "DELETE"] == ["DELETE"] * 3


def test_a_cancel_of_all_reaches_orders_on_their_way(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard) -> None:
    """The request for all goes ahead of those that wait, and the venue has them only after it."""
    take, go = peer.peer._order, threading.Event()

    def slow(body: dict[str, str]) -> Answer:
        assert go.wait(PATIENCE_S)
        return take(body)

    peer.peer._order = slow  # type: ignore[method-assign]
    sent = [ask(peer.symbol, 5, "limit", 99.5) for _ in range(2)]
    for order in sent:
        venue.submit(order, 5)
    venue.cancel_all()
    eventually(lambda: "DELETE" in [r.method for r in peer.peer.requests])
    go.set()
    for order in sent:
        heard.first(Cancelled, order.client_id)


def test_a_fill_while_a_report_is_made_is_no_gap(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard) -> None:
    """The report knows less of the order than the stream has told meanwhile."""
    order = working(peer, venue, heard)
    activities = peer.peer._activities

    def meanwhile(query: dict[str, str]) -> list[dict[str, Any]]:
        found = activities(query)
        peer.peer._activities = activities  # type: ignore[method-assign]
        peer.fill(order.client_id, 2, 99.5)
        heard.first(Filled)
        return found

    peer.peer._activities = meanwhile  # type: ignore[method-assign]
    assert [f for o in venue.report().orders for f in o.fills] == []
    peer.fill(order.client_id, 1, 99.5)
    heard.until(lambda _: len(heard.of(Filled)) == 2)
    later = working(peer, venue, heard)
    assert later and heard.ups() == [True]


def test_more_executions_than_a_page_holds(peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard) -> None:
    order = ask(peer.symbol, 250)
    venue.submit(order, 250)
    heard.first(Acknowledged, order.client_id)
    for _ in range(250):
        peer.account.fill(order.client_id, Decimal(1), Decimal("10.5"))
    report = venue.report()
    assert report.complete and report.positions == {peer.symbol: 250}
    assert len({f.exec_id for f in report.orders[0].fills}) == 250
    assert heard.of(BuyingPower)


def test_a_report_with_an_order_of_another_kind_is_refused(peer: AlpacaUnderTest, venue: AlpacaVenue) -> None:
    peer.account.take("by-hand", "AAPL", 1, Decimal(1), "trailing_stop", "day", None)
    with pytest.raises(VenueError, match="trailing_stop"):
        venue.report()


def test_executions_that_are_not_all_make_a_report_no_basis(
    peer: AlpacaUnderTest, venue: AlpacaVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"))
    peer.peer._activities = lambda query: []  # type: ignore[method-assign]
    assert done.stands and not venue.report().complete


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0", 0.0), ("-5", 0.0), ("1e9", 300.0), ("nan", 1.0), (None, 1.0), ("soon", 1.0),
     ("Tue, 02 Jan 2024 15:30:10 GMT", 10.0), ("Tue, 02 Jan 2024 15:29:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, 1_704_209_400.0) == seconds
