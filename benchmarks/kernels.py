"""What each kernel of the signal language costs on this machine: the table behind `cws signal explain --plan`.

    python -m benchmarks.kernels > modules/signal/cost/kernels.json

Each kernel runs on one block as the batch driver cuts them, at two windows; the line through both gives its cost for a
value and for a row of its window. Medians of seven calls after the first, which is the time of compilation: the
kernels are compiled into an empty folder. Times are of the thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import machine
from modules.panel import FloatArray
from modules.signal.cost import CostTable, KernelCost, kernel_name, reach
from modules.signal.nodes import Call, Field, Node, Number
from modules.signal.operators import Kind, Operator, Parameter, Slot, kernel_of, operators
from modules.signal.plan import Apply, Part, Step, make_plan
from modules.signal.sharing import part_kernel, share_parts

if TYPE_CHECKING:
    from modules.signal.operators import Kernel

RUNS = 7
ROWS, COLUMNS = 256, 128
CELLS = ROWS * COLUMNS
WINDOWS = (10, 60)
PRICES = ("open", "high", "low", "close", "volume")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        start_ms = 1e3 * _first(kernel_of(_row("sub")), (_values(1), _values(2), np.empty((ROWS, COLUMNS))))
        print_table(measured(start_ms))


def measured(start_ms: float) -> CostTable:
    """Every kernel that a plan can name."""
    kernels: dict[str, KernelCost] = {}
    for steps in probes():
        name = kernel_name(steps[0])
        if name is not None and name not in kernels:  # a plan names no kernel for `unitless`
            print(name, file=sys.stderr)
            kernels[name] = _line(steps)
    block, into = _values(1), np.empty((ROWS, COLUMNS))
    copied = _median(np.copyto, (into, block)) / into.size
    return CostTable(machine=machine(), copied=round(copied, 4), start_ms=round(start_ms, 1), kernels=kernels)


def print_table(table: CostTable) -> None:
    """One kernel a line, so that a new measurement can be read as a difference."""
    found = table.model_dump(mode="json")
    kernels = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(found.pop("kernels").items()))
    head = "".join(f" {json.dumps(k)}: {json.dumps(v)},\n" for k, v in found.items())
    print(f'{{\n{head} "kernels": {{\n{kernels}\n }}\n}}')


def probes() -> Iterator[list[Step]]:
    """Each kernel's step at both windows."""
    for row in operators():
        plans = [make_plan([probe(row, w)]) for w in WINDOWS]
        yield [p.steps[p.outputs[0]] for p in plans]
    for group in groups():
        at_both = [share_parts(make_plan(signals)).steps for signals in group]
        yield from ([a, b] for a, b in zip(*at_both, strict=True) if isinstance(a, Part))


def probe(row: Operator, window: int) -> Call:
    """The operator on fields, its windows about `window`, its other numbers at their defaults or in the middle."""
    inputs = tuple(
        Field(name if name in PRICES else "sector" if name in row.units.groups else PRICES[i % len(PRICES)])
        for i, name in enumerate(row.inputs)
    )
    return Call(row.name, inputs, tuple(_number(p, window) for p in row.parameters))


def _number(p: Parameter, window: int) -> float:
    if p.slot is Slot.WINDOW:
        return int(min(max(p.low, window), p.high))
    if p.default is not None:
        return p.default
    middle = (max(p.low, -2.0) + min(p.high, 2.0)) / 2
    return int(max(p.low, min(p.high, 2))) if p.slot is Slot.INTEGER else middle


def groups() -> Iterator[list[list[Node]]]:
    """Signals that have parts in common, at both windows: together they bring up every part there is."""
    x, y = Field("close"), Field("volume")

    def one(name: str, *numbers: float) -> Callable[[int], Node]:
        return lambda window: Call(name, (x,), (window, *numbers))

    def two(name: str) -> Callable[[int], Node]:
        return lambda window: Call(name, (x, y), (window,))

    moments = [one(n) for n in ("ts_var", "ts_std", "ts_zscore")]
    lines = [one(n) for n in ("ts_slope", "ts_resid")]
    together: list[list[Callable[[int], Node]]] = [
        moments, lines, [*moments, *lines, one("ts_rsquare")], [two(n) for n in ("ts_cov", "ts_corr", "ts_beta")],
        [two("ts_corr"), two("ts_beta")], [one("ts_quantile", 0.2), one("ts_quantile", 0.8)],
        [lambda window: Call("ts_mean", (Call("gt", (x, Number(50.0))),), (window,))],
    ]  # fmt: skip
    for made in together:
        yield [[signal(w) for signal in made] for w in WINDOWS]


def _row(name: str) -> Operator:
    return next(o for o in operators() if o.name == name)


def _line(steps: list[Step]) -> KernelCost:
    """Through the times at both windows; never falling, never below zero."""
    points: list[tuple[float, float]] = []
    compile_ms = 0.0
    for step in steps:
        work, arguments = _call(step)
        first = _first(work, arguments)
        points.append((reach(step), _median(work, arguments) / CELLS))
        compile_ms = compile_ms or max(0.0, 1e3 * first - points[0][1] * CELLS / 1e6)
    (near, short), (far, long) = points
    slope = max(0.0, (long - short) / (far - near)) if far > near else 0.0
    if slope * near > short:  # a line that would begin below zero
        slope = long / far
    cell = max(0.0, (short + long) / 2 - slope * (near + far) / 2)
    return KernelCost(cell=round(cell, 4), window_row=round(slope, 5), compile_ms=round(compile_ms, 1))


def _call(step: Step) -> tuple[Kernel, tuple[object, ...]]:
    """A kernel with arrays of the shapes that the batch driver gives it."""
    out = np.empty((ROWS, COLUMNS))
    if isinstance(step, Part):
        first = step.rows - 1
        looked = [_values(i, first) for i in range(len(step.looks_back))]
        beside = [_values(5 + i) for i in range(len(step.beside))]
        twin = [np.empty((ROWS, COLUMNS))] if step.twin else []
        return part_kernel(step.kernel), (*looked, *beside, *step.numbers, first, out, *twin)
    assert isinstance(step, Apply), "probes are of operators and parts"
    row = step.operator
    before = step.rows - 1 if row.kind is Kind.WINDOW else 0
    inputs = [_groups() if n in row.units.groups else _values(i, before) for i, n in enumerate(row.inputs)]
    if row.kind is Kind.WINDOW:
        return kernel_of(row), (*inputs, *step.numbers, before, out)
    state = [np.zeros((row.memory(step.numbers), COLUMNS))] if row.kind is Kind.STATE else []
    return kernel_of(row), (*inputs, *step.numbers, *state, out)


def _values(seed: int, before: int = 0) -> FloatArray:
    """`[before + ROWS, COLUMNS]` of a random walk, read-only as the driver's are."""
    rng = np.random.default_rng(seed)
    walk: FloatArray = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (before + ROWS, COLUMNS)), axis=0))
    walk.setflags(write=False)
    return walk


def _groups() -> FloatArray:
    sectors: FloatArray = np.zeros((ROWS, COLUMNS)) + np.arange(COLUMNS) % 10
    sectors.setflags(write=False)
    return sectors


def _first(work: Kernel, arguments: tuple[object, ...]) -> float:
    """Seconds."""
    start = time.thread_time()
    work(*arguments)
    return time.thread_time() - start


def _median(work: Kernel, arguments: tuple[object, ...]) -> float:
    """Nanoseconds."""
    times = []
    for _ in range(RUNS):
        start = time.thread_time_ns()
        work(*arguments)
        times.append(time.thread_time_ns() - start)
    return median(times)


if __name__ == "__main__":
    main()
