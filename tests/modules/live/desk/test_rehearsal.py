"""An order's way is gone for nothing while desk and risk core wait without sleeping: nothing comes of it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.journal.groups import GroupedJournal
from modules.live.messages import AnyMessage, Ask, Marked, VenueNews
from modules.live.orders.ids import client_id
from modules.live.orders.order import Ticket
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import SOCKET
from modules.live.runner.deskline import DeskLine
from tests.modules.live.riskd.house import DESK, PATIENCE_S, folder, server

ENOUGH = 50
MADE_ANEW_S = 0.2
"""A status may be as old as a tenth of a second."""


def ticket(number: int) -> Ticket:
    return Ticket(
        client_id("demo", "alpha", number, "AAA"), "alpha", "AAA", 10, "sim", order_type="limit",
        limit_micros=99_000_000,
    )  # fmt: skip


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Counter[GroupedJournal]:
    """How often, by journal."""
    counts: Counter[GroupedJournal] = Counter()
    rehearse = GroupedJournal.rehearse

    def counting(journal: GroupedJournal, *messages: AnyMessage) -> None:
        counts[journal] += 1
        rehearse(journal, *messages)

    monkeypatch.setattr(GroupedJournal, "rehearse", counting)
    return counts


@pytest.mark.parametrize("spin_ms", [0, 1_000])
def test_a_runner_rehearses_where_the_risk_core_looks_on(
    tmp_path: Path, rehearsed: Counter[GroupedJournal], spin_ms: int
) -> None:
    with folder() as place, server(place, spin_ms=spin_ms), FileJournal(tmp_path / "journal") as journal:
        line = DeskLine(Identity("demo", "paper", "b1"), place / SOCKET, journal)
        until = time.monotonic() + PATIENCE_S
        while line.agree() is not None and time.monotonic() < until:
            line.poll(0.1)
        for _ in range(20):
            line.poll(0.01)
        assert (rehearsed[journal] > 0) is bool(spin_ms)
        line.close()


def test_nothing_comes_of_it(tmp_path: Path, rehearsed: Counter[GroupedJournal]) -> None:
    with (
        folder(repeats_a_minute=2) as place,
        server(place, spin_ms=1_000),
        FileJournal(tmp_path / "journal") as journal,
        FileJournal(tmp_path / "unconnected") as other,
    ):
        who = Identity("demo", "paper", "b1")
        Desk(who, lambda: RiskClient.connect(place / SOCKET, DESK, PATIENCE_S), other).rehearse()
        assert not rehearsed, "there is nobody to ask"
        desk = Desk(who, lambda: RiskClient.connect(place / SOCKET, DESK, PATIENCE_S), journal)
        until = time.monotonic() + PATIENCE_S
        while desk.cancel_only is not None and time.monotonic() < until:
            desk.tend()
        assert desk.submit(ticket(1)).status == "sent"
        heard: list[VenueNews] = []
        while not any(isinstance(n, Marked) for n in heard) and time.monotonic() < until:
            heard += desk.poll(0.1)  # what the venue says last
        viewer = RiskClient.connect(place / SOCKET, msgspec.structs.replace(DESK, role="viewer"), PATIENCE_S)
        before, book, last = viewer.status(), dict(desk.book.orders), journal.last
        time.sleep(MADE_ANEW_S)
        assert len(before.open_orders) == 1
        while not (len(rehearsed) == 2 and min(rehearsed.values()) > ENOUGH) and time.monotonic() < until:
            desk.rehearse()
        assert len(rehearsed) == 2 and min(rehearsed.values()) > ENOUGH
        after = viewer.status()
        assert msgspec.structs.replace(after, at_ns=before.at_ns) == before
        assert (desk.book.orders, journal.last, desk.poll(0.0)) == (book, last, [])
        assert desk.submit(ticket(2)).status == "sent", "what was rehearsed is no repeated order"
        viewer.close()
        desk.close()
    asks = [m for m in (e.message for e in FileJournal(tmp_path / "journal").read()) if isinstance(m, Ask)]
    assert [a.client_id for a in asks] == [ticket(1).client_id, ticket(2).client_id]
