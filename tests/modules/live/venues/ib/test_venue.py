"""What only Trader Workstation says: fees of their own, errors by number, the broker behind it that comes and goes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from modules.live.messages import (
    CancelRefused,
    Connection,
    Corrected,
    Filled,
    Lost,
    Marked,
    Moved,
    RefusedByVenue,
)
from modules.live.venues.exact import FigureError
from modules.live.venues.ib.venue import IbVenue
from modules.live.venues.ib.words import exact, execution_id
from modules.live.venues.port import VenueError
from tests.modules.live.venues.conformance import Fault, Heard, ask
from tests.modules.live.venues.ib.test_conformance import IbUnderTest
from tests.modules.live.venues.peers.tws import ACCOUNT
from tests.modules.live.venues.peers.under_test import eventually, working

pytestmark = pytest.mark.slow
UNDER_TEST = IbUnderTest


def silent(peer: IbUnderTest, venue: IbVenue) -> str:
    """An order that the peer has and says nothing of."""
    peer.account.arm(Fault.SILENT)
    order = ask(peer.symbol, 5, "limit", 99.5)
    venue.submit(order, 5)
    eventually(lambda: order.client_id in peer.peer.numbers)
    return order.client_id


def test_a_fee_comes_with_its_fill(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    order = working(peer, venue, heard)
    done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"), Decimal("0.3517"))
    peer.peer.say_execution(order, done)
    assert heard.first(Filled, order.client_id).fee_micros == 351_700
    [reported] = venue.report().orders
    assert reported.fills == (heard.first(Filled),)
    assert not heard.of(Moved)


def test_a_late_fee_is_cash_that_moved_once(peer: IbUnderTest, heard: Heard) -> None:
    venue = IbVenue(replace(peer.adapter()._settings, fee_s=0.05), peer.listings)
    venue.open(heard)
    try:
        order = working(peer, venue, heard)
        done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"), Decimal("0.35"))
        say, peer.peer.say = peer.peer.say, lambda *fields: say(*fields) if fields[0] != 59 else None  # type: ignore[method-assign]
        peer.peer.say_execution(order, done)
        assert heard.first(Filled, order.client_id).fee_micros == 0
        peer.peer.say = say  # type: ignore[method-assign]
        for _ in range(2):
            peer.peer.say(59, 1, peer.peer.exec_id(done), "0.35", "USD", "", "", "")
        later = working(peer, venue, heard)
        assert later and [m.micros for m in heard.of(Moved)] == [-350_000]
    finally:
        venue.close()


def test_a_correction_has_the_id_of_what_it_corrects(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    order = working(peer, venue, heard)
    exec_id = peer.fill(order.client_id, 3, 99.5)
    heard.first(Filled)
    peer.correct(order.client_id, exec_id, 2, 99.25)
    corrected = heard.first(Corrected)
    assert (corrected.exec_id, corrected.lots, corrected.value_micros) == (exec_id, 2, 198_500_000)
    assert len(heard.of(Filled)) == 1


@pytest.mark.parametrize("code", [110, 200, 201, 203, 321, 387])
def test_errors_that_say_it_never_worked(peer: IbUnderTest, venue: IbVenue, heard: Heard, code: int) -> None:
    client_id = silent(peer, venue)
    peer.peer.say(4, 2, peer.peer.numbers[client_id], code, "no", "")
    assert str(code) in heard.first(RefusedByVenue, client_id).reason
    assert not heard.of(Lost)


@pytest.mark.parametrize("code", [103, 100, 399, 404, 2109, 10_999])
def test_other_errors_leave_it_open(peer: IbUnderTest, venue: IbVenue, heard: Heard, code: int) -> None:
    client_id = silent(peer, venue)
    peer.peer.say(4, 2, peer.peer.numbers[client_id], code, "well", "")
    assert heard.first(Lost, client_id)
    assert not heard.of(RefusedByVenue)


def test_an_error_of_a_working_order_is_no_refusal(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    order = working(peer, venue, heard)
    peer.peer.say(4, 2, peer.peer.numbers[order.client_id], 201, "a change was rejected", "")
    peer.peer.say(4, 2, peer.peer.numbers[order.client_id], 10_148, "too late", "")
    heard.first(CancelRefused, order.client_id)
    assert not heard.of(RefusedByVenue)


def test_the_broker_behind_tws_comes_and_goes(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    peer.peer.say(4, 2, -1, 1100, "Connectivity between IB and Trader Workstation has been lost.", "")
    heard.until(lambda _: heard.ups() == [True, False])
    with pytest.raises(VenueError):
        venue.submit(ask(peer.symbol, 1), 1)
    peer.peer.say(4, 2, -1, 1102, "restored - data maintained.", "")
    heard.until(lambda _: heard.ups() == [True, False, True])
    working(peer, venue, heard)


def test_prices(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    """One side alone, or crossed, is no mark."""
    eventually(lambda: len(peer.peer.tickers) == 2)
    first, second = peer.peer.tickers
    for number, kind, price in ((first, 1, "100.01"), (first, 2, "100.03"), (first, 4, "55"), (first, 1, "101"),
                                (second, 66, "7"), (second, 67, "9")):  # fmt: skip
        peer.peer.say(1, 6, number, kind, price, 1, 0)
    marks = heard.until(lambda _: len(heard.of(Marked)) == 2 and heard.of(Marked))
    assert marks
    assert [(m.symbol, m.price) for m in marks] == [(peer.symbol, 100.02), (peer.other, 8.0)]


@pytest.mark.parametrize(
    ("account", "accounts", "is_paper", "said"),
    [(ACCOUNT, "U7", True, "none of"), (ACCOUNT, ACCOUNT, False, "paper"), ("U7", "U7", True, "live")],
)
def test_account_and_mode_must_agree(peer: IbUnderTest, account: str, accounts: str, is_paper: bool, said: str) -> None:
    peer.peer.accounts = accounts
    settings = replace(peer.adapter()._settings, account=account, is_paper=is_paper)
    with pytest.raises(VenueError, match=said):
        IbVenue(settings, peer.listings).open(Heard())


def test_a_message_that_cannot_be_read_begins_the_connection_anew(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    done = peer.account.fill(order.client_id, Decimal("0.5"), Decimal("99.5"))
    peer.peer.say_execution(order, done)
    down = heard.until(lambda _: [n for n in heard.of(Connection) if not n.is_up])[0]
    assert "whole number" in down.reason and not heard.of(Filled)


def test_executions_of_another_account_are_not_ours(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    order = working(peer, venue, heard)
    done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"))
    say = peer.peer.say
    peer.peer.say = lambda *fields: say(*["DU9" if f == ACCOUNT else f for f in fields])  # type: ignore[method-assign]
    peer.peer.say_execution(order, done)
    peer.peer.say = say  # type: ignore[method-assign]
    working(peer, venue, heard)
    assert not heard.of(Filled)


def test_words() -> None:
    assert (
        exact(0.1) == Decimal("0.1")
        and exact(1e-07) == Decimal("0.0000001")
        and exact(123456.789) == Decimal("123456.789")
    )
    assert execution_id("0000e0d5.6576fd38.01.02") == ("0000e0d5.6576fd38.01", 2)
    for bad in ("", "x", "a.", ".1"):
        with pytest.raises(FigureError):
            execution_id(bad)
    with pytest.raises(FigureError):
        exact(float("nan"))
