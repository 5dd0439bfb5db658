"""Who looks on for months forgets single orders as the desk does; what they added up to stays."""

from __future__ import annotations

from pathlib import Path

from modules.live.desk.desk import KEPT_DAYS
from modules.live.journal.file import FileJournal
from modules.live.messages import Acknowledged, Ask, Filled, Ruled
from modules.live.orders.ids import client_id
from modules.live.place import Place
from modules.live.risk.rules import Answer, Rule
from modules.live.units import DAY_NS
from modules.live.watch.watcher import Watcher

DAYS, ORDERS = 9, 20


def test_what_ended_days_ago_goes_and_its_sums_stay(tmp_path: Path) -> None:
    place = Place(tmp_path / "t1")
    place.folder.mkdir()
    watcher = Watcher(place)
    with FileJournal(place.journal) as journal:
        for day in range(DAYS):
            for number in range(ORDERS):
                at = (20_000 + day) * DAY_NS + number
                made = client_id("t1", "s", at, "AAA")
                journal.append(
                    Ask(made, "s", "AAA", 2, "sim", "paper", "b1", at),
                    Ruled(made, int(Answer.APPROVE), int(Rule.WITHIN_LIMITS), 2, None, None, at),
                    Acknowledged(made, "v", at),
                    Filled(made, f"{made}/1", "AAA", 2, 1.0, 2_000_000, 10, at),
                )
            watcher.look()
    seen = watcher.seen
    assert seen.journal is None
    assert seen.paid_micros == {"AAA": DAYS * ORDERS * 2_000_010}
    assert seen.tally.fills == {"s": DAYS * ORDERS} and seen.tally.asks == {"s": DAYS * ORDERS}
    kept = ORDERS * (KEPT_DAYS + 1)
    tally = watcher._tally
    assert len(watcher._fold.book.orders) == len(tally._executions) == len(tally._times) == kept
    assert watcher._fold.book.positions == {"AAA": DAYS * ORDERS * 2}
    watcher.close()
