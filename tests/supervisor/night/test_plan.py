"""What is pulled next, and when a night is over.

Invariants:
1. What is overdue comes first, earliest deadline first, until it has had half of the seconds; then the draw decides.
2. An arm that said nothing, a module that shipped, and one that was refused twice are left alone for the night.
3. "Now" is when the night began: the same ledger gives the same choice, whenever it is asked.
4. Nothing is begun that would likely not end in time.
"""

from __future__ import annotations

import pytest

from supervisor.night.bandit import Arm, draw
from supervisor.night.deadlines import DAY_NS, Deadlines, Due
from supervisor.night.memory import Memory, Tonight
from supervisor.night.plan import MOST_PULLS, PULLS_AN_ARM, REJECTS_A_MODULE, Plan, choose, open_still, spent
from tests.supervisor.night.test_memory import night
from traces.events import ArmPaid

NOW = 100 * DAY_NS
A, B, C = Arm("size/a", "rules"), Arm("size/b", "rules"), Arm("clean/c", "search")


def tonight(*paid: ArmPaid, due_s: float = 0.0) -> Tonight:
    return Tonight(night(), NOW, paid, None, due_s)


def paid(arm: Arm, outcome: str, seconds: float = 10.0) -> ArmPaid:
    judged = outcome in ("ship", "reject")
    return ArmPaid(
        night_id="n0", pull=0, module=arm.module, proposer=arm.proposer, outcome=outcome, gain=0.0, seconds=seconds,  # type: ignore[arg-type]
        ablation_id="a" if judged else None,
    )  # fmt: skip


def test_1_deadlines_before_draws() -> None:
    queue = (Due(A, NOW - 5), Due(B, NOW - 9), Due(C, NOW + 1))
    choice = choose(queue, Memory(), tonight())
    assert choice is not None and (choice.arm, choice.why, choice.due_ns) == (B, "due", NOW - 9)
    choice = choose(queue, Memory(), tonight(paid(B, "nothing")))
    assert choice is not None and (choice.arm, choice.why) == (A, "due")
    choice = choose(queue, Memory(), tonight(due_s=300.0))  # half of 600
    drawn = draw([A, B, C], {}, 7, 0, 0)[0]
    assert choice is not None and (choice.arm, choice.why, choice.score) == (drawn.arm, "drawn", drawn.score)


def test_1_what_is_due_later_is_drawn() -> None:
    queue = (Due(A, NOW + 1), Due(C, NOW + 2))
    choice = choose(queue, Memory(), tonight())
    assert choice is not None and choice.why == "drawn"
    assert choose((), Memory(), tonight()) is None


def test_3_the_ledger_alone_decides() -> None:
    queue = (Due(A, NOW + 1), Due(B, NOW + 2), Due(C, NOW + 3))
    memory = Memory(now_ns=NOW)
    later = Memory(now_ns=NOW + 90 * DAY_NS)
    assert choose(queue, memory, tonight()) == choose(queue[::-1], later, tonight())


@pytest.mark.parametrize(
    ("arm", "outcomes", "still"),
    [
        (A, [], True),
        (A, [(A, "nothing")], False),
        (A, [(A, "failed")], False),
        (A, [(A, "known")], False),
        (A, [(A, "reject")], True),
        (A, [(A, "reject")] * REJECTS_A_MODULE, False),
        (A, [(Arm("size/a", "search"), "reject")] * REJECTS_A_MODULE, False),
        (A, [(Arm("size/a", "search"), "ship")], False),
        (A, [(Arm("size/a", "search"), "nothing")], True),
        (A, [(B, "ship"), (B, "reject"), (C, "nothing")], True),
    ],
)
def test_2_what_is_left_alone(arm: Arm, outcomes: list[tuple[Arm, str]], still: bool) -> None:
    assert open_still(arm, tonight(*(paid(a, o) for a, o in outcomes))) is still
    assert PULLS_AN_ARM >= REJECTS_A_MODULE


@pytest.mark.parametrize(
    ("of", "gone_s", "why"),
    [
        (tonight(), 0.0, ""),
        (tonight(), 600.0, "time"),
        (tonight(paid(A, "reject", 100.0)), 499.0, ""),
        (tonight(paid(A, "reject", 100.0)), 501.0, "time"),
        (tonight(paid(A, "nothing", 100.0)), 599.0, ""),
        (tonight(*[paid(A, "reject")] * 9), 0.0, "ablations"),
        (tonight(*[paid(A, "nothing", 0.0)] * MOST_PULLS), 0.0, "pulls"),
    ],
)
def test_4_when_it_is_over(of: Tonight, gone_s: float, why: str) -> None:
    assert spent(of, gone_s) == why


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"seconds": 1e6}, {"ablations": -1}, {"ablations": 1001}])
def test_plans_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="plan"):
        Plan(**wrong)  # type: ignore[arg-type]


def test_deadlines() -> None:
    d = Deadlines(finding_days=2, relook_days=3, retire_days=4)
    since = 10 * DAY_NS
    days = [(d.after(p, since) - since) // DAY_NS for p in ("rules", "search", "reflection", "relook", "retire")]
    assert days == [2, 2, 2, 3, 4]
    with pytest.raises(ValueError, match="at least one day"):
        Deadlines(relook_days=0)
