"""What feature modules share whose signal is written in Python, because the language cannot express it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modules.contract import Context, Violation
from modules.feature.contract import Outputs
from modules.feature.evaluation import MINIMUM_COVERAGE
from modules.panel import FloatArray, Panel
from modules.signal.measure import coverage, tells_apart

Compute = Callable[[Panel], FloatArray]
"""`[T, N]` from a panel; row t reads rows up to t, NaN = no opinion."""

CUTS = 3


def run_coded(compute: Compute, panel: Panel, context: Context) -> Outputs:
    """The values on every bar, warm-up included. Raises ValueError where they do not stand on the panel."""
    values = np.asarray(compute(panel), dtype=np.float64)
    if values.shape != panel.shape:
        raise ValueError(f"the signal has shape {values.shape}, the panel {panel.shape}: one value a bar and symbol")
    values = np.where(np.isfinite(values), values, np.nan)
    first = max(warmup_rows(values), int(np.searchsorted(panel.ts, context.start_ns)))
    metrics = {
        "coverage": coverage(values, panel["close"], first),
        "warmup_bars": float(warmup_rows(values)),
    }
    return Outputs(signal=Panel(panel.ts, panel.symbols, {"signal": values}), metrics=metrics)


def accept_coded(compute: Compute, panel: Panel, signal: Panel) -> list[Violation]:
    """Every rule that the signal breaks: it is there, it tells symbols apart, and it does not read the future."""
    if signal.symbols != panel.symbols or not np.array_equal(signal.ts, panel.ts):
        return [Violation("signal", "must stand on the rows and symbols of the bars", signal.shape[0])]
    values, found = signal["signal"], []
    share = coverage(values, panel["close"], warmup_rows(values))
    if share < MINIMUM_COVERAGE:
        rule = f"has a value in {share:.1%} of the cells after its warm-up, at least {MINIMUM_COVERAGE:.0%} are needed"
        found.append(Violation("signal", rule, int(np.count_nonzero(np.isnan(values)))))
    if len(panel.symbols) > 1 and not np.any(tells_apart(values) == 1.0):
        rule = "is the same for all symbols in every row; nothing can be chosen by it"
        found.append(Violation("signal", rule, panel.shape[0]))
    return found + _ahead(compute, panel, values)


def warmup_rows(values: FloatArray) -> int:
    """Rows before the first that has any value; all of them where none has."""
    rows = np.flatnonzero(np.any(~np.isnan(values), axis=1))
    return int(rows[0]) if rows.size else values.shape[0]


def _ahead(compute: Compute, panel: Panel, values: FloatArray) -> list[Violation]:
    """Computed on fewer rows, the rows that are left must have the same bits."""
    for cut in np.linspace(0.5, 0.95, CUTS):
        rows = int(panel.shape[0] * cut)
        if rows < 2:
            continue
        other = np.asarray(compute(panel.rows(0, rows)), dtype=np.float64)
        other = np.where(np.isfinite(other), other, np.nan)
        if other.shape != (rows, panel.shape[1]) or not np.array_equal(other, values[:rows], equal_nan=True):
            rule = f"reads the future: it changes when the rows after {rows} are taken away"
            return [Violation("signal", rule, 1)]
    return []
