"""A desk that asks without end does not fill the disk.

1. Refusals beyond the burst are one entry, by rule, none uncounted; the desk has its answer to each all the same.
2. What goes out is recorded in full whatever was refused before, and a restart reads it all.
3. A second later one more is told in full; what was counted is told at most once a second, and at the end.
"""

from __future__ import annotations

from modules.live.messages import Ask, RefusedMany, Ruled
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.refusals import BURST, Refusals
from tests.modules.live.riskd.house import core, drain, folder, order

SECOND_NS = 1_000_000_000


def test_1_2_a_desk_that_asks_without_end() -> None:
    asked = 3_000
    with folder() as place:
        with core(place) as (rulings, inbox):
            for _ in range(asked):
                assert Rule(rulings.ask(order(venue="ib")).rule) is Rule.VENUE
            good = order()
            assert Answer(rulings.ask(good).answer) is Answer.APPROVE
            drain(rulings, inbox)
        with core(place) as (rulings, _):
            entries = [e.message for e in rulings._journal.read()]
            assert rulings.core.positions == {"AAA": 10}
    refused = [m for m in entries if isinstance(m, Ruled) and m.rule == Rule.VENUE]
    many = [m for m in entries if isinstance(m, RefusedMany)]
    assert BURST <= len(refused) < BURST + 60 and len(many) < 60
    assert len(refused) + sum(m.count for m in many) == asked
    assert all(m.rules == {"VENUE": m.count} and m.first_ns <= m.last_ns for m in many)
    assert good.client_id in {m.client_id for m in entries if isinstance(m, Ask)}


def test_3_by_the_second() -> None:
    one = Refusals()
    ruled = Ruled("c1", int(Answer.REJECT), int(Rule.VENUE), 0, None, None, 7)
    now = 10 * SECOND_NS
    assert [one.is_full(now, ruled) for _ in range(BURST + 2)] == [True] * BURST + [False] * 2
    many = one.due(now)
    assert many == RefusedMany(2, {"VENUE": 2}, "c1", 7, 7)
    assert one.due(now + SECOND_NS) == many  # it could not be recorded
    one.told()
    assert one.is_full(now + SECOND_NS, ruled) and not one.is_full(now + SECOND_NS, ruled)
    assert one.due(now + SECOND_NS) is None and one.due(now + SECOND_NS, at_once=True) is not None
