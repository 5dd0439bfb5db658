"""What a read gives: arrays, a panel, or a long table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.contract import TIME
from modules.panel import FloatArray, IntArray, Panel


@dataclass(frozen=True)
class Stored:
    """What was read: `[T, N]` values by feature, NaN where there is none, and when each could be known."""

    ts: IntArray
    symbols: tuple[str, ...]
    values: dict[str, FloatArray]
    available: dict[str, IntArray]

    def panel(self) -> Panel:
        """The values as a panel, a field a feature."""
        return Panel(self.ts, self.symbols, self.values)


def long_table(stored: Stored, as_of_ns: int | None = None) -> pl.DataFrame:
    """A row for each feature, bar and symbol, NaN as null; rows that were not known at `as_of_ns` are left out."""
    rows, columns = stored.ts.size, len(stored.symbols)
    parts = [
        pl.DataFrame(
            {
                "event_time": pl.Series(np.repeat(stored.ts, columns)).cast(TIME),
                "available_at": pl.Series(stored.available[name].ravel()).cast(TIME),
                "symbol": list(stored.symbols) * rows,
                "feature": pl.repeat(name, rows * columns, eager=True),
                "value": pl.Series(values.ravel()).fill_nan(None),
            }
        )
        for name, values in stored.values.items()
    ]
    table = pl.concat(parts)
    return table if as_of_ns is None else table.filter(pl.col("available_at") <= pl.lit(as_of_ns).cast(TIME))
