"""The batch driver: all rows of a panel, block by block and tile by tile."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from modules.memory import empty
from modules.panel import FloatArray, Panel, read_only
from modules.signal.calendar import CALENDAR_FIELDS, calendar_values
from modules.signal.canonical import warmups
from modules.signal.check import check_fields
from modules.signal.compiling import compile_missing
from modules.signal.errors import SignalError
from modules.signal.layout import Layout, lay_out
from modules.signal.nodes import Call, Node, distinct
from modules.signal.operators import Kind, find, kernel_of
from modules.signal.parse import parse
from modules.signal.plan import Apply, Load, make_plan
from modules.signal.printer import format_signal
from modules.signal.sharing import share_parts
from modules.signal.tiles import Fetched, Tile, finite_field

T = TypeVar("T")

THREADS = "CWS_THREADS"
"""Environment variable: most threads that an evaluation uses. Left out, one for each processor."""

_TILE_CELLS = 48 * 1024
_TILE_COLUMNS = (128, 512)
_LEAST_COLUMNS = 32
_ROWS_BYTES = 128 * 2**20
_SMALL_CELLS = 2_000_000


def evaluate(node: Node, panel: Panel) -> FloatArray:
    """`[T, N]` values of a signal, read-only; row t uses rows <= t of the panel. NaN = no value; never infinite.

    Raises SignalError for a field that the panel lacks, a look-back longer than the data, an empty panel, or a
    comparison across symbols where there is one symbol.
    """
    return evaluate_all([node], panel)[0]


def evaluate_all(
    nodes: Sequence[Node],
    panel: Panel,
    *,
    threads: int | None = None,
    out: FloatArray | None = None,
    done: Callable[[int], None] = lambda rows: None,
) -> list[FloatArray]:
    """As `evaluate`, for several signals; what they have in common is computed once.

    `out`: `[nodes, T, N]`, where the values are to stand; None makes room for each.
    `done`: told, in this thread, how many rows of `out` are there for good: some at a time where the work allows it.
    `threads`: at most so many; None takes `CWS_THREADS`, or one for each processor. The bits are the same for any.
    """
    for node in nodes:
        check_panel(node, panel)
    return compute(nodes, panel, threads=threads, out=out, done=done)


def check_panel(node: Node, panel: Panel) -> None:
    """Raises SignalError where `evaluate` would, and computes nothing."""
    rows, symbols = panel.shape
    if rows == 0 or symbols == 0:
        raise SignalError(f"the panel has {rows} rows and {symbols} symbols; a signal needs at least one of each")
    try:
        _check_tree(node, panel, lambda message, column: SignalError(message))
    except SignalError:
        text = format_signal(node)
        try:
            located = parse(text, units=False)
        except SignalError:  # a tree that code made, larger than a text may be
            located = None
        if located is not None:
            _check_tree(located, panel, lambda message, column: SignalError(message, text, column))
        raise


def _check_tree(node: Node, panel: Panel, fail: Callable[[str, int], SignalError]) -> None:
    rows, symbols = panel.shape
    check_fields(node, panel.fields, fail)
    before = warmups(node)
    for part in distinct(node):
        if before[id(part)] >= rows:
            raise fail(
                f"the look-back of {before[id(part)] + 1} bars is longer than the data, {rows} bars; shorten the "
                "window or take a longer period",
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


@dataclass(frozen=True)
class Cut:
    """How the work is cut: blocks of `rows`, tiles of `columns`, spread over `threads`. It cannot change a bit."""

    rows: int
    columns: int
    threads: int

    @classmethod
    def fitting(cls, layout: Layout, shape: tuple[int, int], threads: int | None = None) -> Cut:
        """Tiles that fit the cache, whole rows that fit `_ROWS_BYTES`, threads only where the work is worth them."""
        length, N = shape
        if length * N * len(layout.plan.steps) < _SMALL_CELLS:
            most = 1
        else:
            most = max(1, min(_threads() if threads is None else threads, N // _LEAST_COLUMNS))
        least, widest = _TILE_COLUMNS  # wide, because results are written row by row, unless blocks must be long
        tiles = -(-N // max(least, min(widest, _TILE_CELLS // (1 + layout.longest))))
        tiles += -tiles % most  # as many for each thread
        columns = -(-N // tiles)
        rows = _TILE_CELLS // columns
        if layout.row_slot:
            rows = min(rows, _ROWS_BYTES // (8 * N * (1 + max(layout.row_slot.values()))))
        return cls(rows=max(1, min(length, max(rows, layout.longest))), columns=columns, threads=most)

    def tiles(self, symbols: int) -> list[tuple[int, int]]:
        """`(first column, columns)` of each tile."""
        return [(c, min(self.columns, symbols - c)) for c in range(0, symbols, self.columns)]

    def blocks(self, rows: int) -> list[tuple[int, int]]:
        """`(first row, rows)` of each block."""
        return [(t, min(self.rows, rows - t)) for t in range(0, rows, self.rows)]


def _threads() -> int:
    given = os.environ.get(THREADS, "")
    if given:
        if not given.isdecimal() or int(given) < 1:
            raise SignalError(f"{THREADS} is {given!r}; set it to a whole number from 1 on, or leave it out")
        return int(given)
    return _processors()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute(
    nodes: Sequence[Node],
    panel: Panel,
    *,
    threads: int | None = None,
    cut: Cut | None = None,
    out: FloatArray | None = None,
    done: Callable[[int], None] = lambda rows: None,
) -> list[FloatArray]:
    """The values without the checks of `evaluate`: too short a panel gives NaN."""
    layout = lay_out(share_parts(make_plan(nodes)))
    plan = layout.plan
    first = {o: plan.outputs.index(o) for o in plan.outputs}
    values = {o: empty(panel.shape) if out is None else out[k] for o, k in first.items()}
    if panel.shape[0] and panel.shape[1]:
        compile_missing(plan, _processors())
        cut = cut or Cut.fitting(layout, panel.shape, threads)
        each_once = len(first) == len(plan.outputs)
        _Run(layout, panel, values, cut, done if each_once else lambda rows: None).all()
    if out is not None:
        for k in (k for k, o in enumerate(plan.outputs) if first[o] != k):
            out[k] = values[plan.outputs[k]]
    done(panel.shape[0])
    return [read_only(values[o]) for o in plan.outputs]


class _Run:
    """One evaluation: its buffers and its threads."""

    def __init__(
        self,
        layout: Layout,
        panel: Panel,
        values: dict[int, FloatArray],
        cut: Cut,
        done: Callable[[int], None],
    ) -> None:
        length, N = panel.shape
        names = {s.field for s in layout.plan.steps if isinstance(s, Load)}
        self._layout, self._cut, self._values, self._done = layout, cut, values, done
        self._tiles, self._blocks = cut.tiles(N), cut.blocks(length)
        self._data = Fetched(
            fields={f: finite_field(panel[f]) for f in names if f not in CALENDAR_FIELDS},
            calendar={f: calendar_values(f, panel.ts) for f in names if f in CALENDAR_FIELDS},
            rows=[np.empty((cut.rows, N)) for _ in range(1 + max(layout.row_slot.values(), default=-1))],
            outputs=values,
        )

    def all(self) -> None:
        """Fill the values."""
        with _workers(self._cut.threads) as each:
            hands = [self._tiles[w :: self._cut.threads] for w in range(self._cut.threads)]
            if not any(self._layout.crosses):
                each(self._columns, hands)
                return
            held = [[self._made(buffers, *t) for t in hand] for hand in hands for buffers in (self._buffers(),)]
            for row, rows in self._blocks:
                for phase in range(len(self._layout.columns)):
                    each(functools.partial(_run_tiles, phase, row, rows), held)
                    each(functools.partial(self._across, phase, row), self._parts(rows))
                for tile in (tile for tiles in held for tile in tiles):
                    tile.advance(rows)
                self._done(row + rows)

    def _buffers(self) -> list[FloatArray]:
        slots = 1 + max(self._layout.slot.values(), default=-1)
        return [np.zeros((self._cut.rows, self._cut.columns)) for _ in range(slots)]

    def _made(self, buffers: Sequence[FloatArray], column: int, symbols: int) -> Tile:
        tile = Tile(self._layout, self._data, self._cut.rows, self._cut.columns, buffers)
        tile.aim(column, symbols)
        return tile

    def _columns(self, tiles: Sequence[tuple[int, int]]) -> None:
        """No row is needed whole: one tile after the other, from the first row to the last, in the same buffers."""
        if tiles:
            tile = self._made(self._buffers(), *tiles[0])
            for column, symbols in tiles:
                tile.aim(column, symbols)
                for row, rows in self._blocks:
                    tile.run(0, row, rows)
                    tile.advance(rows)
                    if len(self._tiles) == 1:
                        self._done(row + rows)

    def _parts(self, rows: int) -> list[tuple[int, int]]:
        """The rows of a block, `(begin, end)`, one part for each thread."""
        bounds = [rows * w // self._cut.threads for w in range(self._cut.threads + 1)]
        return [(a, b) for a, b in itertools.pairwise(bounds) if a < b]

    def _across(self, phase: int, row: int, part: tuple[int, int]) -> None:
        """The cross-section steps after a phase, on some rows of the block that starts at `row`."""
        from modules.signal.kernels.elementwise import settle

        begin, end = part
        for i in self._layout.crosses[phase]:
            step = self._layout.plan.steps[i]
            assert isinstance(step, Apply)
            inputs = [read_only(self._whole(source, begin, end)) for source in step.inputs]
            out = self._whole(i, begin, end)
            kernel_of(step.operator)(*inputs, *step.numbers, out)
            if i in self._values:
                settle(read_only(out), np.array([row + begin, 0]), self._values[i])

    def _whole(self, i: int, begin: int, end: int) -> FloatArray:
        return self._data.rows[self._layout.row_slot[i]][begin:end]


def _run_tiles(phase: int, row: int, rows: int, tiles: Sequence[Tile]) -> None:
    for tile in tiles:
        tile.run(phase, row, rows)


class Each(Protocol):
    """Calls a function on each item, and returns when all are done."""

    def __call__(self, function: Callable[[T], None], items: Sequence[T]) -> None: ...


@contextmanager
def _workers(threads: int) -> Iterator[Each]:
    """Calls a function on each item, at once on several threads, and waits for all. Kernels let go of Python's lock."""
    if threads == 1:

        def each(function: Callable[[T], None], items: Sequence[T]) -> None:
            for item in items:
                function(item)

        yield each
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads, thread_name_prefix="signal") as pool:

        def at_once(function: Callable[[T], None], items: Sequence[T]) -> None:
            for done in [pool.submit(function, item) for item in items]:
                done.result()

        yield at_once
