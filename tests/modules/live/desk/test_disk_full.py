"""The journal takes nothing for a while: only cancels go out, what is heard counts; then it goes on where it was.

1. No order is asked for that is not recorded; cancels go out all the same.
2. What the venue says meanwhile is in the book at once, and in the journal, in its order, once there is room.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.modules.live.desk.day import Day, ticket
from tests.modules.live.desk.faulty import Truth
from tests.modules.live.journal.disks import FullDisk


@pytest.mark.parametrize("seed", range(4))
def test_cancel_only_and_then_on(tmp_path: Path, seed: int) -> None:
    disk, chance = FullDisk(), random.Random(seed)
    day = Day(tmp_path, Truth(is_calm=True), chance, faults=0.0, disk=disk)
    assert not day.desk.recover()
    resting, filling = ticket(1), ticket(2)
    assert day.desk.submit(resting).status == day.desk.submit(filling).status == "sent"
    day.desk.poll(0.0)
    disk.room = (0, 200, 450, 900)[seed]  # nothing, half an asking, the asking and not its ruling, two orders' worth
    outcomes = [day.desk.submit(ticket(n)) for n in range(10, 16)]
    held = [o for o in outcomes if o.status == "held"]
    assert held == outcomes[-len(held) :] and len(held) >= 4 and all("only cancels" in str(o.why) for o in held)
    assert not {o.client_id for o in held} & (day.truth.orders.keys() | day.truth.seen)
    assert day.desk.cancel_only is not None
    day.truth.trade(filling.client_id, 3)
    day.desk.cancel(resting.client_id)
    day.desk.poll(0.0)
    day.desk.poll(0.0)
    assert day.truth.orders[resting.client_id].ended == "cancelled", "cancels go out"
    assert day.desk.book.positions == day.truth.positions != {}, "what is heard counts"
    assert day.desk.cancel_only is not None

    disk.room = 10**9
    day.desk.poll(0.0)
    assert day.desk.cancel_only is None
    assert day.desk.submit(ticket(20)).status == "sent"
    day.settle()
    day.check()
    before = dict(day.desk.book.orders)
    day.journal.close()
    day.open()
    assert day.desk.book.positions == day.truth.positions
    assert {i: o.fills for i, o in day.desk.book.orders.items()} == {i: o.fills for i, o in before.items()}
    day.journal.close()
