"""The streaming driver: one row at a time, with the same kernels on the newest window."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from modules.canonical import digest_json
from modules.panel import FloatArray, iso, read_only
from modules.signal.calendar import CALENDAR_FIELDS, calendar_values
from modules.signal.canonical import fields_of, signal_digest
from modules.signal.errors import SignalError
from modules.signal.layout import histories
from modules.signal.nodes import Node
from modules.signal.operators import Kernel, Kind, kernel_of
from modules.signal.plan import Apply, Constant, Load, Part, make_plan
from modules.signal.printer import format_signal
from modules.signal.sharing import part_kernel, share_parts
from modules.signal.tiles import finite_field

_ORIGIN = np.zeros(2, dtype=np.int64)


class Block(BaseModel):
    """A `[rows, N]` array as text: little-endian float64, base64."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rows: int
    data: str

    @classmethod
    def of(cls, values: FloatArray) -> Block:
        """Exactly these bits."""
        return cls(rows=values.shape[0], data=base64.b64encode(values.astype("<f8").tobytes()).decode())

    def array(self, columns: int) -> FloatArray:
        """The same bits again. Raises SignalError where the text has another length."""
        raw = base64.b64decode(self.data, validate=True)
        if len(raw) != 8 * self.rows * columns:
            raise SignalError(f"a block of {len(raw)} bytes, not {self.rows} rows of {columns} symbols; it is damaged")
        return np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(self.rows, columns)


