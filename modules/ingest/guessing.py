"""What the user says about files, and the guess of everything they leave open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modules.calendars import sessions
from modules.datastore import DataError, Scalar
from modules.dataversion import Overlap
from modules.ingest import clock, columns
from modules.ingest.files.settings import Settings
from modules.ingest.instruments import Instrument, to_text
from modules.ingest.layout import COLUMN_ACTIONS, VALUE_FIELDS
from modules.ingest.reading import read_raw
from modules.ingest.times import read_times

FILE_SYMBOL = "source_symbol"
"""Raw column that holds the file's name (or the `symbol` option) as symbol."""


NO_COLUMN = "none"
"""Says that a column of actions is not to be used."""


class AddOptions(BaseModel):
    """What the user says; None = guess. Column options name columns of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Literal["long", "wide"] | None = None
    time_column: str | None = None
    symbol_column: str | None = None
    open_column: str | None = None
    high_column: str | None = None
    low_column: str | None = None
    close_column: str | None = None
    adj_close_column: str | None = None
    volume_column: str | None = None
    split_column: str | None = None
    dividend_column: str | None = None
    member_column: str | None = None
    actions: Path | None = None
    symbol: str | None = None
    timezone: str | None = None
    date_order: Literal["iso", "mdy", "dmy"] | None = None
    calendar: str | None = None
    interval_s: int | None = None
    bar_stamp: Literal["open", "close"] = "open"
    venue: str | None = None
    currency: str = "USD"
    instruments: Path | None = None
    known_at: str | None = None
    max_refused_share: float = Field(0.2, ge=0.0, le=1.0)
    overlap: Overlap = "refuse"


class ColumnGuess(BaseModel):
    """The settings with which the files will be read, the columns left unused, and what else was assumed."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def shown(self) -> dict[str, Scalar]:
        """The settings that say something, for display."""
        quiet = ("", "UNKNOWN")
        return {k: v for k, v in self.settings.model_dump().items() if v not in quiet and k != "instruments"}


def guess_columns(raw: pl.DataFrame, options: AddOptions) -> tuple[ColumnGuess, pl.DataFrame]:
    """The guess, and the raw table without columns that only number rows (and, where the file names its symbols,
    without the file's name as symbol)."""
    notes: list[str] = []
    time_column = _named(raw, options.time_column) or columns.find_time(raw, clock.looks_like_time)
    names = [n for n in raw.columns if n != time_column and not n.startswith("source_")]
    counting = columns.index_columns(raw, names)
    raw = raw.drop(counting)
    names = [n for n in names if n not in counting]
    values = columns.find_values(names)
    for field in (*VALUE_FIELDS, *COLUMN_ACTIONS):
        said = getattr(options, f"{field}_column")
        if field in COLUMN_ACTIONS and said == NO_COLUMN:
            values.pop(field, None)
            continue
        column = _named(raw, said)
        if column is not None:
            values[field] = column
    if "close" not in values and "adj_close" in values:
        values["close"] = values.pop("adj_close")
        notes.append(f"no raw close: {values['close']} is taken as the close")
        unusable = [values.pop(f) for f in ("split", "dividend") if f in values]
        if unusable:
            notes.append(f"{', '.join(unusable)} not used: an adjusted close holds them already")
    layout = options.layout or ("long" if "close" in values else "wide")
    if layout == "wide":
        _check_wide(raw, names, values)
        values, symbol, used = {}, "", names
    else:
        if "close" not in values:
            raise DataError(f"no close among the columns {', '.join(names)[:300]}", "name it with close_column")
        rest = [n for n in names if n not in values.values()]
        symbol = _named(raw, options.symbol_column) or (
            "" if options.symbol else columns.find_symbol(raw, rest, time_column)
        )
        used = [*values.values(), symbol]
        if symbol == "":
            symbol = FILE_SYMBOL
            found = ", ".join(raw.get_column(FILE_SYMBOL).unique().sort().head(5).to_list())
            notes.append(f"no symbol column: symbol is {found}" + ("" if options.symbol else " (the file's name)"))
    if symbol != FILE_SYMBOL:
        raw = raw.drop(FILE_SYMBOL)
    base = {f"{f}_column": values.get(f, "") for f in (*VALUE_FIELDS, *COLUMN_ACTIONS)} if layout == "long" else {}
    decimal = "," if columns.decimal_comma(raw, list(values.values()) or names) else "."
    fixed = {"layout": layout, "time_column": time_column, "symbol_column": symbol, "decimal": decimal, **base}
    settings = _with_clock(raw, fixed, options, notes)
    unused = tuple(n for n in names if n not in used) + tuple(counting)
    return ColumnGuess(settings=settings, unused=unused, notes=tuple(notes)), raw


