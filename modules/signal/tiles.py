"""The column steps of a plan on one tile of symbols, block of rows after block of rows.

A tile is narrow and a block short enough for what one step writes to be in the processor's cache when the next reads
it. Every kernel sees the rows that its window needs, however rows and symbols are cut; nothing else passes from block
to block but the states of operators with memory. So the cut cannot change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modules.panel import FloatArray, IntArray, read_only
from modules.signal.layout import Layout
from modules.signal.operators import Kind, kernel_of
from modules.signal.plan import Apply, Constant, Load, Part, Twin
from modules.signal.sharing import part_kernel

Call = tuple[Callable[..., object], tuple[object, ...]]


@dataclass(frozen=True)
class Fetched:
    """What tiles read and write: `fields` `[T, N]` without infinities, `calendar` `[T]`, whole `rows` `[B, N]` by slot
    for the block at hand, and `outputs` `[T, N]` by step."""

    fields: Mapping[str, FloatArray]
    calendar: Mapping[str, FloatArray]
    rows: Sequence[FloatArray]
    outputs: Mapping[int, FloatArray]


class Tile:
    """Buffers `rows` long and `columns` wide, and the calls bound to them."""

    def __init__(self, layout: Layout, data: Fetched, rows: int, columns: int, shared: Sequence[FloatArray]) -> None:
        """`shared`: `[rows, columns]` buffers by slot, which tiles that never run at once may have in common."""
        self._layout, self._data = layout, data
        self._shared = shared
        # zeros, not what memory held: columns beyond the last symbol are computed too, and thrown away
        self._kept = {i: np.zeros((layout.history.get(i, 0) + rows, columns)) for i in layout.kept}
        self._states = {
            i: np.zeros((step.operator.memory(step.numbers), columns))
            for i, step in enumerate(layout.plan.steps)
            if isinstance(step, Apply) and step.operator.kind is Kind.STATE
        }
        self._at: IntArray = np.zeros(3, dtype=np.int64)  # row, column and symbols of the block, for bound calls
        self._bound: dict[tuple[int, int, int], list[Call]] = {}

    def aim(self, column: int, symbols: int) -> None:
        """Start over, at the first row of `symbols` columns from `column` on."""
        self._at[:] = 0, column, symbols
        for state in self._states.values():
            state[:] = 0.0

    def run(self, phase: int, row: int, rows: int) -> None:
        """The steps of a phase on the block of `rows` rows from `row` on."""
        self._at[0] = row
        key = (phase, min(row, self._layout.longest), rows)
        if key not in self._bound:
            self._bound[key] = [c for i in self._layout.columns[phase] for c in self._calls(i, row, rows)]
        for function, arguments in self._bound[key]:
            function(*arguments)

    def advance(self, rows: int) -> None:
        """Keep, of the block of `rows` rows just done, what the next one looks back on."""
        for i, need in self._layout.history.items():
            if i in self._kept:
                self._kept[i][:need] = self._kept[i][rows : rows + need]

    def _calls(self, i: int, row: int, rows: int) -> list[Call]:
        """Compute or fetch step i, then hand it on to the outputs and to whole rows."""
        from modules.signal.kernels.elementwise import settle

        step, value = self._layout.plan.steps[i], self._newest(i, rows)
        if isinstance(step, Apply | Part) and not step.across:
            calls = self._computed(i, step, row, rows)
        elif isinstance(step, Twin):
            calls = []
        elif isinstance(step, Constant):
            calls = [(value.fill, (step.value,))]
        else:
            calls = [self._fetch(i, value, rows)]
        if i in self._data.outputs and not step.across:
            calls.append((settle, (read_only(value), self._at, self._data.outputs[i])))
        if i in self._layout.gathered:
            calls.append((_gather, (self._at, value, self._data.rows[self._layout.row_slot[i]][:rows])))
        return calls

    def _newest(self, i: int, rows: int) -> FloatArray:
        """The rows of the block."""
        if i in self._kept:
            begin = self._layout.history.get(i, 0)
            return self._kept[i][begin : begin + rows]
        return self._shared[self._layout.slot[i]][:rows]

    def _window(self, i: int, before: int, rows: int) -> FloatArray:
        """The rows of the block and `before` rows before it."""
        begin = self._layout.history[i]
        return read_only(self._kept[i][begin - before : begin + rows])

    def _fetch(self, i: int, into: FloatArray, rows: int) -> Call:
        step = self._layout.plan.steps[i]
        if not isinstance(step, Load):
            return _scatter, (self._at, self._data.rows[self._layout.row_slot[i]][:rows], into)
        if step.field in self._data.calendar:
            return _spread, (self._at, self._data.calendar[step.field], into)
        return _take, (self._at, self._data.fields[step.field], into)

    def _computed(self, i: int, step: Apply | Part, row: int, rows: int) -> list[Call]:
        out = self._newest(i, rows)
        if isinstance(step, Apply) and step.operator.kind is not Kind.WINDOW:
            inputs = [read_only(self._newest(source, rows)) for source in step.inputs]
            state = [self._states[i]] if i in self._states else []
            return [(kernel_of(step.operator), (*inputs, *step.numbers, *state, out))]
        outs = [out, self._newest(i + 1, rows)] if isinstance(step, Part) and step.twin else [out]
        first = step.rows - 1
        before = min(row, first)
        early = min(first - before, rows)  # rows of the block whose window begins before the panel
        calls: list[Call] = [(o[:early].fill, (math.nan,)) for o in outs] if early else []
        if early < rows:
            windows = [self._window(source, before, rows) for source in step.looks_back]
            beside = [read_only(self._newest(s, rows)[early:]) for s in step.beside] if isinstance(step, Part) else []
            kernel = part_kernel(step.kernel) if isinstance(step, Part) else kernel_of(step.operator)
            calls.append((kernel, (*windows, *beside, *step.numbers, first, *(o[early:] for o in outs))))
        return calls


def _take(at: IntArray, field: FloatArray, into: FloatArray) -> None:
    """The block's cells of a field."""
    row, column, symbols = at
    into[:, :symbols] = field[row : row + into.shape[0], column : column + symbols]


def _spread(at: IntArray, values: FloatArray, into: FloatArray) -> None:
    """A value a row, the same for every symbol."""
    into[:] = values[at[0] : at[0] + into.shape[0], np.newaxis]


def _scatter(at: IntArray, whole: FloatArray, into: FloatArray) -> None:
    """The tile's columns of whole rows."""
    _, column, symbols = at
    into[:, :symbols] = whole[:, column : column + symbols]


def _gather(at: IntArray, value: FloatArray, whole: FloatArray) -> None:
    """The tile's columns into whole rows."""
    _, column, symbols = at
    whole[:, column : column + symbols] = value[:, :symbols]


def finite_field(values: FloatArray) -> FloatArray:
    """The values, infinite ones as NaN: the language has no infinities."""
    infinite = np.isinf(values)
    return np.where(infinite, math.nan, values) if infinite.any() else values
