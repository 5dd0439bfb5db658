"""The bars so far to the targets of the last one, through the stage modules that a backtest runs.

No module looks ahead (each signal is proven not to), so the last row over the bars up to t is the backtest's row t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.canonical import Artifact
from modules.contract import STAGES, Context, ContractError, Module, Stage, check_ports
from modules.door import facts_through_the_door, through_the_door
from modules.panel import FloatArray, Panel, iso


class DecideError(ValueError):
    """There are no targets for a bar: nothing may be ordered on it. Names the bar, the rule and the remedy."""


@dataclass(frozen=True)
class Programme:
    """What is traded: the modules in force with their settings. `start_ns`: the first bar that may trade."""

    strategy: str
    modules: Mapping[Stage, Module]
    start_ns: int
    seed: int = 0
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Targets:
    """Bars as known now, and the weights `[N]` (on their symbols) decided at the last of them."""

    bars: Panel
    weights: FloatArray

    @property
    def ts_ns(self) -> int:
        """Label of the bar at which it was decided."""
        return int(self.bars.ts[-1])


def needed(modules: Mapping[Stage, Module]) -> tuple[Stage, ...]:
    """The stages between ingest and execute without which there would be no bars or weights, in order."""
    wanted = {"bars", "weights"}
    found: list[Stage] = []
    for stage in reversed(STAGES[1:-1]):
        if wanted & modules[stage].ports("outputs").keys():
            found.insert(0, stage)
            wanted |= modules[stage].ports("inputs").keys()
    return tuple(found)


def decide(
    programme: Programme,
    records: pl.DataFrame,
    instruments: pl.DataFrame,
    known_ns: int,
    facts: pl.DataFrame | None = None,
) -> Targets:
    """Targets on what was known at `known_ns`: records, instruments and facts as ingest writes them.

    Raises ContractError where a boundary refuses what a module made, DecideError where no weights come out.
    """
    return _last_row(_board(programme, records, instruments, known_ns, facts), known_ns)


def decide_all(
    programme: Programme,
    records: pl.DataFrame,
    instruments: pl.DataFrame,
    known_ns: int,
    facts: pl.DataFrame | None = None,
) -> tuple[Panel, Panel]:
    """Bars and weights of all rows from the programme's start on, as a backtest has them. Raises as `decide`."""
    board = _board(programme, records, instruments, known_ns, facts)
    bars, weights = board.get("bars"), board.get("weights")
    if not isinstance(bars, Panel) or not isinstance(weights, Panel):
        raise DecideError(f"no weights come out of what was known at {iso(known_ns)}")
    return bars, weights


def _board(
    programme: Programme,
    records: pl.DataFrame,
    instruments: pl.DataFrame,
    known_ns: int,
    facts: pl.DataFrame | None,
) -> dict[str, Artifact]:
    """Everything that the stages made."""
    board: dict[str, Artifact] = {
        "records": through_the_door(records, known_ns, programme.symbols),
        "instruments": instruments,
    }
    if facts is not None:
        board["facts"] = facts_through_the_door(facts, known_ns, programme.symbols)
    context = Context(seed=programme.seed, start_ns=programme.start_ns)
    for stage in needed(programme.modules):
        board |= _run(programme.modules[stage], board, context)
    return board


def _run(module: Module, board: Mapping[str, Artifact], context: Context) -> dict[str, Artifact]:
    names = module.ports("inputs")
    absent = sorted(names.keys() - board.keys())
    if absent:
        raise DecideError(
            f"{module.stage}/{module.name} asks for {', '.join(absent)}, which nothing here gives; "
            f"there is {', '.join(sorted(board))}"
        )
    inputs = module.inputs(**{n: board[n] for n in names})
    check_ports(module.stage, module.name, "inputs", inputs)
    outputs = module.run(inputs, module.settings, context)
    artifacts = check_ports(module.stage, module.name, "outputs", outputs)
    refused = module.accept(inputs, outputs, module.settings)
    if refused:
        raise ContractError(module.stage, module.name, "acceptance", refused)
    return artifacts


def _last_row(board: Mapping[str, Artifact], known_ns: int) -> Targets:
    bars, weights = board.get("bars"), board.get("weights")
    if not isinstance(bars, Panel) or not isinstance(weights, Panel) or bars.ts.size == 0:
        raise DecideError(f"no bars were known at {iso(known_ns)}; nothing is ordered")
    if weights.ts.size == 0 or weights.ts[-1] != bars.ts[-1] or weights.symbols != bars.symbols:
        raise DecideError(
            f"the size module has no weights for the bar {iso(int(bars.ts[-1]))}; nothing is ordered: "
            "its last row must be that bar, its symbols those of the bars"
        )
    row = weights["weight"][-1]
    if not bool(np.isfinite(row).all()):
        strange = weights.symbols[int(np.flatnonzero(~np.isfinite(row))[0])]
        raise DecideError(
            f"weight of {strange} at {iso(int(bars.ts[-1]))} is not finite; nothing is ordered: a target must be "
            "finite (0 = hold nothing)"
        )
    return Targets(bars, row)
