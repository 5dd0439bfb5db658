"""A signal as a list of steps, each distinct subexpression once. Both drivers follow the same plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modules.signal.canonical import Canonical
from modules.signal.errors import SignalError
from modules.signal.nodes import Call, Field, Node, Number, distinct
from modules.signal.operators import Kind, Operator, Slot, find


@dataclass(frozen=True)
class Source:
    """A step that reads no other."""

    @property
    def reads(self) -> tuple[int, ...]:
        """The steps that it reads, by position."""
        return ()

    @property
    def looks_back(self) -> tuple[int, ...]:
        """Those of `reads` of which it reads earlier rows too."""
        return ()

    @property
    def rows(self) -> int:
        """Rows of `looks_back`, the newest included, that a row of output reads."""
        return 1

    @property
    def across(self) -> bool:
        """Whether it compares symbols."""
        return False


@dataclass(frozen=True)
class Load(Source):
    """Read a field of the panel or of the calendar."""

    field: str


@dataclass(frozen=True)
class Constant(Source):
    """The same number everywhere."""

    value: float


@dataclass(frozen=True)
class Apply:
    """Call an operator's kernel on earlier steps (by position)."""

    operator: Operator
    inputs: tuple[int, ...]
    numbers: tuple[float, ...]

    @property
    def reads(self) -> tuple[int, ...]:
        """The steps that it reads, by position."""
        return self.inputs

    @property
    def looks_back(self) -> tuple[int, ...]:
        """Those of `reads` of which it reads earlier rows too."""
        return self.inputs if self.operator.kind is Kind.WINDOW else ()

    @property
    def rows(self) -> int:
        """Rows of input that a row of output reads."""
        return self.operator.rows(self.numbers)

    @property
    def across(self) -> bool:
        """Whether it compares symbols."""
        return self.operator.kind is Kind.CROSS


@dataclass(frozen=True)
class Part:
    """A piece of arithmetic that several operators have in common (`modules.signal.sharing`).

    `kernel` is a function of `modules.signal.kernels.parts`, called with the windows of `looks_back`, the newest rows
    of `beside`, the numbers, then `first, out` as for a WINDOW. `rows` as for an operator. With `twin`, the kernel has
    one more array to fill, whose step follows.
    """

    kernel: str
    looks_back: tuple[int, ...]
    beside: tuple[int, ...]
    numbers: tuple[float, ...]
    rows: int
    twin: bool = False

    @property
    def reads(self) -> tuple[int, ...]:
        """The steps that it reads, by position."""
        return self.looks_back + self.beside

    @property
    def across(self) -> bool:
        """Whether it compares symbols."""
        return False


@dataclass(frozen=True)
class Twin(Source):
    """The second result of a part, which fills it."""

    of: int

    @property
    def reads(self) -> tuple[int, ...]:
        """The steps that it reads, by position."""
        return (self.of,)


Step = Load | Constant | Apply | Part | Twin


@dataclass(frozen=True)
class Plan:
    """`steps` in order of computation; `outputs` are the positions of the signals asked for.

    `last_use[i]` is the last step that reads step i (or the end, for an output): what may be freed when.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    last_use: tuple[int, ...]

    @classmethod
    def of(cls, steps: Sequence[Step], outputs: Sequence[int]) -> Plan:
        """With `last_use` worked out."""
        last_use = list(range(len(steps)))
        for i, step in enumerate(steps):
            for source in step.reads:
                last_use[source] = i
        for o in outputs:
            last_use[o] = len(steps)
        return cls(tuple(steps), tuple(outputs), tuple(last_use))


def make_plan(signals: Sequence[Node]) -> Plan:
    """One plan for several signals, on their canonical forms, sharing what they have in common."""
    steps: list[Step] = []
    places: dict[tuple[object, ...], int] = {}
    placed: dict[int, int] = {}  # by identity of a canonical node
    forms = Canonical()
    roots = [forms.of(s) for s in signals]

    def place(node: Node) -> int:
        key, step = _step(node, placed)
        if key not in places:
            places[key] = len(steps)
            steps.append(step)
        return places[key]

    for root in roots:
        for node in distinct(root, placed):
            placed[id(node)] = place(node)
    return Plan.of(steps, [placed[id(r)] for r in roots])


def _step(node: Node, placed: Mapping[int, int]) -> tuple[tuple[object, ...], Step]:
    """The step of a node whose inputs have theirs, and what tells it from others."""
    match node:
        case Number():
            return (Constant, node.value), Constant(node.value)
        case Field():
            return (Load, node.name), Load(node.name)
        case Call():
            row = find(node.operator)
            if row is None:
                raise SignalError(f"unknown operator {node.operator}; `cws signal ops` lists the operators")
            inputs = tuple(placed[id(i)] for i in node.inputs)
            return (row.name, inputs, node.numbers), Apply(row, inputs, _typed(row, node.numbers))


def _typed(row: Operator, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Whole numbers as int, the others as float, so that each kernel is compiled for one signature."""
    return tuple(float(v) if p.slot is Slot.NUMBER else int(v) for v, p in zip(numbers, row.parameters, strict=True))
