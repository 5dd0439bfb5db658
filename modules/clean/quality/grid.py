"""Records to `[T, N]` arrays, and back to the cells that a rule touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modules.contract import TIME
from modules.panel import FloatArray, IntArray

PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "adj_close", "volume")
ACTIONS = ("split", "dividend", "delisting", "member")

Mask = NDArray[np.bool_]
Action = Literal["flagged", "repaired", "dropped"]

QUALITY_DTYPES: dict[str, pl.DataType] = {
    "rule": pl.String(),
    "symbol": pl.String(),
    "event_time": TIME,
    "field": pl.String(),
    "value": pl.Float64(),
    "action": pl.Enum(["flagged", "repaired", "dropped"]),
    "detail": pl.String(),
}


@dataclass
class Grid:
    """Delivered values, NaN = not delivered. `fields` are `[T, N]`; rules write into them in turn. `actions`: corporate
    actions at the time they are stated for, of the kinds that the records carry."""

    ts: IntArray
    symbols: list[str]
    fields: dict[str, FloatArray]
    actions: dict[str, FloatArray] = field(default_factory=dict)


def to_grid(records: pl.DataFrame) -> tuple[Grid, pl.DataFrame]:
    """The grid, and the records left out because a later version of the same bar is there too."""
    table = records.sort("symbol", "event_time", "available_at")
    later = (pl.col("symbol") == pl.col("symbol").shift(-1)) & (pl.col("event_time") == pl.col("event_time").shift(-1))
    later = later.fill_null(False)
    superseded = table.filter(later)
    if superseded.height:
        table = table.filter(~later)
    ts = np.sort(table.get_column("event_time").unique().to_physical().to_numpy())
    symbols = table.get_column("symbol").unique().sort().to_list()
    rows = np.searchsorted(ts, table.get_column("event_time").to_physical().to_numpy())
    columns = table.get_column("symbol").cast(pl.Enum(symbols)).to_physical().to_numpy().astype(np.int64)
    fields = {}
    for name in (*FIELDS, *(a for a in ACTIONS if a in table.columns)):
        values = np.full((ts.size, len(symbols)), np.nan)
        values[rows, columns] = table.get_column(name).fill_null(np.nan).to_numpy()
        fields[name] = values
    return Grid(ts, symbols, fields, {a: fields.pop(a) for a in ACTIONS if a in fields}), superseded


@dataclass(frozen=True)
class Sequence:
    """Bars with a close, symbol after symbol, oldest first. `first` marks each symbol's first bar."""

    rows: IntArray
    columns: IntArray
    first: Mask


def sequence(close: FloatArray) -> Sequence:
    """The bars of `close` `[T, N]` that are there, in symbol-major order."""
    columns, rows = np.nonzero(~np.isnan(close.T))
    first = np.ones(rows.size, dtype=np.bool_)
    first[1:] = columns[1:] != columns[:-1]
    return Sequence(rows, columns, first)


def cells(
    rule: str, grid: Grid, mask: Mask, field: str, action: Action, detail: str, values: FloatArray | None = None
) -> pl.DataFrame:
    """Quality rows for the cells of `mask` `[T, N]`."""
    rows, columns = np.nonzero(mask)
    return listed(rule, grid, rows, columns, field, action, detail, None if values is None else values[rows, columns])


def listed(
    rule: str,
    grid: Grid,
    rows: IntArray,
    columns: IntArray,
    field: str,
    action: Action,
    detail: str | pl.Series,
    values: FloatArray | None,
) -> pl.DataFrame:
    """Quality rows for cells given by index."""
    n = rows.size
    names = pl.Series(grid.symbols, dtype=pl.String)
    return pl.DataFrame(
        {
            "rule": pl.repeat(rule, n, eager=True),
            "symbol": names.gather(columns),
            "event_time": pl.Series(grid.ts[rows]).cast(TIME),
            "field": pl.repeat(field, n, eager=True),
            "value": pl.Series(values, dtype=pl.Float64).fill_nan(None)
            if values is not None
            else pl.repeat(None, n, dtype=pl.Float64, eager=True),
            "action": pl.repeat(action, n, eager=True).cast(QUALITY_DTYPES["action"]),
            "detail": pl.repeat(detail, n, eager=True) if isinstance(detail, str) else detail,
        },
        schema=QUALITY_DTYPES,
    )
