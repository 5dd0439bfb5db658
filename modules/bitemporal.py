"""The only door to records: what was known at a moment, and nothing that came later."""

from __future__ import annotations

import polars as pl

from modules.contract import TIME
from modules.panel import iso

_KEYS = ("symbol", "event_time", "available_at")


def as_of(records: pl.DataFrame, t_ns: int) -> pl.DataFrame:
    """The records as they stood at `t_ns` (nanoseconds UTC, inclusive).

    Keeps rows with `available_at <= t_ns`; of several versions of one bar (same symbol and
    event_time) the one that became available last. Sorted by symbol, then event_time.
    Raises ValueError where a key column is missing, has another type than Datetime(ns, UTC), or
    where two rows share all three keys, because then "last" has no meaning.
    """
    for name in _KEYS:
        if name not in records.columns:
            raise ValueError(f"records lack column {name}; give a table that holds to RecordsSchema")
    for name in _KEYS[1:]:
        if records.schema[name] != TIME:
            raise ValueError(f"column {name} has type {records.schema[name]}; cast it to {TIME}")
    known = records.filter(pl.col("available_at") <= pl.lit(t_ns).cast(TIME)).sort(_KEYS)
    same_bar = (pl.col("symbol") == pl.col("symbol").shift(-1)) & (
        pl.col("event_time") == pl.col("event_time").shift(-1)
    )
    tied = known.filter(same_bar & (pl.col("available_at") == pl.col("available_at").shift(-1)))
    if tied.height:
        first = tied.row(0, named=True)
        when = iso(tied.get_column("event_time").to_physical()[0])
        raise ValueError(
            f"{tied.height} records share symbol, event_time and available_at (first: {first['symbol']} {when}); "
            "a restatement needs a later available_at"
        )
    return known.filter(~same_bar.fill_null(False))
