"""The alerts, a row a rule: what is seen, and what is told of it.

1. Every rule of the table fires on a row of the table below, and on none of the others' quiet ones.
2. An alert is told once when it has held long enough, and once when it ended; one that ended before is not told.
3. All rules are told within 5 s: the longest hold, two looks, and the tries of a webhook.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import msgspec
import pytest

from modules.live.desk.asking import Stand
from modules.live.messages import Position, Status, Use
from modules.live.orders.order import Order, Ticket
from modules.live.orders.states import State
from modules.live.watch.alerts import MOST_STANDING, Alerts
from modules.live.watch.notify import PAUSE_S, TIMEOUT_S
from modules.live.watch.rules import REFUSALS, RULES
from modules.live.watch.seen import Seen, Tally
from modules.live.watch.watcher import ANSWER_S, EVERY_S

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
STATUS = Status(
    mode="paper", build="b", account="test", at_ns=NOW, nav_micros=10**12, cash_micros=10**12, day_nav_micros=10**12,
    day_loss=0.0, killed=None, refusing=None, positions=(Position("AAA", 5, 10.0, NOW),),
    uses=(Use("GROSS", 1.0, 2.0), Use("DAILY_LOSS", 0.0, 0.05)), open_orders=(), venues={"sim": True},
)  # fmt: skip
STAND = Stand(
    mode="paper", account="test", build="b", at_ns=NOW, cancel_only=None, breaks=(), remarks=(), positions={},
    moved_micros=0, durable=0, journal_fault=None, decided=(), books=(), feeds={"f": None},
)  # fmt: skip
QUIET = Seen(account="test", at_ns=NOW, riskd=None, desk=None, status=STATUS, stand=STAND)
LOST = Order(Ticket("c1", "s", "AAA", 5, "sim"), State.UNKNOWN)


def status(**what: object) -> Seen:
    return replace(QUIET, status=msgspec.structs.replace(STATUS, **what))


def stand(**what: object) -> Seen:
    return replace(QUIET, stand=msgspec.structs.replace(STAND, **what))


TABLE = [
    ("RISKD_DOWN", replace(QUIET, riskd="refused", status=None), "refused"),
    ("DESK_DOWN", replace(QUIET, desk="gone", stand=None), "gone"),
    ("KILLED", status(killed="ada: test"), "ada: test"),
    ("REFUSING", status(refusing="a break"), "a break"),
    ("BREAK", stand(breaks=("position AAA: here 1, there 2",)), "here 1, there 2"),
    ("JOURNAL", stand(journal_fault="disk full"), "disk full"),
    ("JOURNAL", replace(QUIET, journal="chain broken"), "chain broken"),
    ("VENUE_DOWN", status(venues={"sim": False}), "sim is down"),
    ("BUILDS_DIFFER", stand(build="other"), "the desk other"),
    ("LOSS_NEAR", status(uses=(Use("DAILY_LOSS", 0.03, 0.05),)), "60%"),
    ("CANCEL_ONLY", stand(cancel_only="not asked yet"), "not asked yet"),
    ("LIMIT_NEAR", status(uses=(Use("GROSS", 1.8, 2.0),)), "90%"),
    ("UNKNOWN_ORDER", replace(QUIET, orders=(LOST,)), "order c1 (5 AAA)"),
    ("FEED_STALLED", stand(feeds={"f": "silent"}), "silent"),
    ("PRICE_STALE", status(at_ns=NOW + 6 * SECOND), "6.0 s old"),
    ("PRICE_STALE", status(positions=(Position("BBB", 5, None, None),)), "never came"),
    ("REFUSALS", replace(QUIET, tally=Tally(rejections=deque([NOW - SECOND] * REFUSALS))), "refused 10 orders"),
    ("REMARK", stand(remarks=("c1: a fill came after the order had ended",)), "c1"),
]
NOT_YET = [
    replace(QUIET, orders=(Order(LOST.ticket, State.WORKING),)),
    status(uses=(Use("DAILY_LOSS", 0.0299, 0.05), Use("GROSS", 1.79, 2.0))),
    status(at_ns=NOW + 5 * SECOND),
    status(at_ns=NOW + 9 * SECOND, positions=(Position("AAA", 0, 10.0, NOW),)),
    replace(status(at_ns=NOW + 9 * SECOND), stand=msgspec.structs.replace(STAND, opened_ns=None)),
    replace(status(at_ns=NOW + 9 * SECOND), stand=msgspec.structs.replace(STAND, opened_ns=NOW + 5 * SECOND)),
    replace(QUIET, tally=Tally(rejections=deque([NOW - SECOND] * (REFUSALS - 1)))),
    replace(QUIET, tally=Tally(rejections=deque([NOW - 61 * SECOND] * REFUSALS))),
]


def told(seen: Seen) -> list[tuple[str, str]]:
    alerts = Alerts()
    later = replace(seen, at_ns=seen.at_ns + 3 * SECOND)
    return [(a.rule, a.sentence) for look in (seen, later) for a in alerts.look(look)]


@pytest.mark.parametrize(("rule", "seen", "words"), TABLE, ids=[f"{r}-{w[:12]}" for r, _, w in TABLE])
def test_1_each_rule_fires_alone(rule: str, seen: Seen, words: str) -> None:
    ((name, sentence),) = told(seen)
    assert name == rule and words in sentence


def test_1_no_rule_is_untested_and_quiet_is_quiet() -> None:
    assert {rule for rule, _, _ in TABLE} == {rule.name for rule in RULES}
    for seen in (QUIET, *NOT_YET):
        assert told(seen) == []


def test_2_told_once_when_it_holds_and_once_when_it_ends() -> None:
    alerts = Alerts()

    def at(seconds: float, seen: Seen) -> list[tuple[str, bool]]:
        found = alerts.look(replace(seen, at_ns=NOW + round(seconds * SECOND)))
        return [(a.rule, a.ended_ns is not None) for a in found]

    lost = replace(QUIET, orders=(LOST,))
    assert at(0.0, lost) == [] and alerts.standing == ()
    assert at(0.5, QUIET) == []
    assert at(1.0, lost) == [] and at(2.9, lost) == []
    assert at(3.0, lost) == [("UNKNOWN_ORDER", False)]
    assert at(3.5, lost) == [] and [a.since_ns for a in alerts.standing] == [NOW + SECOND]
    assert at(4.0, status(killed="x")) == [("KILLED", False), ("UNKNOWN_ORDER", True)]
    assert at(5.0, QUIET) == [("KILLED", True)] and alerts.standing == ()


def test_2_a_flood_is_told_as_one() -> None:
    alerts = Alerts()
    flood = stand(remarks=tuple(f"c{n}: remark" for n in range(MOST_STANDING + 300)))
    found = alerts.look(flood)
    assert len(found) == MOST_STANDING + 1 and "the rest is not told" in found[-1].sentence


def test_3_everything_is_told_within_five_seconds() -> None:
    longest = max(rule.hold_s for rule in RULES)
    assert longest + 2 * EVERY_S + 2 * ANSWER_S + TIMEOUT_S <= 5.0
    assert longest + 2 * EVERY_S + 3 * PAUSE_S < 5.0
    assert all(rule.remedy for rule in RULES)
