"""The book beside the venue, over random days with crashes: never flat here when the venue is not, nothing sent twice.

1. A ticket is made once, whatever is tried twice; another one under its id is refused.
2. After a restart nothing may go out but cancels, until the venue was asked and agrees.
3. Whatever was lost on the way, after reconciliation the positions are the venue's and no open order is unknown.
4. What trades outside the book is a break, named, and keeps the desk cancel-only.
"""

from __future__ import annotations

import random

import pytest

from modules.live.orders.book import OrderBook, Remarked
from modules.live.orders.order import Fill, OrderError, Ticket
from modules.live.orders.reconcile import Admission, VenueOrder, VenueReport, reconcile
from modules.live.orders.states import News, Remark, State


def ticket(client_id: str, lots: int = 10, symbol: str = "AAA") -> Ticket:
    return Ticket(client_id, "alpha", symbol, lots, "sim")


class Venue:
    """What really happens at the other end."""

    def __init__(self) -> None:
        self.orders: dict[str, tuple[Ticket, list[Fill], str | None]] = {}

    def submit(self, made: Ticket) -> None:
        assert made.client_id not in self.orders, "sent twice"
        self.orders[made.client_id] = (made, [], None)

    def trade(self, client_id: str, lots: int) -> Fill | None:
        made, fills, ended = self.orders[client_id]
        left = made.lots - sum(f.lots for f in fills)
        if ended or not left:
            return None
        fill = Fill(f"{client_id}-{len(fills)}", max(-lots, min(lots, left)), 100)
        fills.append(fill)
        if made.lots == sum(f.lots for f in fills):
            self.orders[client_id] = (made, fills, "filled")
        return fill

    def cancel(self, client_id: str) -> bool:
        made, fills, ended = self.orders[client_id]
        self.orders[client_id] = (made, fills, ended or "cancelled")
        return ended is None

    def report(self) -> VenueReport:
        told = tuple(VenueOrder(i, tuple(fills), ended) for i, (_, fills, ended) in self.orders.items())  # type: ignore[arg-type]
        positions: dict[str, int] = {}
        for made, fills, _ in self.orders.values():
            positions[made.symbol] = positions.get(made.symbol, 0) + sum(f.lots for f in fills)
        return VenueReport(told, positions)


@pytest.mark.parametrize("seed", range(40))
def test_a_day_with_losses_on_the_way(seed: int) -> None:
    rng, venue, book, desk = random.Random(seed), Venue(), OrderBook(), Admission()
    count = 0

    def told(happens: bool = True) -> bool:
        return happens and rng.random() < 0.7  # three in ten messages are lost

    for _ in range(300):
        what = rng.random()
        if what < 0.3 and desk.cancel_only is None:
            count += 1
            made = ticket(f"o{count}", rng.choice([-7, -3, 4, 10]), rng.choice(["AAA", "BBB"]))
            assert book.create(made) and not book.create(made)
            if rng.random() < 0.9:  # else the process ends between record and sending
                venue.submit(made)
                if told():
                    book.hear(made.client_id, News.SENT)
                if told():
                    book.hear(made.client_id, News.ACKNOWLEDGED)
        elif what < 0.7 and venue.orders:
            client_id = rng.choice(sorted(venue.orders))
            fill = venue.trade(client_id, rng.randint(1, 6))
            for _ in range(rng.choice([0, 1, 1, 2])):  # lost, once, twice
                if fill is not None:
                    book.fill(client_id, fill)
        elif what < 0.85 and venue.orders:
            client_id = rng.choice(sorted(venue.orders))
            done = venue.cancel(client_id)
            book.hear(client_id, News.CANCEL_SENT)
            if told():
                book.hear(client_id, News.CANCELLED if done else News.CANCEL_REFUSED)
        elif what < 0.92:
            book.restarted()
            desk.lost()
            assert desk.cancel_only is not None
        else:
            if any(o.state in (State.CREATED, State.SENT) for o in book.open()):
                book.restarted()  # the venue is asked once nothing is on its way
            desk.reconciled(reconcile(book, venue.report()))
            assert desk.cancel_only is None, desk.breaks
            assert book.positions == {s: n for s, n in sorted(venue.report().positions.items()) if n}
            assert not list(book.unknown())
            ours = {o.ticket.client_id for o in book.open()}
            assert ours == {i for i, (_, _, ended) in venue.orders.items() if ended is None}
    assert count > 10


