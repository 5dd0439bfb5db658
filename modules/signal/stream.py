"""The streaming driver: one row at a time, with the same kernels on the newest window."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from modules.panel import FloatArray, iso
from modules.signal.batch import finite_field, frozen, settled
from modules.signal.calendar import CALENDAR_FIELDS, calendar_values
from modules.signal.canonical import fields_of, signal_digest
from modules.signal.errors import SignalError
from modules.signal.nodes import Node
from modules.signal.operators import Kind, kernel_of
from modules.signal.plan import Apply, Constant, Load, Step, make_plan
from modules.signal.printer import format_signal


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
    """All that a stream knows, as plain data (JSON by `model_dump_json`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    signal: str
    digest: str
    symbols: tuple[str, ...]
    rows: int
    last_ts_ns: int | None
    history: dict[int, Block]
    state: dict[int, Block]


class _History:
    """The last `need` rows of one step, contiguous and in order of time."""

    def __init__(self, need: int, columns: int) -> None:
        self.need = need
        self._rows = np.empty((2 * need, columns))
        self._end = 0

    def push(self, row: FloatArray) -> None:
        if self._end == self._rows.shape[0]:
            keep = self.need - 1
            self._rows[:keep] = self._rows[self._end - keep :]
            self._end = keep
        self._rows[self._end] = row[0]
        self._end += 1

    def newest(self, rows: int) -> FloatArray:
        """Read-only view of the newest rows, oldest first; fewer where there are fewer."""
        return frozen(self._rows[max(0, self._end - rows) : self._end])


class Stream:
    """A signal fed bar by bar: `push` returns the bits that `evaluate` has in that row."""

    def __init__(self, node: Node, symbols: Sequence[str]) -> None:
        self._node = node
        self._symbols = tuple(symbols)
        self._plan = make_plan([node])
        self._fields = fields_of(node)
        self._count = 0
        self._last_ts_ns: int | None = None
        self._history: dict[int, _History] = {}
        self._state: dict[int, FloatArray] = {}
        columns = len(self._symbols)
        needs: dict[int, int] = {}
        for i, step in enumerate(self._plan.steps):
            if isinstance(step, Apply) and step.operator.kind is Kind.WINDOW:
                for source in step.inputs:
                    needs[source] = max(needs.get(source, 1), step.rows)
            elif isinstance(step, Apply) and step.operator.kind is Kind.STATE:
                self._state[i] = np.zeros((step.operator.memory(step.numbers), columns))
        for source, need in needs.items():
            self._history[source] = _History(need, columns)

    def push(self, ts_ns: int, row: Mapping[str, FloatArray]) -> FloatArray:
        """Take the bar at `ts_ns` (one `[N]` array per field) and return the signal's `[N]` values for it.

        Group fields come with each bar like prices: `modules.groups.groups_at` has those in force.
        Raises SignalError, and takes nothing, for a bar that is not newer than the last, a missing field or a
        wrong length.
        """
        fields = self._checked(ts_ns, row)
        values: list[FloatArray] = []
        for i, step in enumerate(self._plan.steps):
            value = self._run(i, step, values, ts_ns, fields)
            values.append(value)
            if i in self._history:
                self._history[i].push(value)
        self._count += 1
        self._last_ts_ns = ts_ns
        return settled(values[self._plan.outputs[0]]).reshape(-1)

    def checkpoint(self) -> Checkpoint:
        """The state after the last bar."""
        return Checkpoint(
            signal=format_signal(self._node),
            digest=signal_digest(self._node),
            symbols=self._symbols,
            rows=self._count,
            last_ts_ns=self._last_ts_ns,
            history={i: Block.of(h.newest(h.need)) for i, h in self._history.items()},
            state={i: Block.of(s) for i, s in self._state.items()},
        )

    @classmethod
    def restore(cls, node: Node, checkpoint: Checkpoint) -> Stream:
        """A stream that continues where the checkpoint was taken. Raises SignalError where it is of another signal."""
        stream = cls(node, checkpoint.symbols)
        if signal_digest(node) != checkpoint.digest:
            raise SignalError(
                f"the checkpoint is of {checkpoint.signal}, not of {format_signal(node)}; start a new stream"
            )
        if set(checkpoint.history) != set(stream._history) or set(checkpoint.state) != set(stream._state):
            raise SignalError("the checkpoint lacks history or state of some step; start a new stream")
        columns = len(stream._symbols)
        for i, block in checkpoint.history.items():
            for row in block.array(columns):
                stream._history[i].push(row[np.newaxis])
        for i, block in checkpoint.state.items():
            stream._state[i] = block.array(columns)
        stream._count = checkpoint.rows
        stream._last_ts_ns = checkpoint.last_ts_ns
        return stream

    def _checked(self, ts_ns: int, row: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        if self._last_ts_ns is not None and ts_ns <= self._last_ts_ns:
            raise SignalError(
                f"bar {iso(ts_ns)} is not newer than the last bar, {iso(self._last_ts_ns)}; push bars in order of time"
            )
        fields = {}
        for name in sorted(self._fields):
            if name not in row:
                raise SignalError(f"the bar lacks field {name}; it has {', '.join(sorted(row))}")
            values = np.array(row[name], dtype=np.float64)
            if values.shape != (len(self._symbols),):
                expected = (len(self._symbols),)
                raise SignalError(f"field {name} has shape {values.shape}; expected {expected}, a value a symbol")
            fields[name] = values[np.newaxis]
        return fields

    def _run(
        self, i: int, step: Step, values: list[FloatArray], ts_ns: int, fields: Mapping[str, FloatArray]
    ) -> FloatArray:
        shape = (1, len(self._symbols))
        match step:
            case Load():
                if step.field in CALENDAR_FIELDS:
                    return frozen(np.full(shape, calendar_values(step.field, np.array([ts_ns]))[0]))
                return finite_field(fields[step.field])
            case Constant():
                return frozen(np.full(shape, step.value))
            case Apply():
                return frozen(self._apply(i, step, values, shape))

    def _apply(self, i: int, step: Apply, values: list[FloatArray], shape: tuple[int, int]) -> FloatArray:
        kernel = kernel_of(step.operator)
        out = np.empty(shape)
        if step.operator.kind is Kind.WINDOW:
            windows = [self._history[source].newest(step.rows) for source in step.inputs]
            if windows[0].shape[0] < step.rows:
                out[:] = np.nan
            else:
                kernel(*windows, *step.numbers, step.rows - 1, out)
        elif step.operator.kind is Kind.STATE:
            kernel(*(values[source] for source in step.inputs), *step.numbers, self._state[i], out)
        else:
            kernel(*(values[source] for source in step.inputs), *step.numbers, out)
        return out
