"""Every signal that comes with the engine, on the bundled data that have its fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from modules.engine.instruments import align_instruments
from modules.engine.weights import rank_weights
from modules.feature.family import signal_of
from modules.feature.settings import FamilySettings
from modules.groups import with_groups
from modules.panel import Panel
from modules.registry import list_modules, load_module
from modules.signal import Node, evaluate, fields_of, parse
from skills.registry import drafting_skills, skills
from tests.pipelines import Desk

BARE = ("expression", "facts_expression")


@dataclass(frozen=True, eq=False)
class Bundled:
    """A bundled set as a signal sees it, and its instruments."""

    bars: Panel
    instruments: pl.DataFrame

    def weights(self, node: Node) -> Panel:
        """The default sizing of a signal."""
        close = self.bars["close"]
        axes = align_instruments(self.instruments, self.bars.symbols, self.bars.ts)
        made = rank_weights(evaluate(node, self.bars), close, axes, gross=1.0, cap=0.05, sector_cap=0.25)
        return Panel(self.bars.ts, self.bars.symbols, {"weight": made})


def bundled(home: Path, name: str) -> Bundled:
    """`us5` or `us20`, cleaned, up to its lockbox."""
    desk = Desk(home, data_name=name)
    manifest = desk.run(until="clean")
    bars, instruments = desk.store.get(manifest.output("bars")), desk.store.get(manifest.output("instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame)
    return Bundled(with_groups(bars, instruments), instruments)


@cache
def signals() -> dict[str, Node]:
    """The default signal, the recipes of the drafting skills at their default windows, the default of every family."""
    default = load_module("feature", "expression").settings.model_dump()["expr"]
    found = {"default": parse(default)}
    for skill, drafting in drafting_skills(skills()):
        h, s = drafting.horizon_bars.default, drafting.horizon_bars.skip
        for recipe in drafting.recipes:
            found[f"{skill.name}: {recipe.name}"] = parse(recipe.expr.format(h=h, s=s, g=h - s))
    for stage, name in list_modules():
        if stage == "feature" and name not in BARE:
            settings = load_module(stage, name).settings
            assert isinstance(settings, FamilySettings), f"feature/{name} is no family: add its signal here"
            found[f"family {name}"] = signal_of(settings)
    return found


def signals_on(bars: Panel) -> dict[str, Node]:
    """Those whose fields the bars have."""
    return {name: node for name, node in signals().items() if fields_of(node) <= set(bars.fields)}