BREAKS = [
    ("a stranger", [VenueOrder("x", (), None)], {}, "stranger x"),
    ("a position from elsewhere", [], {"ZZZ": 5}, "position ZZZ: here 0 lots, at the venue 5 lots"),
    ("an acknowledged order that is gone", [], {}, "unknown order w: here unknown, at the venue no such order"),
    ("a fill that cannot be", [VenueOrder("w", (Fill("1", -3, 100),), None)], {}, "impossible fill w"),
    ("rejected, and filled here", [VenueOrder("f", (Fill("1", 10, 100),), "cancelled")], {}, "ended otherwise f"),
]


@pytest.mark.parametrize(("name", "orders", "positions", "said"), BREAKS, ids=[b[0] for b in BREAKS])
def test_breaks_are_named_and_keep_the_desk_cancel_only(
    name: str, orders: list[VenueOrder], positions: dict[str, int], said: str
) -> None:
    book, desk = OrderBook(), Admission()
    assert desk.cancel_only is not None and "not asked yet" in desk.cancel_only
    if "w" in said:
        book.create(ticket("w"))
        book.hear("w", News.ACKNOWLEDGED)
    if " f" in said:
        book.create(ticket("f"))
        book.fill("f", Fill("1", 10, 100))
    desk.reconciled(reconcile(book, VenueReport(tuple(orders), positions)))
    assert desk.breaks is not None and any(said in b.sentence for b in desk.breaks), desk.breaks
    assert desk.cancel_only is not None and "only cancels go out" in desk.cancel_only


def test_an_incomplete_report_says_nothing() -> None:
    book, desk = OrderBook(), Admission()
    book.create(ticket("a"))
    book.restarted()
    desk.reconciled(reconcile(book, VenueReport((), {}, complete=False)))
    assert desk.cancel_only is not None and book.orders["a"].state is State.UNKNOWN


def test_an_order_that_was_there_and_is_not_is_over_and_was_not_refused() -> None:
    book = OrderBook()
    for made in ("acknowledged", "filled", "neither"):
        book.create(ticket(made))
    book.hear("acknowledged", News.ACKNOWLEDGED, "v1")
    book.fill("filled", Fill("1", 4, 100))
    book.restarted()
    assert not reconcile(book, VenueReport((), {"AAA": 4}))
    assert [o.state for o in book.orders.values()] == [State.EXPIRED, State.EXPIRED, State.REJECTED]


def test_what_the_venue_took_back_and_corrected_is_taken_in() -> None:
    book = OrderBook()
    book.create(ticket("a"))
    book.fill("a", Fill("1", 4, 100))
    book.fill("a", Fill("2", 3, 100))
    report = VenueReport((VenueOrder("a", (Fill("2", 2, 90),), None),), {"AAA": 2})
    assert not reconcile(book, report) and book.positions == {"AAA": 2}
    assert book.remarks == [Remarked("a", Remark.CORRECTED), Remarked("a", Remark.BUSTED)]
    assert not reconcile(book, report), "again: nothing new"


def test_an_id_is_used_once() -> None:
    book = OrderBook()
    assert book.create(ticket("a")) and not book.create(ticket("a"))
    with pytest.raises(OrderError, match="names another order"):
        book.create(ticket("a", 11))
    for hear in (lambda: book.hear("b", News.SENT), lambda: book.fill("b", Fill("1", 1, 1))):
        with pytest.raises(OrderError, match="no order of this book"):
            hear()
