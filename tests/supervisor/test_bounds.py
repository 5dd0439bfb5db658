"""A module's search space as its JSON schema tells it: a row a case."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field, JsonValue

from modules.registry import list_modules, settings_model
from supervisor.bounds import Bound, search_space


class Example(BaseModel):
    band: float = Field(0.0, ge=0.0, le=0.05)
    bars: int = Field(1, ge=1, le=20)
    open_ended: float = Field(1.0, ge=0.0)
    unbounded: int = 3
    strict: float = Field(0.5, gt=0.0, lt=1.0)
    strict_bars: int = Field(2, gt=0, lt=10)
    action: Literal["flag", "mask"] = "flag"
    switch: bool = False
    spread_bps: float = Field(4.0, ge=0.0, le=200.0, json_schema_extra={"assumption": True})


def test_what_may_be_searched() -> None:
    space = search_space(Example.model_json_schema())
    assert set(space) == {"band", "bars", "strict", "strict_bars"}
    assert space["band"] == Bound("band", 0.0, 0.05, whole=False)
    assert space["bars"] == Bound("bars", 1.0, 20.0, whole=True)
    assert space["strict_bars"] == Bound("strict_bars", 1.0, 9.0, whole=True)
    assert 0.0 < space["strict"].low < space["strict"].high < 1.0


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": 3},
        {"properties": {"x": 3}},
        {"properties": {"x": {"type": "number", "minimum": 1, "maximum": 1}}},
        {"properties": {"x": {"type": "number", "minimum": "0", "maximum": "1"}}},
    ],
)
def test_schemas_without_a_space(schema: dict[str, JsonValue]) -> None:
    assert search_space(schema) == {}


BAND = Bound("band", 0.0, 0.05, whole=False)
BARS = Bound("bars", 1.0, 20.0, whole=True)
GRID: list[tuple[Bound, float, Literal["raise", "lower"], tuple[float, ...]]] = [
    (BAND, 0.0, "raise", (0.0063, 0.013, 0.025, 0.038, 0.05)),
    (BAND, 0.0, "lower", ()),
    (BAND, 0.05, "raise", ()),
    (BARS, 1, "raise", (3, 6, 10, 15, 20)),
    (BARS, 19, "raise", (20,)),
    (BARS, 20, "raise", ()),
    (BARS, 2, "lower", (1,)),
    (Bound("cap", 0.0, 0.05, whole=False), 0.05, "lower", (0.044, 0.038, 0.025, 0.012, 0.0)),
]


@pytest.mark.parametrize("bound, value, direction, expected", GRID)
def test_candidates(
    bound: Bound, value: float, direction: Literal["raise", "lower"], expected: tuple[float, ...]
) -> None:
    found = bound.towards(value, direction)
    assert found == expected
    assert all(isinstance(v, int) == bound.whole for v in found)


def test_every_candidate_of_every_module_lies_within_its_bounds() -> None:
    moved = 0
    for stage, name in list_modules():
        model = settings_model(stage, name)
        in_force = model().model_dump() if not any(f.is_required() for f in model.model_fields.values()) else {}
        for setting, bound in search_space(model.model_json_schema()).items():
            if setting not in in_force:
                continue
            for direction in ("raise", "lower"):
                for value in bound.towards(in_force[setting], direction):
                    model.model_validate({**in_force, setting: value})
                    moved += 1
    assert moved > 20
