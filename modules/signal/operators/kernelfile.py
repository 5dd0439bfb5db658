"""Rows of operators whose kernels bear their names and stand together in one file."""

from __future__ import annotations

from dataclasses import dataclass

from modules.signal.operators.row import NAN_IN_WINDOW, Kind, Operator, Parameter
from modules.signal.units import UnitRule

NAN_BAR = "NaN where an input is NaN, which leaves the memory as it was, and during the warm-up"


@dataclass(frozen=True)
class KernelFile:
    """A file below `modules.signal.kernels`; each row names the kernel in it that is called like the operator."""

    name: str

    def window(
        self,
        name: str,
        inputs: tuple[str, ...],
        formula: str,
        units: UnitRule,
        source: str,
        *parameters: Parameter,
        extra_rows: int = 0,
        reach: tuple[tuple[str, ...], ...] = (),
        ascending: tuple[str, ...] = (),
    ) -> Operator:
        """A pure function of its windows."""
        return Operator(
            name, Kind.WINDOW, inputs, formula, f"{self.name}.{name}", units, parameters,
            nan=NAN_IN_WINDOW, source=source, extra_rows=extra_rows, reach=reach, ascending=ascending,
        )  # fmt: skip

    def state(
        self,
        name: str,
        inputs: tuple[str, ...],
        formula: str,
        units: UnitRule,
        source: str,
        *parameters: Parameter,
        state_rows: int,
        state_window: str = "",
        extra_rows: int = 0,
        reach: tuple[tuple[str, ...], ...] = (),
        ascending: tuple[str, ...] = (),
    ) -> Operator:
        """A recursion, which remembers `state_rows` rows."""
        return Operator(
            name, Kind.STATE, inputs, formula, f"{self.name}.{name}", units, parameters, nan=NAN_BAR, source=source,
            extra_rows=extra_rows, reach=reach, ascending=ascending, state_rows=state_rows, state_window=state_window,
        )  # fmt: skip
