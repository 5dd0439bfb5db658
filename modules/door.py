"""The door as a task goes through it: what was known at its end, of the symbols that it names."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from modules.bitemporal import as_of


def through_the_door(records: pl.DataFrame, end_ns: int, symbols: Collection[str] | None) -> pl.DataFrame:
    """The records that the stages after ingest may read; `symbols` None = all."""
    view = as_of(records, end_ns)
    return view if symbols is None else view.filter(pl.col("symbol").is_in(list(symbols)))
