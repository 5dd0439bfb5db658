"""What a plan will take, before it runs: memory from its layout, time from a table of measured kernels.

The table (`kernels.json`, made by `python -m benchmarks.kernels`) is of one machine. Its times say which part of a
signal is dear and what a longer window costs; on another machine all of them are longer or shorter. It lies in a folder
of its own, beside no code that computes: measuring again changes the identity of no run.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

from modules.signal.batch import Cut
from modules.signal.canonical import warmup
from modules.signal.errors import SignalError
from modules.signal.layout import Layout, lay_out
from modules.signal.nodes import Call, Node, children, distinct
from modules.signal.operators import Kind
from modules.signal.plan import Apply, Constant, Load, Part, Step, Twin, make_plan
from modules.signal.printer import format_number
from modules.signal.sharing import share_parts

COSTS = Path(__file__).with_name("kernels.json")
ROWS, SYMBOLS = 2_500, 500
"""The panel that a plan is for where none is named: ten years of days, the larger US stocks."""


class KernelCost(BaseModel):
    """Nanoseconds of one thread: `cell` for each value, `window_row` for each value and row of its window.
    `compile_ms`: the first call with nothing on disk."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cell: NonNegativeFloat
    window_row: NonNegativeFloat
    compile_ms: NonNegativeFloat


