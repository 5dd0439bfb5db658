"""The only door to records: what was known at a moment, and nothing that came later."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from modules.contract import TIME
from modules.panel import iso

BAR = ("symbol", "event_time")
"""What makes two records statements of the same bar."""
FACT = ("symbol", "concept", "event_time", "quarters", "unit")
"""What makes two facts statements of the same figure."""


def known_by(records: pl.DataFrame, t_ns: int, of: Sequence[str] = BAR) -> pl.DataFrame:
    """Every statement made up to `t_ns` (nanoseconds UTC, inclusive), earlier versions included.

    Sorted by `of`, then available_at. Raises ValueError where a key column is missing, has another type than
    Datetime(ns, UTC), or where two rows share all keys and available_at, because then "last" has no meaning.
    """
    for name in (*of, "available_at"):
        if name not in records.columns:
            raise ValueError(f"records lack column {name}; give a table that holds to its schema")
    for name in ("event_time", "available_at"):
        if records.schema[name] != TIME:
            raise ValueError(f"column {name} has type {records.schema[name]}; cast it to {TIME}")
    known = records.filter(pl.col("available_at") <= pl.lit(t_ns).cast(TIME)).sort(*of, "available_at")
    tied = known.filter(_same_as_next(of) & (pl.col("available_at") == pl.col("available_at").shift(-1)))
    if tied.height:
        first = tied.row(0, named=True)
        when = iso(tied.get_column("event_time").to_physical()[0])
        which = " ".join(str(first[name]) for name in of if name != "event_time")
        raise ValueError(
            f"{tied.height} records share {', '.join(of)} and available_at (first: {which} {when}); "
            "a restatement needs a later available_at"
        )
    return known


def as_of(records: pl.DataFrame, t_ns: int, of: Sequence[str] = BAR) -> pl.DataFrame:
    """The records as they stood at `t_ns` (nanoseconds UTC, inclusive).

    Keeps rows with `available_at <= t_ns`; of several versions of one bar (`of=FACT`: of one figure) the one that
    became available last. Sorted by `of`. Raises ValueError where `known_by` does.
    """
    return known_by(records, t_ns, of).filter(~_same_as_next(of).fill_null(False))


def _same_as_next(of: Sequence[str]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in of)
