"""Thompson sampling over modules x proposers.

Invariants:
1. A draw hangs on seed, night, pull, arm and what is known of it: not on the order of arms, nor on which others there
   are.
2. What pays per compute second is pulled most; what is not known is tried; nothing that paid nothing is tried much.
3. Experience fades with nights, and what others did is never worth more than a few pulls.
"""

from __future__ import annotations

import numpy as np
import pytest

from supervisor.night.bandit import (
    BORROWED,
    FADES,
    MOST_BORROWED,
    Arm,
    Pull,
    Tally,
    _sample,
    _weight,
    draw,
    seed_of,
    tallies,
)

A, B, C = Arm("size/a", "rules"), Arm("size/a", "search"), Arm("clean/c", "rules")


def scores(arms: list[Arm], known: dict[Arm, Tally], **at: int) -> dict[Arm, float]:
    return {d.arm: d.score for d in draw(arms, known, at.get("seed", 1), at.get("night", 0), at.get("pull", 0))}


def test_1_a_draw_is_of_the_arm_alone() -> None:
    all_, turned = scores([A, B, C], {}), scores([C, B, A], {})
    assert all_ == turned and list(all_) == sorted(all_, key=lambda a: -all_[a])
    assert scores([B], {})[B] == all_[B]
    assert len(set(all_.values())) == 3
    for at in ({"seed": 2}, {"night": 1}, {"pull": 1}):
        assert scores([A], {}, **at) != scores([A], {})
    assert 0 <= seed_of(A, 1, 0, 0) < 2**63 and seed_of(A, 1, 0, 0) != seed_of(B, 1, 0, 0)


TRUTH = {
    Arm("size/pays", "rules"): (0.5, 0.3, 10.0),
    Arm("size/slow", "rules"): (0.5, 0.3, 200.0),
    Arm("clean/small", "search"): (0.5, 0.02, 10.0),
    Arm("clean/never", "search"): (0.0, 0.0, 10.0),
    Arm("feature/rare", "rules"): (0.05, 0.3, 10.0),
}
"""Arm to share that ships, mean gain, mean seconds."""


@pytest.mark.parametrize("seed", range(5))
def test_2_what_pays_is_pulled(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    pulls: list[Pull] = []
    for at in range(150):
        arm = draw(list(TRUTH), tallies(pulls, 0), seed, 0, at)[0].arm
        share, gain, seconds = TRUTH[arm]
        ships = bool(rng.random() < share)
        pulls.append(Pull(arm, 0, rng.exponential(gain) if ships else 0.0, rng.exponential(seconds), ships))
    counts = {arm: sum(p.arm == arm for p in pulls) for arm in TRUTH}
    assert all(counts.values()), "nothing is ruled out untried"
    best = Arm("size/pays", "rules")
    assert max(counts, key=lambda a: counts[a]) == best and counts[best] > 75
    assert counts[Arm("clean/never", "search")] < 25
    rate = sum(p.gain for p in pulls) / sum(p.seconds for p in pulls)
    uniform = np.mean([s * g for s, g, _ in TRUTH.values()]) / np.mean([t for _, _, t in TRUTH.values()])
    assert rate > 2.5 * uniform


def test_3_experience_fades() -> None:
    told = [Pull(A, 0, 0.5, 10.0, True), Pull(A, 2, 0.0, 30.0, False)]
    assert tallies(told, 2)[A] == Tally(1.0 + FADES**2, FADES**2, 0.5 * FADES**2, 30.0 + 10.0 * FADES**2)
    assert tallies(told, 40)[A].pulls < 1e-2
    assert tallies([Pull(A, 0, 0.7, 5.0, False)], 0)[A].gain == 0.0, "what did not ship gained nothing"


@pytest.mark.parametrize(
    ("pulls", "weight"),
    [(0.0, 0.0), (1.0, BORROWED), (MOST_BORROWED / BORROWED, BORROWED), (1000.0, MOST_BORROWED / 1000.0)],
)
def test_3_borrowed_experience_is_bounded(pulls: float, weight: float) -> None:
    assert _weight(Tally(pulls)) == pytest.approx(weight)
    assert _weight(Tally(pulls)) * pulls <= MOST_BORROWED


def test_3_nobody_is_a_neighbour_of_itself() -> None:
    """What an arm learned itself counts once, not again as what its proposer and its module learned."""
    own = Tally(3.0, 1.0, 0.4, 50.0)
    rng = np.random.Generator(np.random.PCG64(seed_of(A, 1, 0, 0)))
    assert scores([A], {A: own})[A] == pytest.approx(_sample(A, own, rng), rel=1e-12)


def test_3_neighbours_teach() -> None:
    """Thirty refusals of a proposer elsewhere make a fresh arm of it less likely to be drawn than one of another."""
    known = {Arm(f"size/m{i}", "search"): Tally(3.0, 0.0, 0.0, 60.0) for i in range(10)}
    fresh, other = Arm("clean/x", "search"), Arm("clean/x", "reflection")
    wins = sum(
        scores([fresh, other], known, pull=k)[fresh] < scores([fresh, other], known, pull=k)[other] for k in range(200)
    )
    assert wins > 120
