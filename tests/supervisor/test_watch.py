"""Following a ledger.

Invariants:
1. A miner is asked when something was appended that it reads, and not otherwise; a finding is announced once, ever.
2. Announced means recorded: whoever is stopped right after the announcement finds it in the ledger.
3. While nothing happens looks become rarer, to a limit; what happens brings them back.
4. Ctrl-C ends it cleanly, at any place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.watch import GROWTH, LONGEST_S, SHORTEST_S, Watched, watch
from tests.supervisor.conftest import SIZE, Desk
from traces.events import Event, FindingRecorded, ResearchRefused, ReviewRejected

NO = ReviewRejected(branch="research/x", by="Ada <a@b.c>", reason="no")


@dataclass
class Counting:
    """A miner that finds one thing for each research that was refused."""

    asked: int = 0
    name: str = "counting"
    reads: frozenset[str] = frozenset({"research.refused"})
    turn: int = 1

    def mine(self, traces: Mined) -> list[Finding]:
        self.asked += 1
        rows = traces.sql("SELECT research_id FROM research_refused ORDER BY seq").get_column("research_id").to_list()
        return [Finding(self.name, SIZE, f"p {one}", "s", 1.0, "u", 1, (one,)) for one in rows]


def refused(number: int) -> ResearchRefused:
    return ResearchRefused(research_id=f"r{number}", reason="NO", message="m")


@dataclass
class Script:
    """A clock whose sleeps are things that happen: events to append, or the human's Ctrl-C."""

    desk: Desk
    steps: Sequence[tuple[Event, ...]]
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) > len(self.steps):
            raise KeyboardInterrupt
        if self.steps[len(self.pauses) - 1]:
            self.desk.emit(*self.steps[len(self.pauses) - 1])


def followed(
    desk: Desk, *steps: tuple[Event, ...], tell: Callable[[Sequence[Finding]], None] | None = None
) -> tuple[Watched, list[str], Counting, Script]:
    miner, script, told = Counting(), Script(desk, steps), list[str]()

    def found(findings: Sequence[Finding]) -> None:
        told.extend(f.pattern for f in findings)
        if tell is not None:
            tell(findings)

    return watch(desk.workspace, desk.emit, found=found, miners=[miner], sleep=script.sleep), told, miner, script


def recorded(desk: Desk) -> list[str]:
    return [e.pattern for e in desk.events() if isinstance(e, FindingRecorded)]


def test_1_2_asked_by_what_is_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mined.modules_in_force", dict)  # the same each time; finding it takes a second
    done, told, miner, _ = followed(desk, (), (refused(1),), (), (NO,), (), (refused(2), refused(3)), (), ())
    assert told == ["p r1", "p r2", "p r3"] == recorded(desk)
    assert miner.asked == done.asked == 3, "at first, and for each group of refusals"
    assert done.findings == 3 and done.looks == 9
    again, told, _, _ = followed(desk, (NO,), ())
    assert (told, again.findings) == ([], 0) and recorded(desk) == ["p r1", "p r2", "p r3"]


def test_2_4_stopped_while_telling(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mined.modules_in_force", dict)

    def stop(findings: Sequence[Finding]) -> None:
        assert recorded(desk) == [f.pattern for f in findings]
        raise KeyboardInterrupt

    done, told, _, _ = followed(desk, (refused(1),), tell=stop)
    assert told == ["p r1"] == recorded(desk) and done.findings == 1


def test_3_looks_become_rarer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mined.modules_in_force", dict)
    _, _, _, script = followed(desk, *[()] * 14, (NO,), ())
    assert script.pauses[:3] == pytest.approx([SHORTEST_S, SHORTEST_S * GROWTH, SHORTEST_S * GROWTH**2])
    assert max(script.pauses) == LONGEST_S and script.pauses[14] == LONGEST_S
    assert script.pauses[15] == SHORTEST_S, "something was appended"
