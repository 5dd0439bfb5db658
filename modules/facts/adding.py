"""Registering a set of facts: read, map to symbols, refuse, cut, write. Nothing is written unless all of it holds.

Facts are stored as they are used: what a reader made of the files is what the digest names, so that a later reader
gives a new version and old runs still replay. The cut into mining, judging and lockbox is made by `available_at`: what
counts is when a figure was filed, not which year it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from modules.calendars import UNKNOWN
from modules.datastore import BUNDLED, DataError, DataStore, DataVersion, Registration
from modules.dataversion import Overlap
from modules.facts.reading import Statements, read_statements
from modules.facts.rules import Judged, judge
from modules.ingest.guessing import instrument_facts
from modules.ingest.instruments import Instrument
from modules.ingest.reading import read_raw


class FactOptions(BaseModel):
    """What the user says of files of facts. `symbols`: a table with the columns cik and symbol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: Path | None = None
    timezone: str | None = None
    venue: str | None = None
    instruments: Path | None = None
    max_refused_share: float = Field(0.2, ge=0.0, le=1.0)
    overlap: Overlap = "refuse"


@dataclass(frozen=True)
class FactsAdded:
    """A registered version; refused rows by rule and the first of each; what was left out; facts per concept."""

    version: DataVersion
    refused: Mapping[str, int]
    first_refused: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, int]
    concepts: Mapping[str, int]
    notes: tuple[str, ...]


def add_facts(store: DataStore, name: str, paths: Sequence[Path], options: FactOptions | None = None) -> FactsAdded:
    """Register files of facts as data set `name`; a set that has the name gets a new version.

    Raises DataError, and leaves the store as it was, where anything does not hold.
    """
    options = options or FactOptions()
    if name in BUNDLED:
        raise DataError(f"{name} is the name of a bundled set", "choose another name")
    if store.has(name) and store.current(name).kind != "facts":
        raise DataError(f"{name} is a set of bars", "give the facts a name of their own")
    statements = read_statements(sorted(paths, key=lambda p: (p.name, str(p))), options.timezone)
    table, unmapped = _with_symbols(statements, options)
    judged = judge(_canonical_symbols(table, options))
    _refuse_if_too_many(judged, options.max_refused_share, ", ".join(p.name for p in paths[:3]))
    version = store.register(_registration(name, judged, options.overlap))
    left_out = dict(statements.left_out) | ({"companies without a symbol": unmapped} if unmapped else {})
    per_concept = judged.facts.group_by("concept").len().sort("concept")
    return FactsAdded(
        version,
        judged.refused,
        judged.first_rows(version.lockbox_start_ns),
        left_out,
        {str(c): int(n) for c, n in per_concept.iter_rows()},
        statements.notes,
    )


def _registration(name: str, judged: Judged, overlap: Overlap) -> Registration:
    facts = judged.facts
    return Registration(
        name=name,
        raw=facts.with_columns(pl.col("available_at").alias("source_event_time")),
        ingest="facts",
        ingest_settings={},
        time_column="available_at",
        rows=facts.height,
        symbols=facts.get_column("symbol").n_unique(),
        refused=judged.refused,
        cells=_cells(facts),
        overlap=overlap,
    )


def _cells(facts: pl.DataFrame) -> pl.DataFrame:
    """A statement is known again by its concept, length of period and symbol on the day it was filed."""
    what = pl.concat_str("concept", "quarters", "symbol", separator="|")
    return facts.select(
        what.alias("symbol"), pl.col("available_at").alias("event_time"), pl.lit(None, pl.Float64).alias("value")
    )


def _with_symbols(statements: Statements, options: FactOptions) -> tuple[pl.DataFrame, int]:
    """Statements with a symbol each, once for every symbol of a company; and how many were of companies without."""
    table = statements.table
    if options.symbols is None:
        nameless = table.get_column("symbol").is_null() & table.get_column("cik").is_not_null()
        if nameless.any():
            raise DataError(
                "these files name companies by CIK", "give a CSV or Parquet file with cik and symbol as --symbols FILE"
            )
        return table, 0
    mapping = read_symbols(options.symbols)
    own = table.filter(pl.col("cik").is_null() | (pl.col("symbol").fill_null("") != ""))
    by_cik = table.filter(pl.col("cik").is_not_null() & (pl.col("symbol").fill_null("") == ""))
    known = by_cik.drop("symbol").join(mapping, on="cik", how="inner").select(table.columns)
    unmapped = by_cik.join(mapping, on="cik", how="anti").height
    if known.is_empty() and own.is_empty():
        raise DataError(
            f"none of {by_cik.get_column('cik').n_unique()} companies has a symbol in {options.symbols.name}",
            "check its column cik: whole numbers, like 320193",
        )
    return pl.concat([own, known]), unmapped


def read_symbols(path: Path) -> pl.DataFrame:
    """`cik` (Int64) and `symbol` of a mapping file; a company may have several symbols, a symbol one company."""
    table = read_raw(path)
    found: dict[str, str] = {}
    for column in table.columns:
        found.setdefault(column.strip().lower(), column)
    symbol = next((found[c] for c in ("symbol", "ticker") if c in found), None)
    if symbol is None or "cik" not in found:
        raise DataError(
            f"{path} has columns {', '.join(table.columns[:12])}", "give a column cik and a column symbol (or ticker)"
        )
    mapping = table.select(
        pl.col(found["cik"]).cast(pl.String).str.strip_chars().cast(pl.Int64, strict=False).alias("cik"),
        pl.col(symbol).cast(pl.String).str.strip_chars().alias("symbol"),
    ).filter(pl.col("cik").is_not_null() & (pl.col("symbol").fill_null("") != ""))
    mapping = mapping.unique().sort("cik", "symbol")
    twice = mapping.filter(pl.col("symbol").is_duplicated()).get_column("symbol").unique().sort().to_list()
    if twice:
        raise DataError(
            f"{path} gives {len(twice)} symbols to several companies (first: {twice[0]})", "keep one company a symbol"
        )
    if mapping.is_empty():
        raise DataError(f"{path} has no row with a whole number as cik and a symbol", "check its columns")
    return mapping


def _canonical_symbols(table: pl.DataFrame, options: FactOptions) -> pl.DataFrame:
    """Symbols as bars have them: with their venue, where the user names one."""
    known = {i.symbol: i for i in instrument_facts(options.instruments)}
    if not known and options.venue is None:
        return table
    default = Instrument(symbol="?", venue=options.venue or UNKNOWN)
    names = {
        s: known.get(s, default.model_copy(update={"symbol": s})).canonical
        for s in table.get_column("symbol").drop_nulls().unique().to_list()
        if s
    }
    return table.with_columns(pl.col("symbol").replace(names))


def _refuse_if_too_many(judged: Judged, limit_share: float, what: str) -> None:
    if judged.facts.height and judged.refused_share <= limit_share:
        return
    first = judged.first_rows()
    lines = [f"{rule}: {n} rows (first: {'; '.join(first[rule])})" for rule, n in judged.refused.items()]
    broken = "\n  - ".join(["", *lines]) if lines else " they hold no figure that a concept uses"
    head = (
        f"{what}: {judged.refused_share:.1%} of {judged.tried} rows break a rule, allowed are {limit_share:.1%}"
        if judged.facts.height
        else f"{what}: no usable rows of {judged.tried}"
    )
    raise DataError(f"{head}:{broken}", "correct the file, or give --max-refused-share where the rest is good")
