"""Order management against a venue that keeps the truth, with every message lost, late, twice or out of order.

1. No order is sent twice, whatever happens to the asking, the answer or the process.
2. Whenever orders may go out, the book's positions and open orders are the venue's.
3. What the journal holds folds to the same book, at every restart.
4. What nobody heard of is told to the listeners once the venue was asked: an account kept from news alone is right.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Busted, Corrected, Filled, VenueNews
from modules.live.orders.ids import client_id
from modules.live.orders.order import OrderError, Ticket
from tests.modules.live.desk.faulty import FaultyLink, Truth

WHO = Identity("main", "paper", "b")


def ticket(n: int, lots: int = 10, symbol: str = "AAA") -> Ticket:
    return Ticket(client_id("main", "alpha", 1_000 + n, symbol), "alpha", symbol, lots, "sim")


class Account:
    """Lots as somebody counts them who hears nothing but news."""

    def __init__(self) -> None:
        self.fills: dict[str, tuple[str, int]] = {}

    def hear(self, news: VenueNews) -> None:
        if isinstance(news, Filled | Corrected):
            self.fills[news.exec_id] = (news.symbol, news.lots)
        if isinstance(news, Busted):
            self.fills.pop(news.exec_id, None)

    @property
    def positions(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for symbol, lots in self.fills.values():
            total[symbol] = total.get(symbol, 0) + lots
        return {s: n for s, n in sorted(total.items()) if n}


def open_desk(folder: Path, truth: Truth, chance: random.Random, faults: float, account: Account) -> Desk:
    desk = Desk(
        WHO, lambda: FaultyLink(truth, chance, faults), FileJournal(folder, commit_ms=None, sign_seconds=1e9),
        settle_s=0.0,
    )  # fmt: skip
    desk.listeners.append(account.hear)
    return desk


def agrees(desk: Desk, truth: Truth, account: Account) -> None:
    assert desk.book.positions == truth.positions == account.positions
    assert {o.ticket.client_id for o in desk.book.open()} == {i for i, o in truth.orders.items() if o.ended is None}
    assert not list(desk.book.unknown())


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_lost_on_the_way(tmp_path: Path, seed: int) -> None:
    chance, truth, account = random.Random(seed), Truth(), Account()
    desk = open_desk(tmp_path, truth, chance, 0.08, account)
    sent = held = agreed = restarts = 0
    tickets: list[Ticket] = []
    for n in range(400):
        what = chance.random()
        if what < 0.35:
            made = ticket(n, chance.choice([-7, -3, 4, 10]), chance.choice(["AAA", "BBB"]))
            if tickets and chance.random() < 0.2:
                made = chance.choice(tickets)
            outcome = desk.submit(made)
            sent += outcome.status == "sent"
            held += outcome.status == "held"
            if outcome.status != "held":
                tickets.append(made)
        elif what < 0.6 and truth.orders:
            truth.trade(chance.choice(sorted(truth.orders)), chance.randint(1, 6))
        elif what < 0.7 and tickets:
            try:
                desk.cancel(chance.choice(tickets).client_id)
            except OSError:
                assert desk.cancel_only is not None
        elif what < 0.71:
            truth.expire()
        elif what < 0.9:
            desk.poll(0.0)
        elif what < 0.93:  # the process ends, and comes back
            restarts += 1
            desk.close()
            desk.journal.close()
            before = dict(desk.book.orders)
            desk = open_desk(tmp_path, truth, chance, 0.08, account)
            assert desk.book.orders.keys() == before.keys()
            for i, order in desk.book.orders.items():
                assert order.fills == before[i].fills and order.lots == before[i].lots
                assert order.is_open == before[i].is_open
            assert desk.cancel_only is not None
        else:
            desk.recover()
            if desk.cancel_only is None:
                desk.poll(0.0)
                agreed += 1
    while desk.cancel_only is not None:
        desk.recover()
    while truth.outbox or desk.cancel_only is not None:
        desk.poll(0.0)
        desk.recover()
    agrees(desk, truth, account)
    assert sent > 5 and held > 5 and agreed > 5 and restarts > 2
    desk.journal.close()


def test_ids_of_others_are_refused(tmp_path: Path) -> None:
    truth = Truth()
    desk = open_desk(tmp_path, truth, random.Random(0), 0.0, Account())
    assert desk.submit(ticket(0)).status == "held" and not desk.book.orders, "before the venue was asked"
    assert not desk.recover() and desk.cancel_only is None
    for wrong in ("o1", client_id("other", "alpha", 1, "AAA")):
        with pytest.raises(OrderError, match="not of account main"):
            desk.submit(Ticket(wrong, "alpha", "AAA", 1, "sim"))
    first = desk.submit(ticket(1, 3))
    assert first.is_new and not desk.submit(ticket(1, 3)).is_new
    with pytest.raises(OrderError, match="names another order"):
        desk.submit(ticket(1, 4))
    desk.journal.close()