class Checkpoint(BaseModel):
    """All that a stream knows, as plain data (JSON by `model_dump_json`).

    `signal` is the text of the signal, or of several, joined by `; `; `history` and `state` are by step of the plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    signal: str
    digest: str
    symbols: tuple[str, ...]
    rows: int
    last_ts_ns: int | None
    history: dict[int, Block]
    state: dict[int, Block]


class _History:
    """The last `need` rows of one step, contiguous and in order of time, and read-only views of its newest rows."""

    def __init__(self, need: int, columns: int) -> None:
        self.need = need
        self._rows = np.empty((2 * need, columns))
        self._end = 0
        self._views: dict[int, FloatArray] = {}

    def push(self, row: FloatArray) -> None:
        """Add a row, `[1, N]`."""
        if self._end == self._rows.shape[0]:
            keep = self.need - 1
            self._rows[:keep] = self._rows[self._end - keep :]
            self._end = keep
        self._rows[self._end] = row[0]
        self._end += 1
        self._views.clear()

    def newest(self, rows: int) -> FloatArray:
        """Read-only view of the newest rows, oldest first; fewer where there are fewer."""
        view = self._views.get(rows)
        if view is None:
            view = self._views[rows] = read_only(self._rows[max(0, self._end - rows) : self._end])
        return view


class _Windows:
    """A kernel on the newest windows of some steps, and on the newest rows of others."""

    def __init__(self, kernel: Kernel, rows: int, histories: Sequence[_History], rest: Sequence[object]) -> None:
        self._kernel, self._rows, self._histories, self._rest = kernel, rows, histories, rest

    def __call__(self) -> None:
        self._kernel(*[h.newest(self._rows) for h in self._histories], *self._rest)


_Bound = tuple[int, Callable[[], object], Sequence[tuple[_History, FloatArray]], FloatArray]


class Streams:
    """Several signals fed bar by bar: `push` returns, for each, the bits that `evaluate` has in that row.

    What the signals have in common is computed once.
    """

    def __init__(self, nodes: Sequence[Node], symbols: Sequence[str]) -> None:
        self._nodes = tuple(nodes)
        self._symbols = tuple(symbols)
        self._plan = share_parts(make_plan(self._nodes))
        self._fields = sorted(frozenset[str]().union(*(fields_of(n) for n in self._nodes)))
        self._count = 0
        self._last_ts_ns: int | None = None
        columns, steps = len(self._symbols), self._plan.steps
        self._values = np.zeros((len(steps), columns))  # the newest row of each step
        self._newest = [read_only(self._values[i : i + 1]) for i in range(len(steps))]
        self._outputs = np.array(self._plan.outputs, dtype=np.int64)
        self._history = {i: _History(need + 1, columns) for i, need in histories(steps).items()}
        self._state = {
            i: np.zeros((step.operator.memory(step.numbers), columns))
            for i, step in enumerate(steps)
            if isinstance(step, Apply) and step.operator.kind is Kind.STATE
        }
        self._calls = [self._call(i, s) for i, s in enumerate(steps) if isinstance(s, Apply | Part)]
        for i, step in enumerate(steps):
            if isinstance(step, Constant):
                self._values[i] = step.value
        self._fetched = [(i, s.field) for i, s in enumerate(steps) if isinstance(s, Load)]
        self._constant = [i for i, s in enumerate(steps) if isinstance(s, Constant) and i in self._history]

    def push(self, ts_ns: int, row: Mapping[str, FloatArray]) -> FloatArray:
        """Take the bar at `ts_ns` (one `[N]` array per field) and return the signals' values for it, `[signals, N]`.

        Group fields come with each bar like prices: `modules.groups.groups_at` has those in force.
        Raises SignalError, and takes nothing, for a bar that is not newer than the last, a missing field or a
        wrong length.
        """
        from modules.signal.kernels.elementwise import settle

        fields = self._checked(ts_ns, row)
        for i, name in self._fetched:
            value = self._values[i]
            value[:] = calendar_values(name, np.array([ts_ns]))[0] if name in CALENDAR_FIELDS else fields[name]
            if i in self._history:
                self._history[i].push(self._newest[i])
        for i in self._constant:
            self._history[i].push(self._newest[i])
        seen = self._count + 1
        for rows, call, kept, out in self._calls:
            if seen < rows:
                out.fill(np.nan)
            else:
                call()
            for history, newest in kept:
                history.push(newest)
        self._count = seen
        self._last_ts_ns = ts_ns
        values = self._values[self._outputs]
        out = np.empty_like(values)
        settle(read_only(values), _ORIGIN, out)
        return read_only(out)

    def _call(self, i: int, step: Apply | Part) -> _Bound:
        """The bars that a step needs, its kernel bound to its buffers, the histories it feeds, and its rows."""
        kernel = part_kernel(step.kernel) if isinstance(step, Part) else kernel_of(step.operator)
        count = 2 if isinstance(step, Part) and step.twin else 1
        outs = [self._values[j : j + 1] for j in range(i, i + count)]
        back = [self._history[source] for source in step.looks_back]
        beside = [self._newest[source] for source in step.reads[len(back) :]]
        state = [self._state[i]] if i in self._state else []
        first = [step.rows - 1] if back or isinstance(step, Part) else []
        rest = (*beside, *step.numbers, *state, *first, *outs)
        call: Callable[[], object] = (
            _Windows(kernel, step.rows, back, rest) if back else functools.partial(kernel, *rest)
        )
        kept = [(self._history[j], self._newest[j]) for j in range(i, i + count) if j in self._history]
        return step.rows, call, kept, self._values[i : i + count]

    def checkpoint(self) -> Checkpoint:
        """The state after the last bar."""
        return Checkpoint(
            signal=self._text(),
            digest=self._digest(),
            symbols=self._symbols,
            rows=self._count,
            last_ts_ns=self._last_ts_ns,
            history={i: Block.of(h.newest(h.need)) for i, h in self._history.items()},
            state={i: Block.of(s) for i, s in self._state.items()},
        )

    @classmethod
    def restore(cls, nodes: Sequence[Node], checkpoint: Checkpoint) -> Streams:
        """Streams that continue where the checkpoint was taken. Raises SignalError where it is of other signals."""
        streams = cls(nodes, checkpoint.symbols)
        streams._resume(checkpoint)
        return streams

    def _resume(self, checkpoint: Checkpoint) -> None:
        if self._digest() != checkpoint.digest:
            raise SignalError(f"the checkpoint is of {checkpoint.signal}, not of {self._text()}; start a new stream")
        if set(checkpoint.history) != set(self._history) or set(checkpoint.state) != set(self._state):
            raise SignalError("the checkpoint lacks history or state of some step; start a new stream")
        columns = len(self._symbols)
        for i, block in checkpoint.history.items():
            if block.rows != min(checkpoint.rows, self._history[i].need):
                raise SignalError(f"the checkpoint holds {block.rows} rows of some step; start a new stream")
            for row in block.array(columns):
                self._history[i].push(row[np.newaxis])
        for i, block in checkpoint.state.items():
            self._state[i][:] = block.array(columns)
        self._count = checkpoint.rows
        self._last_ts_ns = checkpoint.last_ts_ns

    def _text(self) -> str:
        return "; ".join(format_signal(n) for n in self._nodes)

    def _digest(self) -> str:
        digests = [signal_digest(n) for n in self._nodes]
        return digests[0] if len(digests) == 1 else digest_json({"signals": digests})

    def _checked(self, ts_ns: int, row: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        if self._last_ts_ns is not None and ts_ns <= self._last_ts_ns:
            raise SignalError(
                f"bar {iso(ts_ns)} is not newer than the last bar, {iso(self._last_ts_ns)}; push bars in order of time"
            )
        fields = {}
        for name in self._fields:
            if name not in row:
                raise SignalError(f"the bar lacks field {name}; it has {', '.join(sorted(row))}")
            values = np.asarray(row[name], dtype=np.float64)
            if values.shape != (len(self._symbols),):
                expected = (len(self._symbols),)
                raise SignalError(f"field {name} has shape {values.shape}; expected {expected}, a value a symbol")
            fields[name] = finite_field(values)
        return fields


class Stream:
    """A signal fed bar by bar: `push` returns the bits that `evaluate` has in that row."""

    def __init__(self, node: Node, symbols: Sequence[str]) -> None:
        self._streams = Streams([node], symbols)

    def push(self, ts_ns: int, row: Mapping[str, FloatArray]) -> FloatArray:
        """As `Streams.push`, for the one signal: `[N]` values."""
        (values,) = self._streams.push(ts_ns, row)
        return read_only(values)

    def checkpoint(self) -> Checkpoint:
        """The state after the last bar."""
        return self._streams.checkpoint()

    @classmethod
    def restore(cls, node: Node, checkpoint: Checkpoint) -> Stream:
        """A stream that continues where the checkpoint was taken. Raises SignalError where it is of another signal."""
        stream = cls.__new__(cls)
        stream._streams = Streams.restore([node], checkpoint)
        return stream
