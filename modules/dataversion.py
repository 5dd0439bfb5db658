"""What a registered data set is: its version, the digest of its content, and the error that says why none is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from modules.canonical import digest_table
from modules.contract import TIME

Scalar = str | int | float | bool | None
IngestName = Literal["sample", "files", "facts"]
Kind = Literal["bars", "facts"]
Overlap = Literal["refuse", "seal", "expose"]
"""What to do with rows that another set keeps in its lockbox: refuse the registration, seal from the first of them on,
or let them lie open, which is recorded."""

MISSING_TEXT = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "-", ".")
"""Texts that mean "no value" in a number's column."""

_PROVENANCE = ("source_file", "source_row")


class DataError(ValueError):
    """Data that cannot be taken. `message` says what and where; `remedy` what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n{remedy}" if "\n" in message else f"{message}; {remedy}")


class DataVersion(BaseModel):
    """One immutable version of a data set. Times are ns UTC; a period's end is exclusive.

    mining = [first_ns, mining_end_ns), judging = [mining_end_ns, lockbox_start_ns),
    lockbox = [lockbox_start_ns, last_ns]. `rows` and `symbols` count accepted bars and symbols over
    the whole set; `refused` counts rows by rule. `sealed_sum` is the SHA-256 of the lockbox's file; `exposes` maps the
    names of other sets to how many symbol-days of their lockboxes lie open in this one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    digest: str
    ingest: IngestName
    ingest_settings: dict[str, Scalar]
    rows: int
    symbols: int
    start: str
    end: str
    refused: dict[str, int]
    mining_end_ns: int
    lockbox_start_ns: int
    first_ns: int
    last_ns: int
    parent: str | None = None
    content_digest: str
    open_digest: str
    sealed_sum: str | None = None
    exposes: dict[str, int] = {}

    @property
    def kind(self) -> Kind:
        """What its rows are. Facts are normalised when they are registered, so no ingest module reads them."""
        return "facts" if self.ingest == "facts" else "bars"


@dataclass(frozen=True)
class Registration:
    """What `DataStore.register` takes.

    `raw` has `source_file`, `source_row`, `source_event_time` (Datetime ns UTC; null = unreadable)
    beside the columns as they came. `parent` is the version this one adds a vintage to; `content` the
    digest of the raw content, worked out where it is not given. `cells` (columns as `modules.marks.CELLS`) tells what
    the rows are about, so that they are known again in another set; `overlap` what to do where they are.
    """

    name: str
    raw: pl.DataFrame
    ingest: IngestName
    ingest_settings: Mapping[str, Scalar]
    time_column: str
    rows: int
    symbols: int
    refused: Mapping[str, int] = field(default_factory=dict)
    parent: DataVersion | None = None
    content: str = ""
    cells: pl.DataFrame | None = None
    overlap: Overlap = "refuse"

    def __post_init__(self) -> None:
        _check_raw(self)
        if not self.content:
            object.__setattr__(self, "content", content_digest(self.raw, self.time_column))


def content_digest(raw: pl.DataFrame, time_column: str) -> str:
    """Digest of raw content, independent of file format, file names and row order.

    Numbers (also numbers written as text) are float64, missing values are null, the time column is
    its nanoseconds (its text only where it cannot be read); columns by name, rows sorted.
    """
    columns: list[pl.Expr] = []
    for name in sorted(set(raw.columns) - set(_PROVENANCE)):
        column = raw.get_column(name)
        if name == time_column:
            unreadable = pl.when(pl.col("source_event_time").is_null()).then(pl.col(name).cast(pl.String))
            columns.append(unreadable.otherwise(None).alias(f"unreadable {name}"))
        elif column.dtype.is_numeric():
            columns.append(pl.col(name).cast(pl.Float64).fill_nan(None))
        elif column.dtype == pl.String:
            text = column.str.strip_chars()
            text = text.set(text.is_in(MISSING_TEXT).fill_null(False), None)
            number = text.cast(pl.Float64, strict=False)
            plain = number.null_count() == text.null_count()
            columns.append(pl.lit(number.fill_nan(None) if plain else text).alias(name))
        else:
            columns.append(pl.col(name))
    table = raw.select(columns)
    # Time and texts (the symbol) tell most rows apart; only where they do not, every column has to.
    schema = table.schema
    short = ["source_event_time", *(c for c, dtype in schema.items() if dtype == pl.String)]
    unique = table.select(short).is_unique().all()
    order = short if unique else [*short, *(c for c in schema if c not in set(short))]
    return digest_table(table.sort(order, nulls_last=True))


def _check_raw(item: Registration) -> None:
    for column in (*_PROVENANCE, "source_event_time"):
        if column not in item.raw.columns:
            raise ValueError(f"raw of {item.name} lacks column {column}; registration needs provenance and event time")
    if item.raw.schema["source_event_time"] != TIME:
        raise ValueError(
            f"source_event_time of {item.name} is {item.raw.schema['source_event_time']}; cast it to {TIME}"
        )
    if item.rows == 0 or item.symbols == 0:
        raise DataError(
            f"data set {item.name} has {item.rows} usable rows and {item.symbols} symbols",
            f"give a file with {'facts' if item.ingest == 'facts' else 'bars'} in it",
        )
