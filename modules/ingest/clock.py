"""Guessing a file's clock: epoch unit, date order, zone, bar length, calendar."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from modules.calendars import ALWAYS, DAY_NS, UNKNOWN, sessions
from modules.datastore import DataError
from modules.ingest.columns import plain
from modules.ingest.layout import DAY_S, DateOrder, EpochUnit, Layout
from modules.ingest.times import Times, read_times, zone_mismatch
from modules.panel import IntArray

_ZONE_SUFFIX = {"et": "America/New_York", "est": "America/New_York", "ny": "America/New_York", "ct": "America/Chicago"}
_ZONE_SUFFIX |= {
    "utc": "UTC",
    "gmt": "UTC",
    "z": "UTC",
    "jst": "Asia/Tokyo",
    "hkt": "Asia/Hong_Kong",
    "cet": "Europe/Berlin",
}
_ZONES = (
    "UTC",
    "America/New_York",
    "America/Chicago",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Tokyo",
    "Asia/Hong_Kong",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Toronto",
    "America/Sao_Paulo",
)
_ISO = r"^\d{4}[-/.]?\d{1,2}[-/.]?\d{1,2}"
_SLASH = r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}"
_MIN_DAYS = 250
_WEEKEND_SHARE = 0.2
_SAMPLE = 2000


def epoch_unit(column: pl.Series) -> EpochUnit:
    """Unit of a number that stands for a time, by its size; "" for text that is no number."""
    if column.dtype == pl.String:
        text = column.drop_nulls().head(_SAMPLE).str.strip_chars()
        if text.is_empty() or not text.str.contains(r"^\d{6}(\d{2,13})?(\.\d+)?$").all():
            return ""
        column = text.cast(pl.Float64)
    if not column.dtype.is_numeric():
        return ""
    middle = column.drop_nulls().cast(pl.Float64).median()
    size = float(middle) if isinstance(middle, (int, float)) else 0.0
    bounds: tuple[tuple[float, float, EpochUnit], ...] = (
        (170_001, 210_012, "yyyymm"),
        (17_000_101, 21_001_231, "yyyymmdd"),
        (1e8, 1e11, "s"),
        (1e11, 1e14, "ms"),
        (1e14, 1e17, "us"),
        (1e17, 9.3e18, "ns"),
    )
    return next((unit for low, high, unit in bounds if low <= size < high), "")


def looks_like_time(column: pl.Series) -> bool:
    """Dates, date-times, or text or numbers that mostly read as one."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return True
    if epoch_unit(column):
        return True
    if column.dtype != pl.String:
        return False
    text = column.drop_nulls().head(_SAMPLE).str.strip_chars()
    dated = text.str.contains(_ISO + r"([T ]|$)") | text.str.contains(_SLASH)
    return bool(text.len()) and float(dated.sum()) >= 0.5 * text.len()


def date_order(column: pl.Series, notes: list[str]) -> DateOrder:
    """`iso`, or which of day and month comes first; a column that fits both is decided by its spacing, and said."""
    if column.dtype != pl.String:
        return "iso"
    text = column.drop_nulls().str.strip_chars()
    if float(text.str.contains(_SLASH).sum()) < 0.5 * text.len():
        return "iso"
    parts = text.str.extract_groups(_SLASH).struct.unnest().select(pl.all().cast(pl.Int64))
    first, second = (int(v) if v is not None else 0 for v in parts.max().row(0))
    if first > 12 and second > 12:
        late = [f"row {i + 1}: {text[i]}" for i in parts.with_row_index().filter(pl.nth(1) > 12)["index"].head(2)]
        late += [f"row {i + 1}: {text[i]}" for i in parts.with_row_index().filter(pl.nth(2) > 12)["index"].head(2)]
        raise DataError(
            f"column {column.name} writes the month first in some rows and the day first in others ({'; '.join(late)})",
            "write ISO dates like 2013-02-08",
        )
    if first > 12:
        return "dmy"
    if second > 12:
        return "mdy"
    orders: tuple[DateOrder, ...] = ("mdy", "dmy")
    spans = {o: _widest_step(read_times(text, Layout(layout="wide", date_order=o)).wall) for o in orders}
    best: DateOrder = "mdy" if spans["mdy"] <= spans["dmy"] else "dmy"
    words = "month first" if best == "mdy" else "day first"
    notes.append(f"dates like {text[0]} fit both orders; read {words}, which leaves the smaller gaps")
    return best


