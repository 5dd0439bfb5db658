"""What a FIX venue says in words of its own: rejects of every layer, rare reports, market data, kept numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from modules.live.messages import (
    Cancelled,
    CancelRefused,
    Connection,
    Expired,
    Filled,
    Lost,
    Marked,
    RefusedByVenue,
)
from modules.live.venues.fix.venue import FixVenue
from modules.live.venues.port import VenueError
from tests.modules.live.venues.conformance import Fault, Heard, ask
from tests.modules.live.venues.fix.test_conformance import FixUnderTest
from tests.modules.live.venues.peers.fix import Fields
from tests.modules.live.venues.peers.under_test import eventually, working

UNDER_TEST = FixUnderTest


def number_of(peer: FixUnderTest, client_id: str) -> str:
    return next(m[34] for m in peer.peer.received if m.get(11) == client_id)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("3", lambda number, client_id: [(45, number), (373, "5"), (58, "tag 59 out of range")]),
        ("j", lambda number, client_id: [(45, number), (372, "D"), (379, client_id), (380, "4")]),
    ],
)
def test_a_reject_of_the_message_is_a_refusal(
    peer: FixUnderTest, venue: FixVenue, heard: Heard, kind: str, fields: Callable[[str, str], Fields]
) -> None:
    order = ask(peer.symbol, 5)
    peer.account.arm(Fault.SILENT)
    venue.submit(order, 5)
    eventually(lambda: order.client_id in peer.account.arrivals)
    peer.peer.say(kind, fields(number_of(peer, order.client_id), order.client_id))
    assert heard.first(RefusedByVenue, order.client_id).reason
    assert not heard.of(Lost)


def test_without_a_mass_cancel_each_is_cancelled(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    peer.peer.has_mass_cancel = False
    orders = [working(peer, venue, heard) for _ in range(3)]
    venue.cancel_all()
    for order in orders:
        heard.first(Cancelled, order.client_id)


@pytest.mark.parametrize(("what", "kind"), [("C", Expired), ("3", Expired), ("4", Cancelled)])
def test_ends(peer: FixUnderTest, venue: FixVenue, heard: Heard, what: str, kind: type) -> None:
    order = working(peer, venue, heard)
    peer.peer.say("8", peer.peer.report(order, what))
    assert heard.first(kind, order.client_id)


@pytest.mark.parametrize(("kind", "fee"), [("1", 500_000), ("2", 995_000), ("3", 250_000)])
def test_commissions(peer: FixUnderTest, venue: FixVenue, heard: Heard, kind: str, fee: int) -> None:
    """A unit, in percent of the value, in all."""
    order = working(peer, venue, heard)
    done = peer.account.fill(order.client_id, Decimal(2), Decimal("199"))
    peer.peer.say("8", peer.peer.report(order, "F", [(31, "199"), (32, "2"), (12, "0.25"), (13, kind)], done.exec_id))
    assert heard.first(Filled, order.client_id).fee_micros == fee


@pytest.mark.parametrize(
    "broken",
    [
        [(31, "1e999"), (32, "2")], [(31, "x"), (32, "2")], [(32, "2")], [(31, "99.5"), (32, "0.5")],
        [(31, "99.5"), (32, "2"), (13, "9"), (12, "1")], [(31, "-1"), (32, "2")],
    ],
)  # fmt: skip
def test_an_execution_that_cannot_be_read_begins_the_connection_anew(
    peer: FixUnderTest, venue: FixVenue, heard: Heard, broken: Fields
) -> None:
    """It is never a fill of something else, and the reason is said."""
    order = working(peer, venue, heard)
    peer.peer.say("8", peer.peer.report(order, "F", broken))
    down = heard.until(lambda _: [n for n in heard.of(Connection) if not n.is_up])[0]
    assert len(down.reason) > 10
    assert not heard.of(Filled)


def test_a_fill_of_which_the_order_knows_nothing_makes_a_report_no_basis(
    peer: FixUnderTest, venue: FixVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"))
    order.executions[0].stands = False
    order.executions.append(replace(order.executions[0], exec_id="other", stands=True))
    assert venue.report().complete
    status, peer.peer._mass_status = peer.peer._mass_status, lambda request: None  # type: ignore[method-assign]
    venue._settings = replace(venue._settings, report_s=0.3)
    assert not venue.report().complete
    peer.peer._mass_status = status  # type: ignore[method-assign]
    assert venue.report().complete


def test_a_refused_question_is_no_report(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    peer.peer._trades = lambda request: peer.peer.say(  # type: ignore[method-assign,assignment]
        "AQ", [(568, request), (569, 0), (749, 9), (750, 2), (58, "not for you")]
    )
    with pytest.raises(VenueError, match="not for you"):
        venue.report()


def test_an_answer_that_nobody_waits_for_changes_nothing(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    """Of an account without orders it names no order; the session stands, and the next report is whole."""
    peer.peer._mass_status("R-of-long-ago")
    order = working(peer, venue, heard)
    peer.peer._mass_status("R-of-long-ago")
    assert [o.client_id for o in venue.report().orders] == [order.client_id]
    assert heard.ups() == [True] and not heard.of(RefusedByVenue)


def test_a_subscription_that_fell_into_a_gap_is_said_again(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    """Else the venue would stand, and every price grow stale."""
    eventually(lambda: len(subscriptions(peer)) == 1)
    peer.peer.into -= 1
    venue.submit(ask(peer.symbol, 5), 5)
    assert heard.first(Lost).reason
    eventually(lambda: len(subscriptions(peer)) == 2)
    working(peer, venue, heard)
    assert len(subscriptions(peer)) == 2 and heard.ups() == [True]


def test_a_cancel_of_all_that_fell_into_a_gap_is_said_again(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    """Whoever wants everything cancelled hears nothing of a gap."""
    order = working(peer, venue, heard)
    peer.peer.into -= 1
    venue.cancel_all()
    heard.first(Cancelled, order.client_id)
    assert heard.ups() == [True]


def subscriptions(peer: FixUnderTest) -> list[dict[int, str]]:
    return [m for m in peer.peer.received if m[35] == "V"]


def test_market_data(peer: FixUnderTest, venue: FixVenue, heard: Heard) -> None:
    """A snapshot, an update of one side, a crossed one that is no mark, a refusal that is none either."""
    eventually(lambda: any(m[35] == "V" for m in peer.peer.received))
    peer.peer.say("W", [(262, "1"), (55, "AAPL"), (268, 2), (269, "0"), (270, "100"), (269, "1"), (270, "100.02")])
    peer.peer.say("X", [(262, "1"), (268, 1), (279, "1"), (269, "0"), (55, "AAPL"), (270, "100.01")])
    peer.peer.say("X", [(262, "1"), (268, 1), (279, "1"), (269, "0"), (55, "AAPL"), (270, "101")])
    peer.peer.say("Y", [(262, "1"), (281, "0")])
    peer.peer.say("W", [(262, "1"), (55, "MSFT"), (268, 2), (269, "0"), (270, "7"), (269, "1"), (270, "9")])
    marks = heard.until(lambda _: len(heard.of(Marked)) >= 3 and heard.of(Marked))
    assert marks
    assert [(m.symbol, m.price) for m in marks] == [(peer.symbol, 100.01), (peer.symbol, 100.015), (peer.other, 8.0)]


def test_an_order_of_no_run_and_no_report_is_not_cancelled_blindly(
    peer: FixUnderTest, venue: FixVenue, heard: Heard
) -> None:
    venue.cancel("nobody")
    assert "report" in heard.first(CancelRefused, "nobody").reason
    assert not any(m[35] == "F" for m in peer.peer.received)


def test_numbers_that_are_kept_bring_what_was_missed(peer: FixUnderTest, heard: Heard, tmp_path: Path) -> None:
    """After a restart the venue sends again what nobody heard, under the numbers that were kept."""
    settings = replace(peer.adapter()._settings, sequences=tmp_path / "numbers")
    first = FixVenue(settings, peer.listings)
    first.open(heard)
    order = working(peer, first, heard)
    first.close()
    exec_id = peer.fill(order.client_id, 2, 99.5)
    second, hears = FixVenue(settings, peer.listings), Heard()
    second.open(hears)
    try:
        assert hears.first(Filled, order.client_id).exec_id == exec_id
        assert not any(m.get(141) == "Y" for m in peer.peer.received)
    finally:
        second.close()
    peer.peer.into += 100
    with pytest.raises(VenueError, match="too low"):
        FixVenue(settings, peer.listings).open(Heard())


def test_a_venue_that_says_nothing_is_not_waited_for_without_end(peer: FixUnderTest) -> None:
    peer.peer.answers_logons = False
    settings = peer.adapter()._settings
    names = replace(settings.names, heartbeat_s=1)
    with pytest.raises(VenueError, match="no logon"):
        FixVenue(replace(settings, names=names, send_s=0.2), peer.listings).open(Heard())
