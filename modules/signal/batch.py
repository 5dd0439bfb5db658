"""The batch driver: all rows of a panel at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modules.panel import FloatArray, Panel
from modules.signal.calendar import CALENDAR_FIELDS, calendar_values
from modules.signal.canonical import warmup
from modules.signal.check import check_fields
from modules.signal.errors import SignalError
from modules.signal.nodes import Call, Node, walk
from modules.signal.operators import Kind, find, kernel_of
from modules.signal.parse import parse
from modules.signal.plan import Apply, Constant, Load, Step, make_plan
from modules.signal.printer import format_signal


def evaluate(node: Node, panel: Panel) -> FloatArray:
    """`[T, N]` values of a signal, read-only; row t uses rows <= t of the panel. NaN = no value; never infinite.

    Raises SignalError for a field that the panel lacks, a look-back longer than the data, an empty panel, or a
    comparison across symbols where there is one symbol.
    """
    return evaluate_all([node], panel)[0]


def evaluate_all(nodes: Sequence[Node], panel: Panel) -> list[FloatArray]:
    """As `evaluate`, for several signals; what they have in common is computed once."""
    for node in nodes:
        _check(node, panel)
    return compute(nodes, panel)


def _check(node: Node, panel: Panel) -> None:
    rows, symbols = panel.shape
    if rows == 0 or symbols == 0:
        raise SignalError(f"the panel has {rows} rows and {symbols} symbols; a signal needs at least one of each")
    text = format_signal(node)
    located = parse(text, units=False)

    def fail(message: str, column: int) -> SignalError:
        return SignalError(message, text, column)

    check_fields(located, panel.fields, fail)
    for part in walk(located):
        if warmup(part) >= rows:
            raise fail(
                f"the look-back of {warmup(part) + 1} bars is longer than the data, {rows} bars; shorten the window "
                "or take a longer period",
                part.column,
            )
        if symbols == 1 and isinstance(part, Call):
            row = find(part.operator)
            if row is not None and row.kind is Kind.CROSS:
                raise fail(
                    f"{part.operator} compares symbols, and the panel has one ({panel.symbols[0]}); "
                    "add symbols or use an operator over time",
                    part.column,
                )


def compute(nodes: Sequence[Node], panel: Panel) -> list[FloatArray]:
    """The values without the checks of `evaluate`: too short a panel gives NaN."""
    plan = make_plan(nodes)
    values: list[FloatArray | None] = []
    for i, step in enumerate(plan.steps):
        values.append(_run(step, values, panel))
        for j in range(i):
            if plan.last_use[j] <= i:
                values[j] = None  # free what no later step reads
    return [settled(v) for v in (values[o] for o in plan.outputs) if v is not None]


def _run(step: Step, values: Sequence[FloatArray | None], panel: Panel) -> FloatArray:
    match step:
        case Load():
            return load(step.field, panel)
        case Constant():
            return frozen(np.full(panel.shape, step.value))
        case Apply():
            inputs = [v for v in (values[i] for i in step.inputs) if v is not None]
            return frozen(_apply(step, inputs, panel.shape))


def load(field: str, panel: Panel) -> FloatArray:
    """A field as `[T, N]`, infinite values as NaN."""
    if field in CALENDAR_FIELDS:
        column = calendar_values(field, panel.ts)[:, np.newaxis]
        return frozen(np.ascontiguousarray(np.broadcast_to(column, panel.shape)))
    return finite_field(panel[field])


def finite_field(values: FloatArray) -> FloatArray:
    """The values, infinite ones as NaN: the language has no infinities."""
    infinite = np.isinf(values)
    return frozen(np.where(infinite, np.nan, values) if infinite.any() else values)


def frozen(values: FloatArray) -> FloatArray:
    """Read-only: a step may not change another's values, and each kernel is compiled for one array type."""
    values.setflags(write=False)
    return values


def _apply(step: Apply, inputs: list[FloatArray], shape: tuple[int, int]) -> FloatArray:
    kernel = kernel_of(step.operator)
    out = np.empty(shape)
    if step.operator.kind is Kind.WINDOW:
        first = step.rows - 1
        out[:first] = np.nan
        if first < shape[0]:
            kernel(*inputs, *step.numbers, first, out[first:])
    elif step.operator.kind is Kind.STATE:
        kernel(*inputs, *step.numbers, np.zeros((step.operator.memory(step.numbers), shape[1])), out)
    else:
        kernel(*inputs, *step.numbers, out)
    return out


def settled(values: FloatArray) -> FloatArray:
    """A copy with one NaN and one zero: equal values have equal bits."""
    from modules.signal.kernels.elementwise import settle

    out = np.array(values, dtype=np.float64)
    settle(out)
    return frozen(out)
