"""The operator table. `operators()` lists it, `find` looks one up, `registered` adds one for a while."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

from modules.signal.operators import (
    arithmetic,
    averages,
    bands,
    crosssection,
    groups,
    information,
    missing,
    oscillators,
    timeseries,
    trend,
    volatility,
    volumeflow,
)
from modules.signal.operators.row import LARGEST, MAX_WINDOW, Kind, Operator, Parameter, Slot

__all__ = [
    "LARGEST", "MAX_WINDOW", "Kernel", "Kind", "Operator", "Parameter", "Slot", "find", "kernel_of", "operators",
    "registered",
]  # fmt: skip

Kernel = Callable[..., None]

_TABLES = (
    arithmetic, timeseries, averages, information, missing, crosssection, groups, oscillators, trend, bands,
    volatility, volumeflow,
)  # fmt: skip
_TABLE: dict[str, Operator] = {row.name: row for table in _TABLES for row in table.ROWS}
_EXTRA_KERNELS: dict[str, Kernel] = {}


def operators() -> tuple[Operator, ...]:
    """Every operator, in the order of the documentation."""
    return tuple(_TABLE.values())


def find(name: str) -> Operator | None:
    """The row of an operator, by the name it has in a tree (`add` for `+`)."""
    return _TABLE.get(name)


def kernel_of(operator: Operator) -> Kernel:
    """The kernel that the row names, compiled when first called. The first use imports numba."""
    if operator.name in _EXTRA_KERNELS:
        return _EXTRA_KERNELS[operator.name]
    file, function = operator.kernel.split(".")
    return cast("Kernel", getattr(_kernel_files()[file], function))


@functools.cache
def _kernel_files() -> dict[str, ModuleType]:
    """Import statements, not names made up at run time: a module's code digest follows them to the kernels."""
    from modules.signal.kernels import (
        averages,
        bands,
        codependence,
        convergence,
        cross,
        dispersion,
        elementwise,
        groups,
        information,
        lags,
        missing,
        moments,
        order,
        oscillators,
        projection,
        regression,
        rolling,
        shapes,
        stateful,
        summary,
        trend,
        volatility,
        volumeflow,
    )

    files = (
        averages, bands, codependence, convergence, cross, dispersion, elementwise, groups, information, lags, missing,
        moments, order, oscillators, projection, regression, rolling, shapes, stateful, summary, trend, volatility,
        volumeflow,
    )  # fmt: skip
    return {f.__name__.rpartition(".")[2]: f for f in files}


@contextmanager
def registered(operator: Operator, kernel: Kernel) -> Iterator[None]:
    """Add an operator with its kernel for the length of a `with`: how a new kernel is tried and proven."""
    if operator.name in _TABLE:
        raise ValueError(f"operator {operator.name} exists; choose a name that is free")
    _TABLE[operator.name] = operator
    _EXTRA_KERNELS[operator.name] = kernel
    try:
        yield
    finally:
        del _TABLE[operator.name], _EXTRA_KERNELS[operator.name]
