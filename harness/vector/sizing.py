"""The targets that a run's sizing had before it held trades back, so that what that costs has a place in the gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from modules.canonical import Artifact
from modules.contract import Context, Module
from modules.panel import Panel

STEPS: Final = (
    ("smoothing_bars", 1, "smoothing", "targets averaged over smoothing_bars"),
    ("no_trade_band", 0.0, "no-trade band", "targets held within no_trade_band"),
)
"""Setting, value at which it does nothing, name of the cause, what it is: in the order in which sizing applies them."""


@dataclass(frozen=True, eq=False)
class Shaped:
    """Targets without a step of sizing; `cause` and `about` are the step that leads on from them."""

    weights: Panel
    cause: str
    about: str


def plain_targets(size: Module, inputs: Mapping[str, Artifact], context: Context, recorded: Panel) -> list[Shaped]:
    """Targets before each step of `STEPS` that the run's sizing takes, plainest first; `recorded` are those after all.

    `size` is its module with the settings of the run, `inputs` the artifacts that it read.
    """
    values = size.settings.model_dump()
    taken = [s for s in STEPS if s[0] in values and values[s[0]] != s[1]]
    made = []
    for k, (_, _, cause, about) in enumerate(taken):
        changed = size.with_settings({name: off for name, off, _, _ in taken[k:]})
        outputs = changed.run(changed.inputs(**inputs), changed.settings, context)
        weights = getattr(outputs, "weights", None)
        if not isinstance(weights, Panel) or weights.symbols != recorded.symbols:
            return []
        made.append(Shaped(weights, cause, about))
    return made
