"""The door as a task goes through it: what was known at its end, of the symbols that it names."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from modules.bitemporal import FACT, as_of, known_by


def through_the_door(records: pl.DataFrame, end_ns: int, symbols: Collection[str] | None) -> pl.DataFrame:
    """The records that the stages after ingest may read; `symbols` None = all."""
    return _of(symbols, as_of(records, end_ns))


def facts_through_the_door(facts: pl.DataFrame, end_ns: int, symbols: Collection[str] | None) -> pl.DataFrame:
    """The facts that the stages after ingest may read: every statement made by then, superseded ones included, for
    an earlier bar must see what was said before."""
    return _of(symbols, known_by(facts, end_ns, FACT))


def _of(symbols: Collection[str] | None, view: pl.DataFrame) -> pl.DataFrame:
    return view if symbols is None else view.filter(pl.col("symbol").is_in(list(symbols)))
