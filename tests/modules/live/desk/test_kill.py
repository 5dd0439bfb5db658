"""A real desk beside a real risk core, killed (-9) at random moments, again and again; sometimes the risk core as well.

1. What was acknowledged is in the journal that is left, as it was said.
2. No order reaches the venue twice, though the last decisions are made again in every life.
3. In every life, once orders may go out, the book's positions and open orders are the venue's.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest

from tests.modules.live.desk.account import agreed, check, killed_desk, open_desk, risk_core, told, write_account


def acknowledged_is_there(folder: Path, acks: list[str]) -> None:
    desk = open_desk(folder)
    try:
        for ack in acks:
            client_id, status = ack.split()
            order = desk.book.orders[client_id]
            if status == "refused":
                assert not order.is_open and not order.fills
            if status == "sent":
                assert order.is_open or order.fills or order.state.value in ("cancelled", "rejected"), order
    finally:
        desk.journal.close()


def kills(count: int, chance: random.Random) -> int:
    """Lives of an account's desk that end in a kill; the risk core is killed half way. Returns acknowledged orders."""
    acks = 0
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as name:  # a socket's path is short
        folder = Path(name)
        write_account(folder)
        for lives in (count // 2, count - count // 2):
            with risk_core(folder):
                for _ in range(lives):
                    mine = killed_desk(folder, chance.random() * 0.05)
                    acknowledged_is_there(folder, mine)
                    acks += len(mine)
        with risk_core(folder):
            desk = open_desk(folder)
            agreed(desk)
            check(desk, folder)
            desk.close()
            desk.journal.close()
        assert told(folder).orders, "nothing was traded"
    return acks


@pytest.mark.slow
def test_thirty_kills() -> None:
    assert kills(30, random.Random(1)) > 100


@pytest.mark.soak
@pytest.mark.parametrize("account", range(20))
def test_a_thousand_kills(account: int) -> None:
    assert kills(50, random.Random(100 + account)) > 200
