"""Recipes and gates of the shipped skills: they compute, and they rise with the end of the event that they name.

1. Every recipe at its default window, and every gate, parses and has values on bars.
2. A measure is larger for the stock at the high end of its event than for the one at the low end.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.signal import evaluate, parse
from skills.drafting import Drafting
from skills.registry import Skill, drafting_skills, skills
from tests.skills.markets import ENDS, HIGH, LOW, noise, ordinary, panel

pytestmark = pytest.mark.slow  # loads a hundred kernels; test_lint.py parses every recipe

DRAFTING = drafting_skills(skills())
EVENTS = [(skill, block) for skill, block in DRAFTING if block.event != "return"]


def filled(block: Drafting, expr: str) -> str:
    h, s = block.horizon_bars.default, block.horizon_bars.skip
    return expr.format(h=h, s=s, g=h - s)


@pytest.mark.parametrize(("skill", "block"), DRAFTING, ids=[s.name for s, _ in DRAFTING])
def test_recipes_and_gates_compute(skill: Skill, block: Drafting) -> None:
    bars = ordinary()
    for recipe in block.recipes:
        values = evaluate(parse(filled(block, recipe.expr)), bars)
        assert not np.isnan(values[-1]).all(), f"{skill.name}: {recipe.name} has no value"
    for gate in (block.gates.high, block.gates.low):
        if gate is not None:
            values = evaluate(parse(gate.format(x=f"{block.gates.factor:g}", w=block.gates.window)), bars)
            assert set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0}, f"{skill.name}: {gate} is no condition"


def test_every_event_has_a_planted_case() -> None:
    assert set(ENDS) == {block.event for _, block in EVENTS}


@pytest.mark.parametrize(("skill", "block"), EVENTS, ids=[s.name for s, _ in EVENTS])
def test_measures_rise_with_the_high_end(skill: Skill, block: Drafting) -> None:
    make, other = ENDS[block.event]
    bars = make()
    for recipe in block.recipes:
        if recipe.name in other:
            continue
        values = evaluate(parse(filled(block, recipe.expr)), bars)[-1]
        assert values[HIGH] > values[LOW], f"{skill.name}, {recipe.name}: {values[HIGH]} is not above {values[LOW]}"


@pytest.mark.parametrize("name", ["short-term-reversal", "momentum", "short-continuation", "long-term-reversal"])
def test_returns_rise_with_the_winner(name: str) -> None:
    block = next(d for s, d in DRAFTING if s.name == name)
    returns = noise(0.001)
    returns[-block.horizon_bars.default :, HIGH] += 0.002
    returns[-block.horizon_bars.default :, LOW] -= 0.002
    bars = panel(returns)
    for recipe in block.recipes:
        values = evaluate(parse(filled(block, recipe.expr)), bars)[-1]
        assert values[HIGH] > values[LOW], recipe.name
