"""What every venue must do, whatever it speaks: one suite for all adapters, against a peer that fails when it is told.

1. A venue says that it is up before anything else; where nobody answers, opening is refused.
2. An order arrives as it was ruled: lots, side, type, limit. What the peer says of it is heard in the peer's order.
3. Fills keep side, quantity, price, money and the peer's execution ids; the same execution twice keeps its id.
4. A refusal is a refusal only in words that leave no doubt; an outcome that is not known is `Lost`, and never both sent
   again and taken for new: whatever happens, the peer has the order at most once.
5. Cancels: what works ends, what does not is refused; all means all, also orders that another connection sent.
6. A report is complete and true: open and ended orders, fills that stand, positions; also for who comes anew.
7. After a connection went, down and up are heard, and what was missed is heard or in the report.
8. A gap, a bust, a correction, a fill after the end: heard, or the connection is renewed and the report has it.
9. Rate limits are kept: what is turned away for a while is not hammered.
10. Closing leaves orders where they are, ends threads, and is silent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Connection,
    Corrected,
    Filled,
    Lost,
    RefusedByVenue,
    Report,
    VenueNews,
)
from modules.live.venues.port import Venue, VenueError
from tests.modules.live.venues.undertest import (
    Fault,
    Heard,
    PeerOrder,
    VenueUnderTest,
    ask,
    came_back,
    report_once_up,
    told,
)

__all__ = ["Fault", "Heard", "PeerOrder", "VenueConformance", "VenueUnderTest", "ask", "report_once_up", "told"]


class VenueConformance:
    """Derive from it, and give the fixture `under_test`."""

    @pytest.fixture
    def under_test(self) -> Iterator[VenueUnderTest]:
        """The peer, running. Override."""
        raise NotImplementedError

    @pytest.fixture
    def heard(self) -> Heard:
        """Where the venue is heard."""
        return Heard()

    @pytest.fixture
    def venue(self, under_test: VenueUnderTest, heard: Heard) -> Iterator[Venue]:
        """An open venue."""
        venue = under_test.adapter()
        venue.open(heard)
        try:
            yield venue
        finally:
            venue.close()

    @pytest.fixture
    def hurried(self, under_test: VenueUnderTest) -> None:
        """For a venue that soon takes an order for lost; where `Lost` is looked for, and nothing says there is none."""
        under_test.answer_s = 0.5

    def armed(self, under_test: VenueUnderTest, fault: Fault) -> None:
        """Arm a fault, or leave the case out where the protocol cannot have it."""
        if fault not in under_test.faults:
            pytest.skip(f"{type(under_test).__name__}: a peer of this protocol never {fault.value}")
        under_test.arm(fault)

    def remote(self, under_test: VenueUnderTest) -> None:
        """Leave the case out where there is no peer that could go."""
        if not under_test.is_remote:
            pytest.skip(f"{type(under_test).__name__}: there is nobody who could go away")

    # --- 1: opening ---------------------------------------------------------------------------------

    def test_it_says_first_that_it_is_up(self, venue: Venue, heard: Heard) -> None:
        up = heard.first(Connection)
        assert heard.news[0] == up and up.is_up and up.venue == venue.name

    def test_nobody_there_is_refused(self, under_test: VenueUnderTest, heard: Heard) -> None:
        self.remote(under_test)
        under_test.stop()
        venue = under_test.adapter()
        with pytest.raises(VenueError, match=r".{10,}"):
            venue.open(heard)
        venue.close()
        assert True not in heard.ups()

    # --- 2, 3: orders and fills ---------------------------------------------------------------------

    @pytest.mark.parametrize("lots", [7, -7])
    def test_an_order_arrives_as_it_was_ruled(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard, lots: int
    ) -> None:
        """`lots` of the ruling, not those that were asked for."""
        order = ask(under_test.symbol, 3 * lots, "limit", 101.23)
        venue.submit(order, lots)
        acknowledged = heard.first(Acknowledged, order.client_id)
        assert acknowledged.venue_id
        assert under_test.orders() == {order.client_id: PeerOrder(lots, 0, None, 101.23)}
        assert not heard.of(Lost) and not heard.of(RefusedByVenue)

    @pytest.mark.parametrize("side", [1, -1])
    def test_fills_in_parts(self, under_test: VenueUnderTest, venue: Venue, heard: Heard, side: int) -> None:
        order = ask(under_test.symbol, side * 10)
        venue.submit(order, side * 10)
        heard.first(Acknowledged, order.client_id)
        ids = [under_test.fill(order.client_id, side * lots, price) for lots, price in ((3, 100.25), (7, 100.5))]
        fills = heard.until(lambda _: len(heard.of(Filled)) >= 2 and heard.of(Filled))
        assert fills
        assert [f.exec_id for f in fills] == ids and len(set(ids)) == 2
        assert [(f.lots, f.price, f.symbol) for f in fills] == [
            (side * 3, 100.25, under_test.symbol),
            (side * 7, 100.5, under_test.symbol),
        ]
        assert [f.value_micros for f in fills] == [side * 300_750_000, side * 703_500_000]
        assert under_test.positions() == {under_test.symbol: side * 10} == venue.report().positions
        acknowledged = heard.news.index(heard.of(Acknowledged, order.client_id)[0])
        assert acknowledged < heard.news.index(fills[0])

    def test_the_same_execution_twice_keeps_its_id(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard
    ) -> None:
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        self.armed(under_test, Fault.DUPLICATE)
        exec_id = under_test.fill(order.client_id, 2, 10.0)
        last = under_test.fill(order.client_id, 3, 11.0)
        heard.until(lambda _: last in {f.exec_id for f in heard.of(Filled)})
        by_id = {f.exec_id: (f.lots, f.price) for f in heard.of(Filled)}
        assert by_id == {exec_id: (2, 10.0), last: (3, 11.0)}
        assert len({(f.exec_id, f.lots, f.price, f.value_micros) for f in heard.of(Filled)}) == 2

    # --- 4: outcomes --------------------------------------------------------------------------------

    def test_a_refusal_is_heard_with_its_reason(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        self.armed(under_test, Fault.REFUSE)
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        assert heard.first(RefusedByVenue, order.client_id).reason
        assert not heard.of(Lost)
        found = under_test.orders().get(order.client_id)
        assert found is None or found.ended == "rejected"

    @pytest.mark.usefixtures("hurried")
    @pytest.mark.parametrize("fault", [Fault.HANG_UP_AFTER, Fault.SILENT, Fault.GARBAGE], ids=lambda f: f.name.lower())
    def test_an_order_that_was_taken_unsaid_is_lost_not_refused(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard, fault: Fault
    ) -> None:
        """And the report says what became of it, once the connection stands."""
        self.armed(under_test, fault)
        order = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(order, 5)
        assert heard.first(Lost, order.client_id).reason
        report = self.report_once_up(venue, heard)
        assert told(report)[order.client_id].ended is None
        assert not heard.of(RefusedByVenue)
        assert under_test.orders() == {order.client_id: PeerOrder(5, 0, None, 99.5)}
        again = ask(under_test.symbol, 2)
        venue.submit(again, 2)
        heard.first(Acknowledged, again.client_id)

    def test_an_order_that_was_not_taken_is_lost_too(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard
    ) -> None:
        """It is not sent again by itself: the report shows that it never arrived."""
        self.armed(under_test, Fault.HANG_UP_BEFORE)
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Lost, order.client_id)
        report = self.report_once_up(venue, heard)
        assert order.client_id not in told(report)
        assert not heard.of(RefusedByVenue) and not heard.of(Acknowledged)
        assert under_test.orders() == {}

    def test_a_client_id_makes_one_order(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        """Sent again (nothing does), the peer keeps the first, and nobody takes that for its refusal."""
        order = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        venue.submit(order, 5)
        other = ask(under_test.symbol, 1)
        venue.submit(other, 1)
        heard.first(Acknowledged, other.client_id)
        assert set(under_test.orders()) == {order.client_id, other.client_id}
        assert not heard.of(RefusedByVenue, order.client_id)
        assert told(venue.report())[order.client_id].ended is None

    def test_what_cannot_be_sent_is_said_at_once(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        self.remote(under_test)
        under_test.stop()
        heard.until(lambda _: heard.ups()[-1] is False)
        order = ask(under_test.symbol, 5)
        with pytest.raises(VenueError):
            venue.submit(order, 5)
        with pytest.raises(VenueError):
            venue.cancel(order.client_id)
        with pytest.raises(VenueError):
            venue.cancel_all()
        with pytest.raises(VenueError):
            venue.report()
        under_test.start()
        heard.until(lambda _: heard.ups()[-1] is True)
        assert order.client_id not in told(self.report_once_up(venue, heard))
        assert not heard.of(Lost, order.client_id) and order.client_id not in under_test.orders()

    # --- 5: cancels ---------------------------------------------------------------------------------

    def test_a_cancel_ends_what_works(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        under_test.fill(order.client_id, 2, 99.5)
        heard.first(Filled, order.client_id)
        venue.cancel(order.client_id)
        heard.first(Cancelled, order.client_id)
        assert under_test.orders()[order.client_id] == PeerOrder(5, 2, "cancelled", 99.5)
        found = told(venue.report())[order.client_id]
        assert found.ended == "cancelled" and [f.lots for f in found.fills] == [2]

    def test_a_cancel_too_late_is_refused(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        under_test.fill(order.client_id, 5, 99.5)
        heard.first(Filled, order.client_id)
        venue.cancel(order.client_id)
        assert heard.first(CancelRefused, order.client_id).reason
        assert not heard.of(Cancelled)

    def test_a_cancel_of_what_nobody_knows_is_refused(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard
    ) -> None:
        unknown = ask(under_test.symbol, 5)
        venue.cancel(unknown.client_id)
        assert heard.first(CancelRefused, unknown.client_id).reason

    def test_all_means_all(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        """Also what another connection sent, that this one never heard of."""
        mine = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(mine, 5)
        heard.first(Acknowledged, mine.client_id)
        later, hears = under_test.adapter(), Heard()
        venue.close()
        later.open(hears)
        try:
            other = ask(under_test.other, -3, "limit", 101.5)
            later.submit(other, -3)
            hears.first(Acknowledged, other.client_id)
            later.cancel_all()
            hears.first(Cancelled, other.client_id)
            hears.first(Cancelled, mine.client_id)
            assert {o.ended for o in under_test.orders().values()} == {"cancelled"}
        finally:
            later.close()

    # --- 6: reports ---------------------------------------------------------------------------------

    def test_a_report_is_complete_and_true_for_who_comes_anew(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard
    ) -> None:
        orders = [ask(under_test.symbol, 10, "limit", 99.5), ask(under_test.other, -4), ask(under_test.symbol, 6)]
        for order in orders:
            venue.submit(order, order.lots)
            heard.first(Acknowledged, order.client_id)
        under_test.fill(orders[0].client_id, 3, 99.5)
        under_test.fill(orders[1].client_id, -4, 50.25)
        venue.cancel(orders[2].client_id)
        heard.until(lambda _: len(heard.of(Filled)) == 2 and heard.of(Cancelled))
        before = venue.report()
        venue.close()
        anew, hears = under_test.adapter(), Heard()
        anew.open(hears)
        try:
            after = anew.report()
        finally:
            anew.close()
        for report in (before, after):
            assert report.complete and report.positions == {under_test.symbol: 3, under_test.other: -4}
            found = told(report)
            assert {i: (o.symbol, o.lots, o.ended) for i, o in found.items()} == {
                orders[0].client_id: (under_test.symbol, 10, None),
                orders[1].client_id: (under_test.other, -4, "filled"),
                orders[2].client_id: (under_test.symbol, 6, "cancelled"),
            }
            assert (found[orders[0].client_id].order_type, found[orders[0].client_id].limit_price) == ("limit", 99.5)
            fills = {f.exec_id: (f.client_id, f.lots, f.price, f.value_micros) for o in found.values() for f in o.fills}
            assert fills == {f.exec_id: (f.client_id, f.lots, f.price, f.value_micros) for f in heard.of(Filled)}
        assert before.cash_micros == after.cash_micros

    # --- 7: connections -----------------------------------------------------------------------------

    def test_a_connection_that_went_comes_back_and_nothing_is_missed(
        self, under_test: VenueUnderTest, venue: Venue, heard: Heard
    ) -> None:
        """Fills while nobody listened: heard afterwards, or in the report."""
        self.remote(under_test)
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        under_test.stop()
        heard.until(lambda _: heard.ups()[-1] is False)
        exec_id = under_test.fill(order.client_id, 5, 10.0)
        under_test.start()
        heard.until(lambda _: heard.ups()[-1] is True)
        report = self.report_once_up(venue, heard)
        assert exec_id in {f.exec_id for f in told(report)[order.client_id].fills}
        assert report.positions == {under_test.symbol: 5}
        assert not heard.of(Lost)
        assert heard.ups()[0] is True and False in heard.ups()

    def test_it_can_be_hung_up_on_again_and_again(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        self.remote(under_test)
        for turn in range(3):
            before = len(heard.ups())
            under_test.hang_up()
            heard.until(partial(came_back, heard, before))
            order = ask(under_test.symbol, turn + 1)
            venue.submit(order, turn + 1)
            heard.first(Acknowledged, order.client_id)
        assert len(under_test.orders()) == 3

    # --- 8: what comes late, twice or not at all ----------------------------------------------------

    def test_a_gap_is_noticed(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        ups = len(heard.ups())
        self.armed(under_test, Fault.GAP)
        gone = under_test.fill(order.client_id, 2, 10.0)
        said = under_test.fill(order.client_id, 1, 10.5)

        def noticed(_: list[VenueNews]) -> bool:
            ids = {f.exec_id for f in heard.of(Filled)}
            return {gone, said} <= ids or (len(heard.ups()) > ups and heard.ups()[-1])

        heard.until(noticed)
        fills = told(self.report_once_up(venue, heard))[order.client_id].fills
        assert {f.exec_id for f in fills} == {gone, said}

    def test_an_execution_that_was_taken_back(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        exec_id = under_test.fill(order.client_id, 2, 10.0)
        heard.first(Filled, order.client_id)
        self.armed(under_test, Fault.BUST)
        under_test.bust(order.client_id, exec_id)
        assert heard.first(Busted, order.client_id).exec_id == exec_id
        report = venue.report()
        assert told(report)[order.client_id].fills == () and report.positions == {} == under_test.positions()

    def test_an_execution_that_was_corrected(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        exec_id = under_test.fill(order.client_id, 2, 10.0)
        heard.first(Filled, order.client_id)
        self.armed(under_test, Fault.CORRECT)
        under_test.correct(order.client_id, exec_id, 2, 10.5)
        corrected = heard.first(Corrected, order.client_id)
        assert (corrected.exec_id, corrected.lots, corrected.price) == (exec_id, 2, 10.5)
        assert corrected.value_micros == 21_000_000
        (fill,) = told(venue.report())[order.client_id].fills
        assert (fill.exec_id, fill.lots, fill.price) == (exec_id, 2, 10.5)

    def test_a_fill_after_the_end_is_heard(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        order = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        venue.cancel(order.client_id)
        heard.first(Cancelled, order.client_id)
        self.armed(under_test, Fault.LATE_FILL)
        exec_id = under_test.fill(order.client_id, 2, 99.5)
        assert heard.first(Filled, order.client_id).exec_id == exec_id
        report = venue.report()
        assert report.positions == {under_test.symbol: 2} == under_test.positions()
        assert [f.exec_id for f in told(report)[order.client_id].fills] == [exec_id]

    # --- 9: rate limits -----------------------------------------------------------------------------

    def test_a_rate_limit_is_kept(self, under_test: VenueUnderTest, venue: Venue, heard: Heard) -> None:
        """The order arrives later, or is refused, or lost: once at most, and the peer is not hammered."""
        self.armed(under_test, Fault.RATE_LIMIT)
        order = ask(under_test.symbol, 5)
        venue.submit(order, 5)
        outcome = heard.outcome(order.client_id)
        found = under_test.orders().get(order.client_id)
        if isinstance(outcome, RefusedByVenue):
            assert found is None or found.ended == "rejected"
        elif isinstance(outcome, Acknowledged):
            assert found is not None and found.lots == 5
        for _ in range(100):
            later = ask(under_test.symbol, 1)
            try:
                venue.submit(later, 1)
            except VenueError:  # it says itself that it may not send yet
                threading.Event().wait(0.1)
                continue
            if isinstance(heard.outcome(later.client_id), Acknowledged):
                break
            threading.Event().wait(0.1)
        else:
            raise AssertionError("nothing passes, long after the rate limit was over")
        assert under_test.hammered() == 0

    # --- 10: closing --------------------------------------------------------------------------------

    def test_closing_leaves_orders_and_no_threads(self, under_test: VenueUnderTest, heard: Heard) -> None:
        before = set(threading.enumerate())
        venue = under_test.adapter()
        venue.open(heard)
        order = ask(under_test.symbol, 5, "limit", 99.5)
        venue.submit(order, 5)
        heard.first(Acknowledged, order.client_id)
        venue.close()
        venue.close()
        count = len(heard.news)
        if under_test.is_remote:
            under_test.fill(order.client_id, 1, 99.5)
        left = [t.name for t in set(threading.enumerate()) - before if "peer" not in t.name]
        assert left == []
        assert under_test.orders()[order.client_id].ended is None
        with pytest.raises(VenueError):
            venue.submit(ask(under_test.symbol, 1), 1)
        assert len(heard.news) == count

    def report_once_up(self, venue: Venue, heard: Heard) -> Report:
        """A report, once the connection stands."""
        return report_once_up(venue, heard)