def _check_wide(raw: pl.DataFrame, names: list[str], values: Mapping[str, str]) -> None:
    if columns.quote_columns(names):
        raise DataError(
            "these are quote bars (bid_close and ask_close) without a close",
            "name one side, as in close_column=bid_close",
        )
    # one such name may be a ticker (LOW is Lowe's), two are bars
    if len({"open", "high", "low"} & set(values)) >= 2 and len(names) <= len(VALUE_FIELDS) + 2:
        raise DataError(f"no close among the columns {', '.join(names)[:300]}", "name it with close_column")
    if not names:
        raise DataError("the file has a time column and no other: zero symbols", "give a column of closes per symbol")
    for name in names:
        column = raw.get_column(name)
        if not columns.mostly_numbers(column):
            shown = ", ".join(repr(v) for v in column.drop_nulls().head(3).to_list())
            raise DataError(
                f"column {name} holds {shown} where numbers must be (no close column: each is read as a symbol)",
                "remove the column, or name the close (close_column) where the file is long",
            )


def _with_clock(raw: pl.DataFrame, fixed: Mapping[str, Scalar], options: AddOptions, notes: list[str]) -> Settings:
    """Settings with the clock guessed on top of the columns."""
    column = raw.get_column(str(fixed["time_column"]))
    facts = instrument_facts(options.instruments)
    try:
        settings = Settings.model_validate(
            {
                **fixed,
                "bar_stamp": options.bar_stamp,
                "venue": options.venue or "UNKNOWN",
                "currency": options.currency,
                "instruments": to_text(facts),
                "epoch_unit": clock.epoch_unit(column),
                "timezone": options.timezone or "UTC",
            }
        )
        order = options.date_order or ("iso" if settings.epoch_unit else clock.date_order(column, notes))
        settings = settings.model_copy(update={"date_order": order})
        settings = settings.model_copy(update={"timezone": clock.zone(column, options.timezone, settings)})
        times = read_times(column, settings)
        symbols = raw.get_column(settings.symbol_column) if settings.layout == "long" else None
        length = options.interval_s or clock.interval_s(times, symbols)
        settings = settings.model_copy(update={"interval_s": length})
        label = (times.wall if settings.daily else times.instant).drop_nulls().to_physical().to_numpy()
        named = options.calendar or clock.calendar(label, settings)
        sessions(named)
        return Settings.model_validate({**settings.model_dump(), "calendar": named})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(p) for p in first["loc"]) or "options"
        raise DataError(f"{field}: {first['msg']}", "correct the option") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(str(error), "correct the option") from error


def instrument_facts(path: Path | None) -> list[Instrument]:
    """What a file says of symbols, a row each. Raises DataError for one without symbols."""
    if path is None:
        return []
    table = read_raw(path)
    table = table.rename({c: columns.plain(c) for c in table.columns if not c.startswith("source_")})
    wanted = [c for c in Instrument.model_fields if c in table.columns]
    if "symbol" not in wanted:
        have = ", ".join(Instrument.model_fields)
        raise DataError(f"{path} has no column symbol", f"give columns {have}; only symbol is a must")
    try:
        rows = table.select(wanted).iter_rows(named=True)
        return [Instrument.model_validate({k: v for k, v in row.items() if v is not None}) for row in rows]
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}", "correct the file") from error


def _named(raw: pl.DataFrame, name: str | None) -> str | None:
    if not name:
        return None
    if name in raw.columns:
        return name
    same = [c for c in raw.columns if columns.plain(c) == columns.plain(name)]
    if same:
        return same[0]
    have = ", ".join(c for c in raw.columns if not c.startswith("source_"))
    raise DataError(f"column {name!r} is not in the file; it has {have[:300]}", "name one of these")
