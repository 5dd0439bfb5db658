"""The panel: `[T, N]` float64 fields on one time axis and one symbol axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


class PanelError(ValueError):
    """A panel that breaks its own shape: the message names the field, the value and the remedy."""


def _frozen(array: NDArray[np.generic]) -> None:
    array.setflags(write=False)


def read_only(array: NDArray[Number]) -> NDArray[Number]:
    """A view that nobody can write to, nor a kernel be compiled to."""
    view = array.view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, eq=False)
class Panel:
    """Immutable `[T, N]` float64 arrays, time down, symbols across, C order; NaN = missing.

    `ts` is int64 nanoseconds UTC, strictly increasing; `symbols` are unique. Arrays are made
    read-only, so a module that tries to write its input fails instead of changing a neighbour's.
    """

    ts: IntArray
    symbols: tuple[str, ...]
    fields: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        ts = np.ascontiguousarray(self.ts, dtype=np.int64)
        if ts.ndim != 1:
            raise PanelError(f"ts has {ts.ndim} dimensions; give a one-dimensional int64 array of ns UTC")
        late = np.flatnonzero(np.diff(ts) <= 0)
        if late.size:
            raise PanelError(
                f"ts is not strictly increasing at row {int(late[0]) + 1} ({iso(int(ts[late[0] + 1]))}); "
                "sort the rows and drop duplicates"
            )
        symbols = tuple(self.symbols)
        if len(set(symbols)) != len(symbols):
            twice = sorted({s for s in symbols if symbols.count(s) > 1})
            raise PanelError(f"symbols repeat: {', '.join(twice[:5])}; each symbol may stand once")
        fields: dict[str, FloatArray] = {}
        for name, values in self.fields.items():
            array = np.ascontiguousarray(values, dtype=np.float64)
            if array.shape != (ts.size, len(symbols)):
                raise PanelError(f"field {name} has shape {array.shape}; expected ({ts.size}, {len(symbols)}) = (T, N)")
            if array.flags.writeable:
                array = array.copy() if array is values else array
                _frozen(array)
            fields[name] = array
        if ts.flags.writeable:
            ts = ts.copy() if ts is self.ts else ts
            _frozen(ts)
        object.__setattr__(self, "ts", ts)
        object.__setattr__(self, "symbols", symbols)
        object.__setattr__(self, "fields", MappingProxyType(fields))

    @property
    def shape(self) -> tuple[int, int]:
        """`(T, N)`."""
        return self.ts.size, len(self.symbols)

    def __getitem__(self, field: str) -> FloatArray:
        try:
            return self.fields[field]
        except KeyError:
            raise PanelError(f"field {field} is not in this panel; it has {', '.join(sorted(self.fields))}") from None

    def __contains__(self, field: str) -> bool:
        return field in self.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def rows(self, start: int, stop: int) -> Panel:
        """Rows `start <= i < stop`."""
        return Panel(self.ts[start:stop], self.symbols, {k: v[start:stop] for k, v in self.fields.items()})

    def between(self, start_ns: int, end_ns: int) -> Panel:
        """Rows with `start_ns <= ts <= end_ns`."""
        lo = int(np.searchsorted(self.ts, start_ns, side="left"))
        hi = int(np.searchsorted(self.ts, end_ns, side="right"))
        return self.rows(lo, hi)

    def with_fields(self, **fields: FloatArray) -> Panel:
        """The same axes with fields added or replaced."""
        return Panel(self.ts, self.symbols, {**self.fields, **fields})


def iso(ts_ns: int) -> str:
    """Nanoseconds UTC as `2013-02-08` (midnight) or `2013-02-08T14:30:00Z`."""
    moment = datetime.fromtimestamp(ts_ns // 1_000_000_000, tz=UTC)
    if ts_ns % 86_400_000_000_000 == 0:
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ns(text: str) -> int:
    """ISO date or date-time (UTC where no offset stands) to nanoseconds UTC.

    Raises ValueError naming the text where it is no ISO date.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an ISO date; write it like 2013-02-08") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000
