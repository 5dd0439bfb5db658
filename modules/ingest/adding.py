"""Adding files to the store: read, guess, show, refuse, register. Nothing is written unless all of it holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from modules.contract import TIME
from modules.datastore import BUNDLED, DataError, DataStore, DataVersion, Registration
from modules.ingest.actions import already_adjusted, read_actions
from modules.ingest.files.settings import Settings
from modules.ingest.guessing import FILE_SYMBOL, AddOptions, ColumnGuess, guess_columns
from modules.ingest.layout import DAY_S
from modules.ingest.normalise import Normalised, first_outside, normalise, refuse_if_too_many
from modules.ingest.reading import read_raw
from modules.ingest.vintages import KNOWN_AT
from modules.panel import iso, ns

__all__ = ["AddOptions", "AddResult", "ColumnGuess", "add_files", "read_all"]

_VINTAGE = re.compile(r"vintage[-_ ]?(\d{4}-\d{2}-\d{2})", re.IGNORECASE)


@dataclass(frozen=True)
class AddResult:
    """A registered version; refused rows by rule, and the first of each, without values of the lockbox."""

    version: DataVersion
    guess: ColumnGuess
    refused: Mapping[str, int]
    first_refused: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def add_files(store: DataStore, name: str, paths: Sequence[Path], options: AddOptions | None = None) -> AddResult:
    """Register files as data set `name`; a set that has the name gets a new version.

    With a vintage date (`known_at`, or `vintage_2018-02-09` in the file's name) and an existing set, the files add a
    vintage: what they change is a restatement, known from that date on. Raises DataError, and leaves the store as
    it was, where anything does not hold.
    """
    options = options or AddOptions()
    if name in BUNDLED:
        raise DataError(f"{name} is the name of a bundled set", "choose another name")
    if store.has(name) and store.current(name).kind != "bars":
        raise DataError(f"{name} is a set of {store.current(name).kind}", "give the bars a name of their own")
    raw = read_all(paths, options)
    guess, raw = guess_columns(raw, options)
    raw = _with_actions(raw, options)
    result = normalise(raw, guess.settings)
    if guess.settings.split_column and already_adjusted(result.records):
        guess = _without_splits(guess, options)
        result = normalise(raw, guess.settings)
    what = ", ".join(p.name for p in paths[:3])
    refuse_if_too_many(result, options.max_refused_share, what)
    notes = (*guess.notes, *result.notes)
    item = dataclasses.replace(_registration(name, raw, guess.settings, result), overlap=options.overlap)
    version = store.holding(item)
    if version is None:
        version = store.register(_with_parent(store, item, result))
    if version.parent is not None:
        notes += (f"added as a vintage to {version.parent}",)
    first = first_outside(result, raw, guess.settings, version.lockbox_start_ns)
    return AddResult(version, guess, result.refused, first, notes)


def _with_actions(raw: pl.DataFrame, options: AddOptions) -> pl.DataFrame:
    """The raw table with the rows of the file of actions below it."""
    if options.actions is None:
        return raw
    if KNOWN_AT in raw.columns:
        raise DataError(
            "a file of actions and a vintage were given together",
            "add the vintage with its actions in columns of the price file (split, dividend), or leave out the date",
        )
    return pl.concat([raw, read_actions(options.actions)], how="diagonal")


def _without_splits(guess: ColumnGuess, options: AddOptions) -> ColumnGuess:
    """The guess without its split column, where the closes are adjusted for splits already."""
    column = guess.settings.split_column
    if options.split_column is not None:
        raise DataError(
            f"the close does not move with the ratios in {column}: it is adjusted for splits already",
            "leave the column out with --split-column none, or name a close as traded",
        )
    return guess.model_copy(
        update={
            "settings": guess.settings.model_copy(update={"split_column": ""}),
            "unused": (*guess.unused, column),
            "notes": (*guess.notes, f"the close is adjusted for splits already: {column} is not used"),
        }
    )


def read_all(paths: Sequence[Path], options: AddOptions) -> pl.DataFrame:
    """All files in one raw table. They must have the same columns; files named by vintage carry their date."""
    if not paths:
        raise DataError("no file was named", "name at least one CSV or Parquet file")
    names = [Path(p).name for p in paths]
    if len(set(names)) < len(names):
        raise DataError(f"two files have the same name among {', '.join(names)}", "rename one of them")
    tables = []
    for path in sorted((Path(p) for p in paths), key=lambda p: p.name):
        table = read_raw(path)
        known = options.known_at or (m.group(1) if (m := _VINTAGE.search(path.name)) else None)
        if known is not None:
            table = table.with_columns(_moment(known).alias(KNOWN_AT))
        table = table.with_columns(pl.lit(options.symbol or _stem(path)).alias(FILE_SYMBOL))
        tables.append(table)
    for other, table in zip(sorted(names)[1:], tables[1:], strict=True):
        differ = sorted(set(table.columns) ^ set(tables[0].columns))
        if differ:
            raise DataError(
                f"{other} and {sorted(names)[0]} differ in columns {', '.join(differ)[:200]}",
                "add files of one layout together, others under a name of their own",
            )
    return pl.concat([t.select(tables[0].columns) for t in tables], how="vertical_relaxed")


def _registration(name: str, raw: pl.DataFrame, settings: Settings, result: Normalised) -> Registration:
    return Registration(
        name=name,
        raw=raw.with_columns(result.row_times.alias("source_event_time")),
        ingest="files",
        ingest_settings=settings.stored(),
        time_column=settings.time_column,
        rows=result.records.get_column("close").count(),  # a day with an action alone is no bar
        symbols=result.records.get_column("symbol").n_unique(),
        refused=result.refused,
        cells=result.records.select("symbol", "event_time", pl.coalesce("adj_close", "close").alias("value")),
    )


def _with_parent(store: DataStore, item: Registration, result: Normalised) -> Registration:
    """The registration as a vintage of the set that has the name, where a download date is given and one exists."""
    if KNOWN_AT not in item.raw.columns or not store.has(item.name):
        return item
    parent = store.current(item.name)
    own = {k: v for k, v in item.ingest_settings.items() if k != "base_known_at"}
    theirs = {k: v for k, v in parent.ingest_settings.items() if k != "base_known_at"}
    differ = sorted(k for k in {*own, *theirs} if own.get(k) != theirs.get(k))
    if parent.ingest != "files" or differ:
        raise DataError(
            f"{item.name} {parent.version} is read with other {', '.join(differ)} than this vintage",
            "give the vintage the layout of the first, or register it under a name of its own",
        )
    before = store.raw(parent)
    newest = _physical(before, "max") if KNOWN_AT in before.columns else None
    mine = _physical(item.raw, "min")
    if newest is not None and mine is not None and mine <= newest:
        raise DataError(
            f"this vintage was downloaded at {iso(mine)}, not after the one in {parent.version} ({iso(newest)})",
            "add vintages in the order of their dates",
        )
    base = str(parent.ingest_settings.get("base_known_at") or "")
    if not base and newest is None:
        base = iso(parent.last_ns + max(int(item.ingest_settings["interval_s"] or 0), DAY_S) * 1_000_000_000)
    seen = before.get_column(str(own["symbol_column"])).unique() if own["layout"] == "long" else None
    symbols = item.symbols
    if seen is not None:
        symbols = len(set(seen.drop_nulls().to_list()) | set(result.records.get_column("symbol").unique().to_list()))
    return dataclasses.replace(
        item,
        ingest_settings={**item.ingest_settings, "base_known_at": base},
        rows=parent.rows + item.rows,
        symbols=symbols,
        parent=parent,
    )


def _physical(raw: pl.DataFrame, which: Literal["min", "max"]) -> int | None:
    stamps = raw.get_column(KNOWN_AT).drop_nulls().to_physical()
    value = stamps.min() if which == "min" else stamps.max()
    return value if isinstance(value, int) else None


def _moment(text: str) -> pl.Expr:
    try:
        return pl.lit(ns(text)).cast(TIME)
    except ValueError as error:
        raise DataError(f"known_at {text!r} is not an ISO date", "write it like 2018-02-09") from error


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]
