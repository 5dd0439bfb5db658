"""A runner agrees with its venue again: once a day, after what was lost, and it says what stands between them.

1. Asked at the first look of a new UTC day, once, and at no other.
2. Each report on which both agreed is handed on once; none while they differ.
3. What stops orders is said when it begins and when it ends; another reason for the same not each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modules.live.messages import Report
from modules.live.runner.agreeing import Agreeing
from modules.live.units import DAY_NS

NOON = 20_000 * DAY_NS + DAY_NS // 2


def report(cash: int) -> Report:
    return Report("sim", (), {}, cash, True, NOON)


@dataclass
class Venue:
    """A desk that is told what the venue has."""

    cancel_only: str | None = None
    has: Report = field(default_factory=lambda: report(0))
    asked: int = 0

    def agree(self) -> str | None:
        self.asked += 1
        self.has = report(self.asked)
        return self.cancel_only

    def report(self) -> Report:
        return self.has


def watched() -> tuple[Venue, list[str], list[int], Agreeing]:
    desk, said, taken = Venue(), list[str](), list[int]()
    return desk, said, taken, Agreeing(desk, said.append, lambda r: taken.append(r.cash_micros), NOON)


def test_1_once_a_day() -> None:
    desk, _, taken, it = watched()
    for hours in (0, 6, 11, 13, 14, 35, 37, 38, 100):
        it.look(NOON + hours * DAY_NS // 24)
    assert (desk.asked, taken) == (3, [1, 2, 3])


def test_2_what_was_agreed_is_handed_on_once() -> None:
    desk, _, taken, it = watched()
    it.look(NOON)
    assert taken == []  # it was known when the runner began
    desk.has = report(7)
    desk.cancel_only = "position A.X: here 1 lots, at the venue 2 lots"
    it.look(NOON)
    assert taken == []
    desk.cancel_only = None
    it.look(NOON)
    it.look(NOON)
    assert taken == [7]


def test_3_what_is_said() -> None:
    desk, said, _, it = watched()
    for why in (None, "the connection is gone", "the connection is gone", "it was not asked", None, None, "gone"):
        desk.cancel_only = why
        it.look(NOON)
    assert said == ["the connection is gone", "book and venue agree again",
                    "gone"]  # fmt: skip