class CostTable(BaseModel):
    """Measured kernels, and on what. `copied`: a value fetched, handed on or written, in nanoseconds. `kernels` by
    `file.function`. `start_ms`: what the first kernel of a process waits for, whichever it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    machine: Mapping[str, str | int]
    copied: NonNegativeFloat
    start_ms: NonNegativeFloat
    kernels: Mapping[str, KernelCost]


@functools.cache
def costs() -> CostTable:
    """The table in force."""
    return CostTable.model_validate(json.loads(COSTS.read_text()))


@dataclass(frozen=True)
class StepCost:
    """One step of a plan. `number` counts from 1; `inputs` are such numbers. `window_rows`: rows of input behind one
    row of output. `buffer_bytes`: what it writes to; several steps may write to the same buffer in turn."""

    number: int
    operation: str
    kernel: str | None
    window_rows: int
    inputs: tuple[int, ...]
    buffer_bytes: int
    milliseconds: float


@dataclass(frozen=True)
class PlanCost:
    """A plan with its costs on a panel of `rows` x `symbols`.

    `written`: operators in the signal as one writes it; `computed`: those left once what is the same is computed once.
    `peak_bytes`: buffers and the result, without the panel. `warm_ms`: one thread, kernels loaded; `cold_ms`: with
    nothing compiled yet.
    """

    rows: int
    symbols: int
    steps: tuple[StepCost, ...]
    written: int
    computed: int
    kernels: tuple[str, ...]
    warmup_bars: int
    peak_bytes: int
    warm_ms: float
    cold_ms: float

    def share(self, step: StepCost) -> float:
        """Of the time of all steps."""
        total = sum(s.milliseconds for s in self.steps)
        return step.milliseconds / total if total else 0.0


def plan_cost(node: Node, rows: int = ROWS, symbols: int = SYMBOLS, table: CostTable | None = None) -> PlanCost:
    """What evaluating a signal on `[rows, symbols]` takes. Raises SignalError for an empty panel, or for an operator
    that was never measured."""
    if rows < 1 or symbols < 1:
        raise SignalError(f"a plan for {rows} rows and {symbols} symbols; give at least one of each")
    found = table or costs()
    plan = make_plan([node])
    layout = lay_out(share_parts(plan))
    cut = Cut.fitting(layout, (rows, symbols))
    held = _Held(layout, cut, (rows, symbols))
    steps = tuple(
        StepCost(
            number=i + 1,
            operation=_operation(step),
            kernel=kernel_name(step),
            window_rows=reach(step),
            inputs=tuple(source + 1 for source in step.reads),
            buffer_bytes=held.of(i),
            milliseconds=nanoseconds(step, found) * rows * symbols / 1e6,
        )
        for i, step in enumerate(layout.plan.steps)
    )
    kernels = tuple(dict.fromkeys(s.kernel for s in steps if s.kernel is not None))
    warm = sum(s.milliseconds for s in steps) + found.copied * rows * symbols / 1e6
    return PlanCost(
        rows=rows,
        symbols=symbols,
        steps=steps,
        written=_written(node),
        computed=sum(isinstance(s, Apply) for s in plan.steps),
        kernels=kernels,
        warmup_bars=warmup(node),
        peak_bytes=held.peak(),
        warm_ms=warm,
        cold_ms=warm + found.start_ms + sum(found.kernels[k].compile_ms for k in kernels),
    )


def kernel_name(step: Step) -> str | None:
    """`file.function` below `modules.signal.kernels`; None for a step that no kernel computes, or its twin does."""
    match step:
        case Apply():
            return step.operator.kernel
        case Part():
            return f"parts.{step.kernel}"
    return None


def reach(step: Step) -> int:
    """Rows of input behind one row of output; for an operator with memory, those until it has a value."""
    if isinstance(step, Apply) and step.operator.kind is Kind.STATE:
        return step.operator.warmup(step.numbers) + 1
    return step.rows


def nanoseconds(step: Step, table: CostTable) -> float:
    """Of one value. Raises SignalError for a kernel that is not in the table."""
    name = kernel_name(step)
    if name is None:
        return 0.0 if isinstance(step, Twin) else table.copied
    if name not in table.kernels:
        raise SignalError(f"the kernel {name} is not in {COSTS.name}; measure it with `python -m benchmarks.kernels`")
    cost = table.kernels[name]
    return cost.cell + cost.window_row * reach(step)


def _operation(step: Step) -> str:
    match step:
        case Load():
            return step.field
        case Constant():
            return format_number(step.value)
        case Apply():
            named = zip(step.operator.parameters, step.numbers, strict=True)
            numbers = ", ".join(f"{p.name}={format_number(v)}" for p, v in named)
            return f"{step.operator.name}({numbers})" if numbers else step.operator.name
        case Part():
            numbers = ", ".join(map(format_number, step.numbers))
            return f"{step.kernel}({numbers})" if numbers else step.kernel
        case Twin():
            return f"second result of {step.of + 1}"


def _written(node: Node) -> int:
    """Operators in the tree as text, a part that stands twice counted twice."""
    times: Counter[int] = Counter({id(node): 1})
    total = 0
    for part in reversed(list(distinct(node))):
        if isinstance(part, Call):
            total += times[id(part)]
        for child in children(part):
            times[id(child)] += times[id(part)]
    return total


class _Held:
    """The memory of a layout, as the batch driver asks for it."""

    def __init__(self, layout: Layout, cut: Cut, shape: tuple[int, int]) -> None:
        self._layout, self._cut, (self._rows, self._symbols) = layout, cut, shape
        # with comparisons across symbols all tiles are alive at once, else one a thread
        self._tiles = len(cut.tiles(self._symbols)) if any(layout.crosses) else cut.threads

    def of(self, i: int) -> int:
        """Bytes of step i, with the whole rows that it hands to a cross-section."""
        layout, step = self._layout, self._layout.plan.steps[i]
        total = self._state(step)
        if i in layout.kept:
            total += 8 * (layout.history.get(i, 0) + self._cut.rows) * self._cut.columns * self._tiles
        elif i in layout.slot:
            total += self._slot()
        if i in layout.row_slot:
            total += self._whole()
        return total

    def peak(self) -> int:
        """All buffers and the result; what steps hold in turn is counted once."""
        layout = self._layout
        alone = sum(self.of(i) for i in range(len(layout.plan.steps)) if i in layout.kept)
        alone -= self._whole() * sum(i in layout.row_slot for i in layout.kept)
        alone += sum(self._state(s) for i, s in enumerate(layout.plan.steps) if i not in layout.kept)
        in_turn = self._slot() * len(set(layout.slot.values())) + self._whole() * len(set(layout.row_slot.values()))
        return alone + in_turn + 8 * self._rows * self._symbols

    def _slot(self) -> int:
        return 8 * self._cut.rows * self._cut.columns * self._cut.threads

    def _whole(self) -> int:
        return 8 * self._cut.rows * self._symbols

    def _state(self, step: Step) -> int:
        if isinstance(step, Apply) and step.operator.kind is Kind.STATE:
            return 8 * step.operator.memory(step.numbers) * self._cut.columns * self._tiles
        return 0
