"""What is made of a round, as a table; and the limits that stop a node."""

from __future__ import annotations

import pytest

from harness.budget import Budget
from harness.critique import criticise
from harness.drafters.port import Allowance, Candidate, Reading, Spent
from harness.specification import Falsifier, Specification, specify
from harness.state import Critique, RemarkKind, Screen

K = RemarkKind
READING = Reading(text="a claim", event="return", pole="low", moves=True, outcome="reverts", sign=-1)
SPEC = specify(READING, universe="us20", drafter="offline", skills={})


def candidate(expr: str) -> Candidate:
    return Candidate(expr=expr, skill="s", recipe="r", why=(), digest=expr)


def seen(expr: str, t: float | None, ic: float = 0.02, turnover: float = 0.0, earned: float = 0.1) -> Screen:
    return Screen(expr=expr, ic=ic, t=t, p_value=None, long_short_year=earned, turnover=turnover, coverage=1, blocks=9)


def judged(
    screens: list[Screen], *, round_: int = 1, rounds: int = 1, offered: int = 2, spec: Specification = SPEC
) -> Critique:
    passed = [candidate(s.expr) for s in screens]
    return criticise(
        spec, passed, screens, round_=round_, rounds=rounds, offered=offered, cost_of_turnover=5e-4, bars_per_year=250.0
    )


AGAINST = [K.SPEAKS_AGAINST, K.FALSIFIED]
A, B = "rank(close)", "rank(-returns(close, 9))"
CASES = [
    ("nothing passed: once more", judged([]), "revise", [K.NOTHING_PASSED], None),
    ("nothing passed twice: stop", judged([], round_=2), "stop", [K.NOTHING_PASSED], None),
    ("nothing new to offer: stop", judged([], offered=0), "stop", [K.NOTHING_NEW], None),
    ("good", judged([seen(A, 3.0)]), "submit", [], A),
    ("the best is submitted", judged([seen(A, 2.5), seen(B, 3.0)]), "submit", [], B),
    ("equal: the first drafted", judged([seen(A, 3.0), seen(B, 3.0)]), "submit", [], A),
    ("weak, one round", judged([seen(A, 1.0)]), "submit", [K.WEAK], A),
    ("weak, more rounds allowed", judged([seen(A, 1.0)], rounds=3), "revise", [K.WEAK], A),
    ("weak, last round", judged([seen(A, 1.0)], round_=3, rounds=3), "submit", [K.WEAK], A),
    ("weak, nothing new came", judged([seen(A, 1.0)], rounds=3, offered=0), "submit", [K.WEAK], A),
    ("against: never another try", judged([seen(A, -3.0, -0.02)], rounds=5), "submit", AGAINST, A),
    ("too short", judged([seen(A, None)], rounds=5), "submit", [K.TOO_SHORT], A),
    ("small", judged([seen(A, 3.0, 0.005)]), "submit", [K.SMALL], A),
    ("dear: 0.9 x 250 x 5 bps = 11 % a year", judged([seen(A, 3.0, turnover=0.9)]), "submit", [K.DEAR], A),
    ("not dear at 0.7", judged([seen(A, 3.0, turnover=0.7)]), "submit", [], A),
    ("alike", judged([seen(A, 3.0), seen("rank(close) * 1.0", 2.0)]), "submit", [K.ALIKE], A),
]


@pytest.mark.parametrize(("found", "decision", "kinds", "best"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_decision(found: Critique, decision: str, kinds: list[RemarkKind], best: str | None) -> None:
    assert (found.decision, [r.kind for r in found.remarks], found.best) == (decision, kinds, best)
    assert all(r.words for r in found.remarks)


def test_a_falsifier_of_the_researcher_is_checked() -> None:
    strict = SPEC.model_copy(update={"falsified_by": (Falsifier(figure="t", at_most=4.0),)})
    assert [r.kind for r in judged([seen(A, 3.0)], spec=strict).remarks] == [K.FALSIFIED]
    assert judged([seen(A, 4.1)], spec=strict).remarks == ()


def test_what_is_left_is_the_least_of_node_and_total() -> None:
    small = Allowance(calls=10, tokens=1_000, cost_usd=1.0, seconds=60.0)
    budget = Budget(total=small, nodes={"draft": Allowance(calls=8, tokens=5_000, cost_usd=0.5, seconds=90.0)})
    assert budget.left("draft", {}) == Allowance(calls=8, tokens=1_000, cost_usd=0.5, seconds=60.0)
    spent = {"specify": Spent(calls=9, tokens=400, cost_usd=0.8, seconds=1.0), "draft": Spent(cost_usd=0.1)}
    left = budget.left("draft", spent)
    assert (left.calls, left.tokens) == (1, 600) and left.cost_usd == pytest.approx(0.1)
    over = budget.left("draft", {"draft": Spent(calls=99, tokens=9_999, cost_usd=9.0, seconds=999.0)})
    assert over == Allowance(calls=0, tokens=0, cost_usd=0.0, seconds=0.0)
    assert budget.capped(cost_usd=0.2).left("draft", {}).cost_usd == 0.2


def test_a_limit_on_a_node_that_asks_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="node 'screen' asks nobody"):
        Budget(nodes={"screen": Allowance()})
