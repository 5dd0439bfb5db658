"""What only Trader Workstation says: fees of their own, errors by number, the broker behind it that comes and goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from modules.live.messages import (
    Cancelled,
    CancelRefused,
    Connection,
    Corrected,
    Filled,
    Lost,
    Marked,
    Moved,
    RefusedByVenue,
    Report,
)
from modules.live.venues.exact import FigureError
from modules.live.venues.ib.venue import IbVenue
from modules.live.venues.ib.words import contract, exact, execution_id, new_order
from modules.live.venues.port import VenueError
from tests.modules.live.venues.conformance import Fault, Heard, ask
from tests.modules.live.venues.ib.test_conformance import IbUnderTest
from tests.modules.live.venues.peers.tws import ACCOUNT
from tests.modules.live.venues.peers.under_test import eventually, working
from tests.modules.live.venues.undertest import PATIENCE_S

pytestmark = pytest.mark.slow
UNDER_TEST = IbUnderTest
OPEN_ORDERS, SUMMARY = 16, 62


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


@pytest.mark.usefixtures("hurried")
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


@contextmanager
def reporting(peer: IbUnderTest, venue: IbVenue, questions: int) -> Iterator[list[Report]]:
    """A report that waits for what the peer holds back; at the end it is there."""
    found: list[Report] = []
    asks = threading.Thread(target=lambda: found.append(venue.report()), name="peer")
    asks.start()
    eventually(lambda: len(peer.peer.waiting) == questions)
    yield found
    peer.peer.release()
    asks.join(PATIENCE_S)
    assert found


def test_a_cancel_after_a_new_connection_waits_for_the_orders_numbers(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    """TWS says them anew; until then nobody knows which to cancel by, and that is no refusal."""
    order, before = working(peer, venue, heard), len(heard.ups())
    peer.peer.holds = frozenset({OPEN_ORDERS})
    peer.hang_up()
    heard.until(lambda _: len(heard.ups()) == before + 2)
    for client_id in (order.client_id, "nobody"):
        venue.cancel(client_id)
    eventually(lambda: len(venue._held_cancels) == 2 and peer.peer.waiting)
    assert not heard.of(CancelRefused)
    peer.peer.release()
    heard.first(Cancelled, order.client_id)
    assert heard.first(CancelRefused).client_id == "nobody"


def test_a_cancel_that_waits_when_the_connection_goes_is_refused(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    peer.peer.holds = frozenset({OPEN_ORDERS})
    peer.hang_up()
    heard.until(lambda _: heard.ups() == [True, False, True])
    venue.cancel(order.client_id)
    eventually(lambda: venue._held_cancels)
    peer.hang_up()
    assert heard.first(CancelRefused, order.client_id).reason


def test_an_order_that_was_said_to_be_lost_is_not_sent_afterwards(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    """The connection went between its submission and its turn in the client's thread; a report may have told already
    that the broker has no such order."""
    late = ask(peer.symbol, 5)
    listing = peer.listings.here(peer.symbol)
    venue._unanswered.sent(late.client_id)
    assert venue._unanswered.all() == [late.client_id]
    venue._soon(venue._place, late.client_id, contract(listing), new_order(late, 5, listing, ACCOUNT))
    order = working(peer, venue, heard)
    assert peer.account.arrivals == [order.client_id]


def test_the_answer_to_an_earlier_question_is_not_the_reports(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    """A new connection asks what is open; its answer, of before the order, comes while a report is made."""
    peer.peer.holds = frozenset({OPEN_ORDERS})
    peer.hang_up()
    heard.until(lambda _: heard.ups() == [True, False, True])
    order = working(peer, venue, heard)
    with reporting(peer, venue, questions=2) as found:
        peer.peer.say(53, 1)
        peer.peer.waiting.pop(0)
        working(peer, venue, heard)
        assert not found
    assert found[0].complete and order.client_id in {o.client_id for o in found[0].orders}


def test_an_order_that_ends_while_a_report_is_made_has_ended_in_it(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    order = working(peer, venue, heard)
    peer.peer.holds = frozenset({SUMMARY})
    with reporting(peer, venue, questions=1) as found:
        venue.cancel(order.client_id)
        heard.first(Cancelled, order.client_id)
    assert [o.ended for o in found[0].orders] == ["cancelled"]


def test_a_report_waits_for_fees_too(peer: IbUnderTest, heard: Heard) -> None:
    """Else it would tell other money than the news of the fill, that wait for the fee."""
    venue = IbVenue(replace(peer.adapter()._settings, fee_s=60.0), peer.listings)
    venue.open(heard)
    try:
        order = working(peer, venue, heard)
        done = peer.account.fill(order.client_id, Decimal(2), Decimal("99.5"), Decimal("0.35"))
        say, peer.peer.say = peer.peer.say, lambda *fields: say(*fields) if fields[0] != 59 else None  # type: ignore[method-assign]
        peer.peer.say_execution(order, done)
        assert not venue.report().complete
        peer.peer.say = say  # type: ignore[method-assign]
        report = venue.report()
        assert report.complete and [f.fee_micros for o in report.orders for f in o.fills] == [350_000]
        assert {f.fee_micros for f in heard.of(Filled)} == {350_000}
    finally:
        venue.close()


def test_report_after_report(peer: IbUnderTest, venue: IbVenue, heard: Heard) -> None:
    """TWS keeps two summaries of an account, and refuses the third as long as both are wanted."""
    working(peer, venue, heard)
    assert all(venue.report().complete for _ in range(4))


def test_prices_are_asked_for_anew_where_the_broker_forgot_them(
    peer: IbUnderTest, venue: IbVenue, heard: Heard
) -> None:
    eventually(lambda: len(peer.peer.tickers) == 2)
    peer.peer.say(4, 2, -1, 1100, "Connectivity between IB and Trader Workstation has been lost.", "")
    peer.peer.say(4, 2, -1, 1101, "restored - data lost.", "")
    eventually(lambda: len(peer.peer.tickers) == 4)
    for number, kind, price in ((peer.peer.tickers[2], 1, "100.01"), (peer.peer.tickers[2], 2, "100.03")):
        peer.peer.say(1, 6, number, kind, price, 1, 0)
    assert heard.first(Marked).price == 100.02 and heard.ups() == [True, False, True]


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
