"""One row of the operator table: everything there is to know of an operator but its arithmetic.

The arithmetic is the kernel that the row names. Rows import no numba, so reading and printing stay fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from modules.signal.units import UnitRule

MAX_WINDOW = 5_000
LARGEST = 1e15


class Kind(StrEnum):
    """How the drivers call the kernel."""

    ELEMENTWISE = "elementwise"
    WINDOW = "time series"
    STATE = "stateful"
    CROSS = "cross-section"


class Slot(StrEnum):
    """What a number means: a window reaches back in time and counts towards the warm-up; the others do not."""

    WINDOW = "bars"
    INTEGER = "whole number"
    NUMBER = "number"


@dataclass(frozen=True)
class Parameter:
    """A number that an operator takes: `low <= value <= high`; a default may be left out of the text."""

    name: str
    slot: Slot
    low: float
    high: float
    default: float | None = None


def window(name: str = "window", *, at_least: int = 1, default: int | None = None) -> Parameter:
    """A look-back in bars."""
    return Parameter(name, Slot.WINDOW, at_least, MAX_WINDOW, default)


def integer(name: str, low: int, high: int, default: int | None = None) -> Parameter:
    """A whole number that is no look-back."""
    return Parameter(name, Slot.INTEGER, low, high, default)


def number(name: str, low: float, high: float, default: float | None = None) -> Parameter:
    """Any number in a range."""
    return Parameter(name, Slot.NUMBER, low, high, default)


NAN_ANY_INPUT = "NaN where an input is NaN or the result is not finite"
NAN_IN_WINDOW = "NaN where any value in the window is NaN or the result is not finite"
NAN_STAYS = "NaN stays NaN and is left out of the row's statistics"


@dataclass(frozen=True)
class Operator:
    """`kernel` is `file.function` below `modules.signal.kernels`.

    Kernels are called with the inputs, then the numbers, in the order of this row, then
    ELEMENTWISE, CROSS `out`; WINDOW `first, out` (row i of out is row first + i of the inputs);
    STATE `state, out` (`state` is `[memory, N]`, zero at the start, updated in place).

    `reach` says how windows follow one another: a group of names counts as the longest of them, and groups add up. Left
    out, every window counts once; `sqrt(name)` counts the whole part of its root. `state_window` names a number that
    makes a STATE remember as many rows more. Numbers named in `ascending` must not descend, as a fast span before a
    slow one.
    Of the inputs the last `optional` may be left out; the kernel is called with those that are written.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    formula: str
    kernel: str
    units: UnitRule
    parameters: tuple[Parameter, ...] = ()
    nan: str = NAN_ANY_INPUT
    source: str = "elementary"
    extra_rows: int = 0
    reach: tuple[tuple[str, ...], ...] = ()
    state_rows: int = 0
    state_window: str = ""
    ascending: tuple[str, ...] = ()
    optional: int = 0
    symbol: str | None = None
    commutative: bool = False
    associative: bool = False

    def __post_init__(self) -> None:
        if self.optional and (self.parameters or self.optional >= len(self.inputs)):
            raise ValueError(f"{self.name}: optional inputs come last, after one that is not; a number cannot follow")

    def rows(self, numbers: Sequence[float]) -> int:
        """Rows of input, the newest included, that one row of output reads (1 for all but WINDOW)."""
        return self._reach(numbers) if self.kind is Kind.WINDOW else 1

    def warmup(self, numbers: Sequence[float]) -> int:
        """Rows at the start of history that cannot have a value."""
        return self._reach(numbers) - 1 if self.kind in (Kind.WINDOW, Kind.STATE) else 0

    def memory(self, numbers: Sequence[float]) -> int:
        """Rows of state that a STATE keeps."""
        return self.state_rows + (int(self._named(numbers)[self.state_window]) if self.state_window else 0)

    @property
    def stretches(self) -> tuple[tuple[str, ...], ...]:
        """`reach`, written out where the row leaves it out."""
        return self.reach or tuple((p.name,) for p in self.parameters if p.slot is Slot.WINDOW)

    def _reach(self, numbers: Sequence[float]) -> int:
        named = self._named(numbers)
        named |= {f"sqrt({name})": math.isqrt(int(value)) for name, value in named.items() if value >= 0}
        return sum(max(int(named[name]) for name in stretch) for stretch in self.stretches) + self.extra_rows

    def _named(self, numbers: Sequence[float]) -> dict[str, float]:
        return dict(zip((p.name for p in self.parameters), numbers, strict=True))

    @property
    def required(self) -> tuple[str, ...]:
        """The inputs that must be written."""
        return self.inputs[: len(self.inputs) - self.optional]

    @property
    def signature(self) -> str:
        """As one writes it: `ts_corr(x, y, window)`, `x + y` for an infix operator, `f(x[, y])` where y is optional."""
        if self.symbol is not None and len(self.inputs) + len(self.parameters) == 2:
            return f" {self.symbol} ".join([*self.inputs, *(p.name for p in self.parameters)])
        if self.symbol is not None:
            return f"{self.symbol}{' ' if self.symbol.isalpha() else ''}{self.inputs[0]}"
        numbers = [p.name if p.default is None else f"{p.name}={p.default:g}" for p in self.parameters]
        rest = "".join(f"[, {name}" for name in self.inputs[len(self.required) :])
        return f"{self.name}({', '.join([*self.required, *numbers])}{rest}{']' * self.optional})"
