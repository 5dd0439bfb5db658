"""Reading a time column: dates, ISO text, US and European dates, epochs; with or without offsets."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from modules.contract import FIRST_ROWS
from modules.datastore import DataError
from modules.ingest.layout import Layout

_CLOCK = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
_PATTERNS = {
    "iso": r"^(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})" + _CLOCK,
    "mdy": r"^(?:0?)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _CLOCK,
    "dmy": r"^(?:0?)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _CLOCK,
}
_PARTS = {"iso": (1, 2, 3), "mdy": (3, 1, 2), "dmy": (3, 2, 1)}
_NS_PER = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_NAIVE = pl.Datetime("ns")


@dataclass(frozen=True)
class Times:
    """`wall`: clock reading in the file's zone (Datetime ns, no zone); `instant`: the moment (Datetime ns UTC).
    Null = cannot be read. `offsets`: distinct offsets written in the column, seconds east of UTC."""

    wall: pl.Series
    instant: pl.Series
    offsets: tuple[int, ...] = ()


def read_times(column: pl.Series, layout: Layout) -> Times:
    """Every time in `column`, read by `layout` (timezone, date_order, epoch_unit).

    Raises DataError where some rows carry an offset and others do not, or where the offsets belong to
    no single zone: one wrong guess there would shift bars against each other.
    """
    dtype = column.dtype
    if dtype == pl.String and layout.epoch_unit == "":
        return _from_text(column.str.strip_chars(), layout)
    if dtype == pl.Date:
        return _from_wall(column.cast(_NAIVE), layout.timezone)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return _from_instant(
                column.cast(pl.Datetime("ns", dtype.time_zone)).dt.convert_time_zone("UTC"), layout.timezone
            )
        return _from_wall(column.cast(_NAIVE), layout.timezone)
    if dtype == pl.String or dtype.is_numeric():
        return _from_number(column, layout)
    nothing = pl.Series(column.name, [None] * column.len(), dtype=_NAIVE)
    return Times(nothing, nothing.dt.replace_time_zone("UTC"))


def _from_wall(wall: pl.Series, timezone: str) -> Times:
    # An hour that a clock shows twice is taken as the first; one it never shows is no time.
    instant = wall.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return Times(wall, instant)


def _from_instant(instant: pl.Series, timezone: str) -> Times:
    return Times(instant.dt.convert_time_zone(timezone).dt.replace_time_zone(None), instant)


def _from_number(column: pl.Series, layout: Layout) -> Times:
    if layout.epoch_unit in ("yyyymmdd", "yyyymm"):
        digits = column.cast(pl.Int64, strict=False).cast(pl.String)
        text = digits if layout.epoch_unit == "yyyymmdd" else digits + "01"
        return _from_wall(text.str.to_date("%Y%m%d", strict=False).cast(_NAIVE), layout.timezone)
    scale = _NS_PER[layout.epoch_unit or "s"]
    whole = column.cast(pl.Int64, strict=False)
    if column.dtype.is_float():
        exact = (column * scale).round(0).cast(pl.Int64, strict=False)
    else:
        limit = 2**63 // scale - 1
        exact = whole.set((whole.abs() > limit).fill_null(False), None) * scale
    return _from_instant(exact.cast(_NAIVE).dt.replace_time_zone("UTC"), layout.timezone)


def _from_text(text: pl.Series, layout: Layout) -> Times:
    plain = text.str.to_date("%Y-%m-%d", strict=False) if layout.date_order == "iso" else None
    if plain is not None and plain.null_count() == text.null_count():
        return _from_wall(plain.cast(_NAIVE), layout.timezone)
    year, month, day = _PARTS[layout.date_order]
    groups = text.to_frame("text").select(pl.col("text").str.extract_groups(_PATTERNS[layout.date_order]).alias("g"))
    part = groups.select(pl.col("g").struct.unnest()) if groups.height else groups
    part = part.rename(dict(zip(part.columns, [str(i + 1) for i in range(len(part.columns))], strict=True)))
    clock = [pl.col(str(i)).fill_null("0").str.zfill(2) for i in (4, 5, 6)]
    stamp = pl.concat_str(
        pl.col(str(year)), pl.lit("-"), pl.col(str(month)).str.zfill(2), pl.lit("-"), pl.col(str(day)).str.zfill(2),
        pl.lit(" "), clock[0], pl.lit(":"), clock[1], pl.lit(":"), clock[2],
    )  # fmt: skip
    second = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=False)
    fraction = pl.col("7").fill_null("0").str.pad_end(9, "0").cast(pl.Int64).cast(pl.Duration("ns"))
    zone = pl.col("8").str.replace(r"^(Z|z|UTC|GMT)$", "+0000").str.replace(":", "")
    offset = zone.str.slice(1, 2).cast(pl.Int64) * 3600 + zone.str.slice(3, 2).cast(pl.Int64) * 60
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    read = part.select((second + fraction).alias("wall"), (offset * sign).alias("offset"))
    wall, offsets = read.get_column("wall"), read.get_column("offset")
    readable = wall.is_not_null()
    with_offset = (readable & offsets.is_not_null()).sum()
    if with_offset == 0:
        return _from_wall(wall, layout.timezone)
    if with_offset < readable.sum():
        _refuse_mixture(text, readable & offsets.is_null(), readable & offsets.is_not_null())
    instant = (wall - (offsets * 1_000_000_000).cast(pl.Duration("ns"))).dt.replace_time_zone("UTC")
    distinct = tuple(int(o) for o in offsets.filter(readable).unique().sort())
    times = _from_instant(instant, layout.timezone)
    return Times(times.wall, instant, distinct)


def zone_mismatch(times: Times, text: pl.Series, timezone: str) -> pl.Series:
    """True per row where the written offset is not the one that `timezone` has at that moment."""
    local = times.instant.dt.convert_time_zone(timezone).dt
    has = (local.base_utc_offset() + local.dst_offset()).dt.total_seconds()
    layout = Layout(layout="wide", timezone="UTC")
    written = _from_text(text.str.replace(r"\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2})$", ""), layout).wall.dt.replace_time_zone(
        "UTC"
    )
    return ((written - times.instant).dt.total_seconds() != has).fill_null(False)


def _refuse_mixture(text: pl.Series, without: pl.Series, having: pl.Series) -> None:
    rows = pl.Series(range(text.len()), dtype=pl.Int64)
    naive = [f"row {i + 1}: {text[i]}" for i in rows.filter(without).head(FIRST_ROWS)]
    aware = [f"row {i + 1}: {text[i]}" for i in rows.filter(having).head(1)]
    raise DataError(
        f"column {text.name}: {without.sum()} times carry no UTC offset ({'; '.join(naive)}) and {having.sum()} do "
        f"({'; '.join(aware)})",
        "write all of them with an offset, or all without and name the zone with --timezone",
    )
