"""Dates of periods and moments of acceptance, read strictly: what cannot be read is null, never guessed."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from modules.contract import TIME

EDGAR_ZONE = "America/New_York"
"""Acceptance times of the SEC carry no zone and are in Eastern time."""

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # nanoseconds since 1970 end in 2262, and what lies beyond wraps around
_DATE = r"^(\d{4})-?(\d{2})-?(\d{2})"
_CLOCK = r"[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.(\d{1,6}))?\s*(Z|[+-]\d{2}:?\d{2})?$"
_MICROS = pl.Datetime("us")


def dates(column: pl.Series) -> pl.Series:
    """Each cell's date as Datetime(ns, UTC) at 00:00: dates, date-times, `2009-06-30`, `20090630`; else null."""
    dtype = column.dtype
    if dtype == pl.Date:
        found = column
    elif isinstance(dtype, pl.Datetime):
        found = column.dt.date()
    elif dtype == pl.String or dtype.is_integer():
        text = column.cast(pl.String).str.strip_chars().to_frame("text")
        whole = pl.col("text").str.replace_all("-", "").str.slice(0, 8).str.to_date("%Y%m%d", strict=False)
        clean = pl.col("text").str.contains(_DATE + r"(?:[T ].*)?$")
        found = text.select(pl.when(clean).then(whole)).to_series()
    else:
        found = pl.repeat(None, column.len(), dtype=pl.Date, eager=True)
    return _in_range(found).cast(_MICROS).dt.replace_time_zone("UTC").cast(TIME)


def moments(column: pl.Series, zone: str) -> pl.Series:
    """Each cell's moment as Datetime(ns, UTC). A clock without offset is read in `zone`: an hour that it shows twice is
    the second one, one that it never shows is null. A date without clock is the end of that day in `zone`."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return _in_range(column.dt.convert_time_zone("UTC")).cast(TIME)
        return _localised(_in_range(column).cast(_MICROS), zone)
    if dtype != pl.String:
        return _end_of_day(dates(column), zone)
    text = column.str.strip_chars().to_frame("text")
    part = text.select(pl.col("text").str.extract_groups(_DATE + _CLOCK).alias("g")).unnest("g")
    part.columns = ["year", "month", "day", "hour", "minute", "second", "fraction", "offset"]
    stamp = pl.concat_str(
        "year", pl.lit("-"), "month", pl.lit("-"), "day", pl.lit(" "), pl.col("hour").str.zfill(2), pl.lit(":"),
        "minute", pl.lit(":"), pl.col("second").fill_null("00"),
    )  # fmt: skip
    micros = pl.col("fraction").fill_null("0").str.pad_end(6, "0").cast(pl.Int64).cast(pl.Duration("us"))
    zoned = pl.col("offset").str.replace("Z", "+0000", literal=True).str.replace(":", "", literal=True)
    minutes = zoned.str.slice(1, 2).cast(pl.Int64) * 60 + zoned.str.slice(3, 2).cast(pl.Int64)
    east = pl.when(zoned.str.starts_with("-")).then(-minutes).otherwise(minutes)
    read = part.select(
        (stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False) + micros).alias("wall"),
        east.alias("east"),
    )
    wall, offset = _in_range(read.get_column("wall")), read.get_column("east")
    clocked = _localised(wall, zone)
    exact = (wall - (offset * 60_000_000).cast(pl.Duration("us"))).dt.replace_time_zone("UTC").cast(TIME)
    day_only = text.get_column("text").str.contains(_DATE + "$").fill_null(False)
    ends = _end_of_day(dates(column), zone)
    table = pl.DataFrame({"clocked": clocked, "exact": exact, "ends": ends, "offset": offset, "day": day_only})
    return table.select(
        pl.when("day").then("ends").when(pl.col("offset").is_not_null()).then("exact").otherwise("clocked")
    ).to_series()


def _end_of_day(day: pl.Series, zone: str) -> pl.Series:
    return _localised(day.dt.replace_time_zone(None) + timedelta(days=1), zone)


def _localised(wall: pl.Series, zone: str) -> pl.Series:
    instant = wall.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    return instant.dt.convert_time_zone("UTC").cast(TIME)


def _in_range(column: pl.Series) -> pl.Series:
    year = column.dt.year()
    return column.set(~year.is_between(_FIRST_YEAR, _LAST_YEAR).fill_null(True), None)
