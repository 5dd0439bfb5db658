"""A signal as a list of steps, each distinct subexpression once. Both drivers follow the same plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.signal.canonical import canonical
from modules.signal.errors import SignalError
from modules.signal.nodes import Call, Field, Node, Number
from modules.signal.operators import Operator, Slot, find


@dataclass(frozen=True)
class Load:
    """Read a field of the panel or of the calendar."""

    field: str


@dataclass(frozen=True)
class Constant:
    """The same number everywhere."""

    value: float


@dataclass(frozen=True)
class Apply:
    """Call an operator's kernel on earlier steps (by position)."""

    operator: Operator
    inputs: tuple[int, ...]
    numbers: tuple[float, ...]

    @property
    def rows(self) -> int:
        """Rows of input that a row of output reads."""
        return self.operator.rows(self.numbers)


Step = Load | Constant | Apply


@dataclass(frozen=True)
class Plan:
    """`steps` in order of computation; `outputs` are the positions of the signals asked for.

    `last_use[i]` is the last step that reads step i (or the end, for an output): what may be freed when.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    last_use: tuple[int, ...]


def make_plan(signals: Sequence[Node]) -> Plan:
    """One plan for several signals, on their canonical forms, sharing what they have in common."""
    steps: list[Step] = []
    places: dict[Step, int] = {}

    def place(step: Step) -> int:
        if step not in places:
            places[step] = len(steps)
            steps.append(step)
        return places[step]

    def visit(node: Node) -> int:
        match node:
            case Number():
                return place(Constant(node.value))
            case Field():
                return place(Load(node.name))
            case Call():
                row = find(node.operator)
                if row is None:
                    raise SignalError(f"unknown operator {node.operator}; `cws signal ops` lists the operators")
                inputs = tuple(visit(i) for i in node.inputs)
                return place(Apply(row, inputs, _typed(row, node.numbers)))

    outputs = tuple(visit(canonical(s)) for s in signals)
    last_use = list(range(len(steps)))
    for i, step in enumerate(steps):
        if isinstance(step, Apply):
            for source in step.inputs:
                last_use[source] = i
    for o in outputs:
        last_use[o] = len(steps)
    return Plan(tuple(steps), outputs, tuple(last_use))


def _typed(row: Operator, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Whole numbers as int, the others as float, so that each kernel is compiled for one signature."""
    return tuple(float(v) if p.slot is Slot.NUMBER else int(v) for v, p in zip(numbers, row.parameters, strict=True))
