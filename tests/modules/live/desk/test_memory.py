"""What has ended days ago is let go of, and nothing but that.

1. Positions and money stay; open orders stay; a ticket or an execution from before is told, not taken for a new one.
2. Thirty days of trading need no more memory and no more files than five.
"""

from __future__ import annotations

import gc
import os
import random
from pathlib import Path

import pytest

from modules.live.desk.desk import KEPT_DAYS
from modules.live.messages import Filled
from modules.live.orders.ids import client_id
from modules.live.orders.order import OrderError, Ticket
from tests.modules.live.desk.day import Day
from tests.modules.live.desk.faulty import Truth

DAY_NS = 86_400_000_000_000


def ticket(day: int, n: int, lots: int = 2) -> Ticket:
    return Ticket(client_id("main", "alpha", day * DAY_NS + n, "AAA"), "alpha", "AAA", lots, "sim")


def trade(day: Day, number: int, orders: int) -> None:
    """A day: orders that fill, back and forth, and one that stays open."""
    for n in range(orders):
        made = ticket(number, n, 2 if n % 2 else -2)
        assert day.desk.submit(made).status == "sent"
        day.truth.trade(made.client_id, 2)
        day.desk.poll(0.0)
    day.desk.tend()


def test_what_ended_days_ago_goes(tmp_path: Path) -> None:
    day = Day(tmp_path, Truth(is_calm=True), random.Random(1), faults=0.0)
    day.desk.recover()
    resting = ticket(100, 999, 50)
    assert day.desk.submit(resting).status == "sent"
    day.truth.trade(resting.client_id, 7)
    for number in range(100, 106):
        trade(day, number, 5)
    known = day.desk.book.orders
    assert len(known) == 1 + 5 * (KEPT_DAYS + 1) and known[resting.client_id].is_open
    day.check()
    with pytest.raises(OrderError, match="forgotten"):
        day.desk.submit(ticket(100, 1, 2))
    old = ticket(100, 0).client_id
    day.truth.outbox.append(day.truth.orders[old].fills[0])
    day.desk.poll(0.0)
    assert day.desk.book.positions == day.truth.positions == {"AAA": -5}, "not counted a second time"
    assert "ended long ago" in str(day.desk.cancel_only) and not day.desk.recover()
    day.truth.outbox.append(Filled(old, "new", "AAA", 1, 1.0, 1_000_000, 0, 1))
    day.desk.poll(0.0)
    assert day.desk.cancel_only is not None
    day.journal.close()


@pytest.mark.slow
def test_thirty_days_need_what_five_need(tmp_path: Path) -> None:
    day = Day(tmp_path, Truth(is_calm=True), random.Random(1), faults=0.0)
    day.account.hear = lambda news: None  # type: ignore[method-assign]
    day.desk.listeners.clear()
    day.desk.recover()
    resident, files = [], []
    for number in range(100, 130):
        trade(day, number, 300)
        day.truth.orders.clear()  # the venue's memory is not what is measured
        day.truth.seen.clear()
        day.journal.took.clear()
        day.journal.sync()
        gc.collect()
        resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        files.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))
    assert max(resident[-5:]) < 1.01 * max(resident[5:10]), [r >> 10 for r in resident]
    assert files[5] == files[-1]
    day.journal.close()
