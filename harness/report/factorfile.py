"""A user's factor file: a column of times and columns of returns a bar, as fractions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from harness.report.study.factors import Factors
from modules.panel import FloatArray, IntArray, iso

TIMES: Final = ("event_time", "date", "time", "timestamp")
MOST_FACTORS: Final = 20
LONGEST_NAME: Final = 40
MOST_ROWS: Final = 2_000_000
MOST_BYTES: Final = 256 * 1024 * 1024
LARGEST_SPREAD: Final = 0.25
"""Deviation a bar above which a column is taken to be in percent, or to be no return at all."""
PACE: Final = 0.8
"""Share of the run's bars, within the time of the file, that must have a row."""


class FactorError(ValueError):
    """A factor file that cannot be used; `remedy` says what would help."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, eq=False)
class GivenFactors:
    """`returns` `[R, K]`, NaN where a cell is empty; `ts` strictly increasing."""

    path: str
    names: tuple[str, ...]
    ts: IntArray
    returns: FloatArray

    def on(self, ts: IntArray) -> Factors:
        """The factors on the bars of a run, matched by time. Raises FactorError where no bar is in the file."""
        place = np.searchsorted(self.ts, ts)
        found = (place < self.ts.size) & (self.ts[np.minimum(place, self.ts.size - 1)] == ts)
        within = (ts >= self.ts[0]) & (ts <= self.ts[-1])
        if found.any() and found.sum() < PACE * within.sum():
            raise FactorError(
                f"{self.path} has a row for {int(found.sum()):,} of the run's {int(within.sum()):,} bars in its time",
                "give returns at the pace of the run's bars: a month's return is no day's",
            )
        if not found.any():
            raise FactorError(
                f"{self.path}: none of its {_span(self.ts)} is at one of the run's {_span(ts)}",
                "times are matched exactly, as UTC: daily bars stand at midnight of their day",
            )
        out = np.full((ts.size, len(self.names)), np.nan)
        out[found] = self.returns[place[found]]
        return Factors(self.names, (Path(self.path).name,) * len(self.names), out)


def _span(ts: IntArray) -> str:
    return f"{ts.size:,} rows from {iso(int(ts[0]))} to {iso(int(ts[-1]))}"


def read_factors(path: Path) -> GivenFactors:
    """A CSV or Parquet file. Raises FactorError naming the column, the value and the rule."""
    table = _table(path)
    times = next((c for c in table.columns if c.strip().lower() in TIMES), None)
    if times is None:
        raise FactorError(
            f"{path} has no column of times; it has {', '.join(table.columns[:8])}", f"name one {' or '.join(TIMES)}"
        )
    names = [c for c in table.columns if c != times]
    if not 1 <= len(names) <= MOST_FACTORS:
        raise FactorError(f"{path} has {len(names)} factor columns", f"give 1 to {MOST_FACTORS}")
    long = next((c for c in names if len(c) > LONGEST_NAME), None)
    if long is not None:
        raise FactorError(f"{path}: a factor's name has {len(long)} letters", f"give at most {LONGEST_NAME}")
    stamps = _times(path, times, table.get_column(times))
    columns = [_returns(path, name, table.get_column(name)) for name in names]
    order = np.argsort(stamps, kind="stable")
    ts = stamps[order]
    twice = np.flatnonzero(np.diff(ts) == 0)
    if twice.size:
        raise FactorError(f"{path}: {times} {iso(int(ts[twice[0]]))} stands twice", "keep one row a bar")
    return GivenFactors(str(path), tuple(names), ts, np.column_stack(columns)[order])


def _table(path: Path) -> pl.DataFrame:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FactorError(f"{path} cannot be read: {error.strerror}", "give a CSV or Parquet file") from error
    if size > MOST_BYTES:
        raise FactorError(f"{path} has {size:,} bytes", f"give at most {MOST_BYTES:,}")
    try:
        table = (
            pl.read_parquet(path, glob=False)
            if path.suffix == ".parquet"
            else pl.read_csv(path, infer_schema_length=10_000, truncate_ragged_lines=False, glob=False)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0][:200]
        raise FactorError(f"{path} is no table: {first}", "give a CSV with a header, or a Parquet file") from error
    if not 1 <= table.height <= MOST_ROWS:
        raise FactorError(f"{path} has {table.height:,} rows", f"give 1 to {MOST_ROWS:,}")
    return table


def _times(path: Path, name: str, column: pl.Series) -> IntArray:
    made = column
    if made.dtype == pl.String:
        made = made.str.strip_chars()
        dates = made.str.to_date("%Y-%m-%d", strict=False)
        made = dates if not dates.null_count() else made.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False)
    elif made.dtype.is_integer() and not made.null_count():  # 20240131, as published files write a day
        made = made.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    elif not made.dtype.is_temporal():
        raise FactorError(f"{path}: {name} is of type {made.dtype}", "write times like 2024-01-31")
    empty = made.is_null()
    if empty.any():
        k = int(empty.arg_max() or 0)
        raise FactorError(f"{path}: {name} of row {k + 1} is {column[k]!r}, no time", "write times like 2024-01-31")
    if isinstance(made.dtype, pl.Datetime) and made.dtype.time_zone not in (None, "UTC"):
        made = made.dt.convert_time_zone("UTC")
    return made.cast(pl.Datetime("ns")).to_physical().to_numpy().astype(np.int64)


def _returns(path: Path, name: str, column: pl.Series) -> FloatArray:
    if not column.dtype.is_numeric():
        k = next((k for k, v in enumerate(column.to_list()) if v is not None), 0)
        raise FactorError(
            f"{path}: column {name} of row {k + 1} is {str(column[k])[:40]!r}, no number",
            "give returns as fractions: 0.01 is 1 %",
        )
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    if bool(np.isinf(values).any()):
        raise FactorError(f"{path}: column {name} holds infinity", "leave the cell empty where a return is not known")
    known = values[np.isfinite(values)]
    if not known.size:
        raise FactorError(f"{path}: column {name} holds no number", "give returns as fractions: 0.01 is 1 %")
    spread = float(known.std())
    if spread > LARGEST_SPREAD:
        raise FactorError(
            f"{path}: column {name} has a deviation of {spread:.3g} a bar, more than {LARGEST_SPREAD}: no fractions",
            "divide percent by 100; give returns, not prices",
        )
    return values
