"""The gate, a row a case.

1. Each row changes one thing of evidence that ships; the reason is that thing's.
2. Where several things are wrong, the earliest step names the refusal.
3. Worsening any input never turns REJECT into SHIP.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.floor import Floor
from ablations.gate import LEAST_DELTA, Evidence, Reason, decide
from ablations.guards import GuardReading

FLOOR = Floor(
    effects=(0.2,) * 8,
    delta=0.2,
    standard_error=0.04,
    cluster_error=0.05,
    lower_bound=0.1,
    p_value=6e-5,
    p_low=0.0,
    p_high=5e-4,
    exceedances=0,
    draws=16_000,
    block_length_bars=10.0,
    blocks=249.0,
    noise_floor=0.12,
    curve=(-0.1, 0.0, 0.1),
)
GUARD = GuardReading(name="max_drawdown", baseline=0.2, patched=0.21, loss=0.01, tolerance=0.02)
GOOD = Evidence(
    not_reproduced=(),
    not_contained=(),
    not_accepted=(),
    tasks=8,
    blocks=249.0,
    floor=FLOOR,
    level=1e-3,
    guards=(GUARD,),
    certificate="CURRENT",
)


def floor(**changes: object) -> Floor:
    return FLOOR.model_copy(update=changes)


ROWS: list[tuple[dict[str, object], Reason | None]] = [
    ({}, None),
    ({"not_reproduced": ("task: nav",)}, Reason.NOT_REPRODUCED),
    ({"not_contained": ("task: feature",)}, Reason.NOT_CONTAINED),
    ({"not_accepted": ("task: weights",)}, Reason.NOT_ACCEPTED),
    ({"tasks": 5}, Reason.TOO_LITTLE_EVIDENCE),
    ({"tasks": 6}, None),
    ({"tasks": 0}, Reason.TOO_LITTLE_EVIDENCE),
    ({"blocks": 19.9}, Reason.TOO_LITTLE_EVIDENCE),
    ({"blocks": 20.0}, None),
    ({"floor": None}, Reason.NO_EFFECT),
    ({"floor": floor(delta=-0.2)}, Reason.NOT_BETTER),
    ({"floor": floor(delta=0.0)}, Reason.NOT_BETTER),
    ({"floor": floor(delta=LEAST_DELTA - 1e-9)}, Reason.NOT_BETTER),
    ({"floor": floor(delta=LEAST_DELTA)}, None),
    ({"floor": floor(lower_bound=0.0)}, Reason.NOT_BETTER),
    ({"floor": floor(lower_bound=-0.01)}, Reason.NOT_BETTER),
    ({"floor": floor(p_value=0.2, p_low=0.1, p_high=0.3)}, Reason.NOT_SIGNIFICANT),
    ({"floor": floor(p_value=2e-3, p_low=1.1e-3, p_high=3e-3)}, Reason.NOT_SIGNIFICANT),
    ({"floor": floor(p_value=9e-4, p_low=5e-4, p_high=2e-3)}, Reason.P_VALUE_TOO_COARSE),
    ({"floor": floor(p_value=1.1e-3, p_low=9e-4, p_high=2e-3)}, Reason.P_VALUE_TOO_COARSE),
    ({"level": 1e-6}, Reason.P_VALUE_TOO_COARSE),
    ({"level": 5e-4}, None),
    ({"level": 4.9e-4}, Reason.P_VALUE_TOO_COARSE),
    ({"level": 0.0}, Reason.P_VALUE_TOO_COARSE),
    ({"guards": (GUARD, GUARD.model_copy(update={"loss": 0.021}))}, Reason.GUARD),
    ({"guards": (GUARD.model_copy(update={"loss": 0.02}),)}, None),
    ({"guards": ()}, Reason.GUARD),
    ({"certificate": "NONE"}, Reason.NO_CERTIFICATE),
    ({"certificate": "STALE"}, Reason.STALE_CERTIFICATE),
]


@pytest.mark.parametrize(("changes", "reason"), ROWS)
def test_one_thing_wrong(changes: dict[str, object], reason: Reason | None) -> None:
    verdict = decide(GOOD.model_copy(update=changes))
    assert (verdict.ship, verdict.reason) == (reason is None, reason)
    assert verdict.message
    assert verdict.word == ("SHIP" if reason is None else "REJECT")


def test_every_reason_has_a_row() -> None:
    assert {reason for _, reason in ROWS if reason} == set(Reason)


WRONG = [next(c for c, r in ROWS if r is reason) for reason in Reason]


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_the_earliest_step_names_the_refusal(first: int) -> None:
    merged: dict[str, object] = {}
    for changes in reversed(WRONG[first:]):
        both = [f for f in (merged.get("floor"), changes.get("floor")) if isinstance(f, Floor)]
        merged |= changes
        if len(both) == 2:  # keep what is wrong with either floor
            differing = {k: v for f in both for k, v in f.model_dump().items() if v != getattr(FLOOR, k)}
            merged["floor"] = floor(**differing)
    reason = list(Reason)[first]
    if reason is Reason.P_VALUE_TOO_COARSE:
        merged["floor"] = WRONG[first]["floor"]
    assert decide(GOOD.model_copy(update=merged)).reason is reason


def test_the_guard_is_named() -> None:
    verdict = decide(GOOD.model_copy(update={"guards": (GUARD.model_copy(update={"loss": 1.0}),)}))
    assert verdict.label == "GUARD(max_drawdown)"


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    unit = st.floats(0.0, 1.0)
    small = st.sampled_from([0.0, 1e-5, 4e-4, 9e-4, 1e-3, 2e-3, 0.05, 0.5, 1.0])
    words = st.sampled_from([(), (), ("x",)])
    low, p, high = sorted([draw(small), draw(small), draw(small)])
    made = floor(
        delta=draw(st.floats(-0.2, 0.5)), lower_bound=draw(st.floats(-0.3, 0.4)), p_low=low, p_value=p, p_high=high
    )
    return Evidence(
        not_reproduced=draw(words),
        not_contained=draw(words),
        not_accepted=draw(words),
        tasks=draw(st.integers(4, 9)),
        blocks=draw(st.sampled_from([5.0, 20.0, 200.0])),
        floor=draw(st.sampled_from([made, made, made, None])),
        level=draw(small),
        guards=tuple(GUARD.model_copy(update={"loss": x / 20.0}) for x in draw(st.lists(unit, max_size=2))),
        certificate=draw(st.sampled_from(["CURRENT", "CURRENT", "STALE", "NONE"])),
    )


@st.composite
def worse(draw: st.DrawFn, good: Evidence) -> Evidence:
    """The same evidence with one input worse."""
    amount = draw(st.floats(0.0, 1.0))
    options: list[dict[str, object]] = [
        {"not_reproduced": (*good.not_reproduced, "y")},
        {"not_contained": (*good.not_contained, "y")},
        {"not_accepted": (*good.not_accepted, "y")},
        {"tasks": good.tasks - 1},
        {"blocks": good.blocks * amount},
        {"floor": None},
        {"level": good.level * amount},
        {"guards": tuple(g.model_copy(update={"loss": g.loss + amount}) for g in good.guards)},
        {"guards": (*good.guards, GUARD.model_copy(update={"loss": amount}))},
        {"certificate": "STALE" if good.certificate == "CURRENT" else good.certificate},
    ]
    if good.floor is not None:
        f = good.floor
        options += [
            {"floor": f.model_copy(update={"delta": f.delta - amount})},
            {"floor": f.model_copy(update={"lower_bound": f.lower_bound - amount})},
            {"floor": f.model_copy(update={"p_value": min(1.0, f.p_value + amount), "p_high": 1.0})},
            {"floor": f.model_copy(update={"p_high": min(1.0, f.p_high + amount)})},
        ]
    return good.model_copy(update=draw(st.sampled_from(options)))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_worse_evidence_never_ships_what_was_refused(data: st.DataObject) -> None:
    before = data.draw(evidence())
    after = data.draw(worse(before))
    if not decide(before).ship:
        assert not decide(after).ship
