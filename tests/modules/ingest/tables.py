"""Small tables that the tests of data read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from modules.contract import TIME
from modules.panel import ns

SCHEMA = {
    "symbol": pl.String,
    "event_time": TIME,
    "available_at": TIME,
    **dict.fromkeys(("open", "high", "low", "close", "adj_close", "volume"), pl.Float64),
}


def records(rows: Sequence[tuple[str, str, str, float]]) -> pl.DataFrame:
    """Records from (symbol, event_time, available_at, close)."""
    columns = {
        "symbol": [r[0] for r in rows],
        "event_time": pl.Series([ns(r[1]) for r in rows], dtype=pl.Int64).cast(TIME),
        "available_at": pl.Series([ns(r[2]) for r in rows], dtype=pl.Int64).cast(TIME),
        "close": [r[3] for r in rows],
    }
    table = pl.DataFrame(columns)
    absent = [pl.lit(None, pl.Float64).alias(n) for n in SCHEMA if n not in table.columns]
    return table.with_columns(absent).select(list(SCHEMA)).cast(SCHEMA)  # type: ignore[arg-type]


def days(count: int, start: str = "2020-01-01") -> list[str]:
    """Consecutive ISO dates."""
    first = date.fromisoformat(start)
    return [(first + timedelta(days=i)).isoformat() for i in range(count)]


def long_csv(count: int = 20, changes: dict[int, str] | None = None, more: Sequence[str] = ()) -> str:
    """A long CSV of one symbol; `changes` replaces the close of rows, `more` adds lines."""
    lines = [f"{day},A,{(changes or {}).get(i, str(10 + i))}" for i, day in enumerate(days(count))]
    return "\n".join(["date,symbol,close", *lines, *more]) + "\n"


def write(folder: Path, text: str | bytes, name: str = "prices.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
