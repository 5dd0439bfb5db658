"""A day of an order desk, a random step at a time: orders, repeats, fills, cancels, news, and what is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import AnyMessage, Busted, Corrected, Filled, VenueNews
from modules.live.orders.ids import client_id
from modules.live.orders.order import Ticket
from tests.modules.live.desk.faulty import FaultyLink, Truth
from traces.disk import Disk

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


class Mirrored(FileJournal):
    """A journal that remembers what it took, to compare with what a crash leaves. Nothing is durable unasked."""

    def __init__(self, folder: Path, disk: Disk | None, clock_ns: Callable[[], int]) -> None:
        self.took: list[AnyMessage] = []
        super().__init__(folder, disk=disk, clock_ns=clock_ns, commit_ms=None, sign_seconds=0.02, room_bytes=3_000)
        self.took = [e.message for e in self.read()]

    def append(self, *messages: AnyMessage) -> int:
        last = super().append(*messages)
        self.took += messages
        return last

    @property
    def acknowledged(self) -> list[AnyMessage]:
        """What has to be there after the power was gone."""
        return self.took[: self.durable + 1]


@dataclass
class Day:
    """One account's desk in `folder`, and the venue's truth, which outlives it."""

    folder: Path
    truth: Truth
    chance: random.Random
    faults: float = 0.08
    disk: Disk | None = None
    account: Account = field(default_factory=Account)
    tickets: list[Ticket] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    number: int = 1_000

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Begin, or begin again after the process ended."""
        self.journal = Mirrored(self.folder, self.disk, self._clock)
        self.desk = Desk(WHO, lambda: FaultyLink(self.truth, self.chance, self.faults), self.journal, settle_s=0.0)
        self.desk.listeners.append(self.account.hear)

    def _clock(self) -> int:
        return 10**18 + self.chance.randrange(-(10**9), 10**9)  # it steps back half of the time

    def step(self) -> None:
        """Something happens."""
        chance, truth, desk = self.chance, self.truth, self.desk
        what = chance.random()
        if what < 0.35:
            self.number += 1
            made = ticket(self.number, chance.choice([-7, -3, 4, 10]), chance.choice(["AAA", "BBB"]))
            if self.tickets and chance.random() < 0.2:
                made = chance.choice(self.tickets)
            self.tickets.append(made)
            self.counts[desk.submit(made).status] += 1
        elif what < 0.6 and truth.orders:
            truth.trade(chance.choice(sorted(truth.orders)), chance.randint(1, 6))
        elif what < 0.7 and self.tickets:
            try:
                desk.cancel(chance.choice(self.tickets).client_id)
            except OSError:
                assert desk.cancel_only is not None
        elif what < 0.71:
            truth.expire()
        elif what < 0.9:
            desk.poll(0.0)
        else:
            desk.recover()
            if desk.cancel_only is None:
                desk.poll(0.0)
                self.counts["agreed"] += 1

    def settle(self) -> None:
        """Until everything that was said is heard and the venue agrees. It must, within a few rounds."""
        for _ in range(200):
            if not self.truth.outbox and self.desk.cancel_only is None:
                return
            self.desk.poll(0.0)
            if self.desk.cancel_only is not None:
                self.desk.recover()
        raise AssertionError(f"never settles: {self.desk.cancel_only}")

    def check(self) -> None:
        """The book is the venue's truth."""
        book = self.desk.book
        assert book.positions == self.truth.positions, "the books' positions are not the venue's"
        assert {o.ticket.client_id for o in book.open()} == {i for i, o in self.truth.orders.items() if o.ended is None}
        assert not list(book.unknown())
        paid = sum(f.value_micros + f.fee_micros for o in self.truth.orders.values() for f in o.fills)
        assert book.paid_micros == paid, "the books' money is not the venue's"
