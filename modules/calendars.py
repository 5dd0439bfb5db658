"""Trading sessions by exchange-calendars, kept on disk because importing that library costs seconds.

The cache file is named by calendar and library version, so a new library never meets old sessions. It lies in the
workspace's home; `CWS_CALENDARS` names another folder, which many homes (tests) can share.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modules.panel import IntArray
from modules.workspace import Workspace

UNKNOWN = "UNKNOWN"
ALWAYS = "24/7"
DAY_NS = 86_400_000_000_000

# Wide enough for any bar in use, and fixed: the library's own end moves with today's date.
_FIRST, _LAST = "1900-01-01", "2030-12-31"


@dataclass(frozen=True)
class Sessions:
    """Sessions of one calendar, ascending. `date_ns`: the session's date at 00:00 UTC; open and close: instants."""

    date_ns: IntArray
    open_ns: IntArray
    close_ns: IntArray


def sessions(calendar: str) -> Sessions | None:
    """All sessions of a calendar between 1900 and 2030; None for "UNKNOWN". "24/7" needs no library.

    Raises ValueError for a name that exchange-calendars does not know.
    """
    if calendar in (UNKNOWN, ""):
        return None
    return _load(calendar)


def close_of(calendar: str, date_ns: IntArray) -> IntArray:
    """The instant at which each day's bar is complete: the session's close, else (a day off the calendar or
    outside its range, or no calendar) the next midnight UTC."""
    closes: IntArray = date_ns + DAY_NS
    known = sessions(calendar)
    if known is None or known.date_ns.size == 0:
        return closes
    at = np.minimum(np.searchsorted(known.date_ns, date_ns), known.date_ns.size - 1)
    hit = known.date_ns[at] == date_ns
    out: IntArray = np.where(hit, known.close_ns[at], closes)
    return out


@functools.lru_cache(maxsize=16)
def _load(calendar: str) -> Sessions:
    if calendar == ALWAYS:
        days = (
            np.arange(np.datetime64(_FIRST, "D"), np.datetime64(_LAST, "D") + 1)
            .astype("datetime64[ns]")
            .astype(np.int64)
        )
        return Sessions(days, days, days + DAY_NS)
    version = importlib.metadata.version("exchange-calendars")
    folder = os.environ.get("CWS_CALENDARS")
    path = (
        Path(folder) if folder else Workspace.here().home / "calendars"
    ) / f"{calendar.replace('/', '-')}-{version}.npy"
    table = _read(path)
    if table is None:
        table = _build(calendar)
        _write(path, table)
    return Sessions(*(np.ascontiguousarray(column) for column in table))


def _read(path: Path) -> IntArray | None:
    try:
        table: IntArray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = table.dtype == np.int64 and table.ndim == 2 and table.shape[0] == 3
    return table if whole and bool((np.diff(table[0]) > 0).all()) else None


def _write(path: Path, table: IntArray) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as scratch:
            np.save(scratch, table, allow_pickle=False)
        Path(scratch.name).replace(path)
    except OSError:
        return  # a read-only home costs the next process the import, nothing else


def _build(calendar: str) -> IntArray:
    import exchange_calendars  # pandas and a second of import: only where no cache answers

    known = exchange_calendars.get_calendar_names()
    if calendar not in known:
        raise ValueError(f"calendar {calendar!r} is not known to exchange-calendars; use one of {', '.join(known)}")
    kind = type(exchange_calendars.get_calendar(calendar))
    first, last = kind.bound_min(), kind.bound_max()
    start = max(_FIRST, str(first.date())) if first is not None else _FIRST
    end = min(_LAST, str(last.date())) if last is not None else _LAST
    schedule = kind(start=start, end=end).schedule
    dates = schedule.index.tz_localize(None).to_numpy()
    opens = schedule["open"].dt.tz_convert(None).to_numpy()
    closes = schedule["close"].dt.tz_convert(None).to_numpy()
    return np.stack([column.astype("datetime64[ns]").astype(np.int64) for column in (dates, opens, closes)])