def _widest_step(wall: pl.Series) -> int:
    steps = wall.drop_nulls().unique().sort().diff().drop_nulls().to_physical()
    return int(steps.max() or 0)  # type: ignore[arg-type]


def zone(column: pl.Series, named: str | None, layout: Layout) -> str:
    """IANA zone of the column: as named, by its type, by its name (`ts_et`), by the offsets it writes; else UTC."""
    dtype = column.dtype
    if named is None and isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return dtype.time_zone
    suffix = re.search(r"_([a-z]+)$", plain(column.name))
    guess = named or (_ZONE_SUFFIX.get(suffix.group(1)) if suffix else None)
    if dtype != pl.String or layout.epoch_unit:
        return guess or "UTC"
    times = read_times(column, layout.model_copy(update={"timezone": guess or "UTC"}))
    if not times.offsets:
        return guess or "UTC"
    tried = (named,) if named else tuple(dict.fromkeys((*([guess] if guess else []), *_ZONES)))
    text = column.str.strip_chars()
    for candidate in tried:
        if not zone_mismatch(times, text, candidate).any():
            return candidate
    if len(times.offsets) == 1 and named is None:
        return "UTC"
    bad = zone_mismatch(times, text, named or "UTC").fill_null(False)
    rows = [f"row {i + 1}: {column[i]}" for i in np.flatnonzero(bad.to_numpy())[:5].tolist()]
    raise DataError(
        f"column {column.name} mixes time zones: offsets "
        f"{', '.join(_offset(o) for o in times.offsets)} belong to no single zone{' ' + named if named else ''} "
        f"({'; '.join(rows)})",
        "write all times in UTC, or name the zone they belong to",
    )


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}"


def interval_s(times: Times, symbols: pl.Series | None) -> int:
    """Length of one bar in seconds: the commonest step within a symbol; a day, week, month, quarter or
    year above that."""
    table = pl.DataFrame(
        {"t": times.wall, "s": symbols if symbols is not None else pl.repeat("", times.wall.len(), eager=True)}
    )
    steps = table.drop_nulls("t").unique().sort("s", "t").select(pl.col("t").diff().over("s").alias("d")).drop_nulls()
    if steps.is_empty():
        return DAY_S
    median_s = steps.get_column("d").to_physical().median()
    middle = float(median_s) / 1e9 if isinstance(median_s, (int, float)) else float(DAY_S)
    if middle < 20 * 3600:
        common = steps.get_column("d").to_physical().mode().min()
        return max(1, int(common) // 1_000_000_000) if isinstance(common, int) else DAY_S
    days = middle / DAY_S
    return next((d for limit, d in ((4, 1), (10, 7), (45, 31), (135, 92)) if days <= limit), 366) * DAY_S


def calendar(event_ns: IntArray, layout: Layout) -> str:
    """`24/7` where weekends trade, `XNYS` where the bars fall on its sessions, else UNKNOWN."""
    days = np.unique(event_ns // DAY_NS)
    weekend = ((days + 3) % 7 >= 5).mean() if days.size else 0.0  # day 0, 1970-01-01, was a Thursday
    if layout.interval_s > DAY_S or days.size < 2:
        return UNKNOWN
    if weekend > _WEEKEND_SHARE:
        return ALWAYS
    if layout.daily and days.size < _MIN_DAYS:
        return UNKNOWN
    if not layout.daily and layout.timezone != "America/New_York":
        return UNKNOWN
    known = sessions("XNYS")
    if known is None:
        return UNKNOWN
    if not layout.daily:
        at = np.minimum(np.searchsorted(known.close_ns, event_ns), known.close_ns.size - 1)
        return "XNYS" if float(np.mean(known.open_ns[at] <= event_ns)) >= 0.99 else UNKNOWN
    there = known.date_ns // DAY_NS
    span = there[(there >= days[0]) & (there <= days[-1])]
    on = np.isin(days, span)
    full = span.size > 0 and float(on.mean()) >= 0.99 and float(on.sum()) >= 0.95 * span.size
    return "XNYS" if full else UNKNOWN
