"""Neighbours of a run as literal tables."""

from __future__ import annotations

import pytest

from harness.validation.variants import MOST_VARIANTS, neighbours, stepped, stepped_expressions
from modules.registry import load_module

STEPS = [
    (4, {"minimum": 1, "maximum": 20}, (2, 8)),
    (1, {"minimum": 1, "maximum": 20}, (2,)),
    (20, {"minimum": 1, "maximum": 20}, (10,)),
    (0.0, {"minimum": 0.0, "maximum": 0.05}, (0.005,)),
    (0.05, {"exclusiveMinimum": 0.0, "maximum": 0.05}, (0.025,)),
    (0.5, {"minimum": 0.0, "maximum": 1.0}, (0.25, 1.0)),
    (3, {"minimum": 1}, ()),
    (0, {"minimum": 0, "maximum": 5}, ()),
]


@pytest.mark.parametrize(("value", "rule", "expected"), STEPS, ids=str)
def test_stepped(value: float, rule: dict[str, float], expected: tuple[float, ...]) -> None:
    found = stepped(value, rule)
    assert found == expected and all(type(x) is type(value) for x in found)


EXPRESSIONS = [
    ("rank(-returns(close, 5))", ("rank(-returns(close, 2))", "rank(-returns(close, 10))")),
    ("returns(close, 1)", ("returns(close, 2)",)),
    ("ts_mean(volume, 3000) / volume", ("ts_mean(volume, 1500) / volume", "ts_mean(volume, 5000) / volume")),
    ("rank(-close)", ()),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS)
def test_look_backs_are_halved_and_doubled(text: str, expected: tuple[str, ...]) -> None:
    assert stepped_expressions(text) == expected


def test_neighbours_step_what_may_be_searched_and_no_assumption() -> None:
    modules = {stage: load_module(stage, name) for stage, name in (("feature", "expression"), ("size", "rank_neutral"))}
    found = neighbours(modules)  # type: ignore[arg-type]
    assert [n.subject for n in found] == [
        "feature.expr = rank(-returns(close, 2))",
        "feature.expr = rank(-returns(close, 10))",
        "size.gross_leverage = 0.5",
        "size.weight_cap = 0.025",
        "size.sector_cap = 0.125",
        "size.no_trade_band = 0.005",
        "size.smoothing_bars = 2",
    ]
    assert found[0].signal == "rank(-returns(close, 2))" and found[2].signal is None
    assert len(found) <= MOST_VARIANTS
