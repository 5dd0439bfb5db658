"""Every recipe of every skill passes, on real bars, what any candidate must: no look-ahead, batch equal to stream,
values that are there and tell symbols apart, and none that a later split would move."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from harness.check import check
from harness.drafters.port import Candidate
from modules.bundled import registration
from modules.panel import Panel
from skills.drafting import Drafting
from skills.registry import Skill, drafting_skills, skills

FIELDS = ("open", "high", "low", "close", "volume")
DRAFTING = drafting_skills(skills())


@pytest.fixture(scope="module")
def us5() -> Panel:
    raw = registration("us5").raw
    wide = {name: raw.pivot(on="Ticker", index="Date", values=name.title()).sort("Date") for name in FIELDS}
    ts = wide["close"]["Date"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    values = {name: np.ascontiguousarray(w.drop("Date").to_numpy().astype(float)) for name, w in wide.items()}
    values["sector"] = np.tile(np.arange(values["close"].shape[1]) % 2.0, (len(ts), 1))
    return Panel(ts, tuple(wide["close"].columns[1:]), values)


@pytest.mark.slow
@pytest.mark.parametrize(("skill", "block"), DRAFTING, ids=[s.name for s, _ in DRAFTING])
def test_every_recipe_may_be_tested(skill: Skill, block: Drafting, us5: Panel) -> None:
    h, s = block.horizon_bars.default, block.horizon_bars.skip
    for recipe in block.recipes:
        expr = f"rank({recipe.expr.format(h=h, s=s, g=h - s)})"
        made = Candidate(expr=expr, skill=skill.name, recipe=recipe.name, why=(), digest="")
        verdict = check(made, us5, (), seed=0)
        assert verdict.passed, f"{recipe.name}: {verdict.reason}"
