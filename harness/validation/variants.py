"""The family around a run: one step to each side in what may be searched.

A step is half or twice the value, within the setting's bounds; from zero, a tenth of the way to the upper bound. All
look-backs of an expression are stepped together. Assumptions about the world (costs, fills) and labels are not stepped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from modules.contract import Module, Stage
from modules.signal import format_signal, parse
from modules.signal.nodes import Call, Node
from modules.signal.operators import find
from modules.signal.operators.row import Slot

MOST_VARIANTS = 24
_STAGES: tuple[Stage, ...] = ("feature", "size")


@dataclass(frozen=True)
class Neighbour:
    """Modules with one setting changed, and the change in words."""

    subject: str
    modules: Mapping[Stage, Module]
    signal: str | None


def neighbours(modules: Mapping[Stage, Module]) -> tuple[Neighbour, ...]:
    """At most MOST_VARIANTS, those of the feature first."""
    found: list[Neighbour] = []
    for stage in _STAGES:
        module = modules[stage]
        for name, value in _steps(module):
            try:
                changed = module.with_settings({name: value})
            except ValidationError:
                continue  # two settings that exclude each other
            signal = str(value) if name == "expr" else None
            found.append(Neighbour(f"{stage}.{name} = {value}", {**modules, stage: changed}, signal))
    return tuple(found[:MOST_VARIANTS])


def _steps(module: Module) -> Iterator[tuple[str, object]]:
    rules = type(module.settings).model_json_schema().get("properties", {})
    for name, rule in rules.items():
        value = getattr(module.settings, name)
        if name == "expr":
            yield from ((name, text) for text in stepped_expressions(str(value)))
        elif isinstance(value, int | float) and not isinstance(value, bool) and not rule.get("assumption"):
            yield from ((name, step) for step in stepped(value, rule))


def stepped(value: float, rule: Mapping[str, object]) -> tuple[float, ...]:
    """The neighbours of a number within the bounds of its JSON schema, whole where it is whole."""
    low, high = rule.get("minimum", rule.get("exclusiveMinimum")), rule.get("maximum")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ()
    whole = isinstance(value, int)
    found: list[float] = []
    for raw in (value / 2, value * 2) if value else (low + (high - low) / 10,):
        step = min(max(round(raw) if whole else raw, low), high)
        step = int(step) if whole else float(step)
        if step != value and step not in found and not (step == low and "exclusiveMinimum" in rule):
            found.append(step)
    return tuple(found)


def stepped_expressions(text: str) -> tuple[str, ...]:
    """The signal with every look-back halved, and doubled; without those that do not change it."""
    tree = parse(text)
    own = format_signal(tree)
    return tuple(dict.fromkeys(s for f in (0.5, 2.0) if (s := format_signal(_scaled(tree, f))) != own))


def _scaled(node: Node, factor: float) -> Node:
    if not isinstance(node, Call):
        return node
    row = find(node.operator)
    assert row is not None, f"{node.operator} was parsed, so it is in the table"
    numbers = []
    for parameter, value in zip(row.parameters, node.numbers, strict=True):
        if parameter.slot is Slot.WINDOW:
            value = min(max(float(round(value * factor)), parameter.low), parameter.high)
        numbers.append(value)
    return Call(node.operator, tuple(_scaled(child, factor) for child in node.inputs), tuple(numbers))
