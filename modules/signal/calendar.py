"""Fields that every panel has because it has times: usable in a signal like any field of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from modules.panel import FloatArray, IntArray

_DAY_NS = 86_400_000_000_000
_HOUR_NS = 3_600_000_000_000


def _day_of_week(ts: IntArray) -> IntArray:
    days: IntArray = ts // _DAY_NS
    since_monday: IntArray = (days + 3) % 7  # 1970-01-01 was a Thursday
    return since_monday


def _day_of_month(ts: IntArray) -> IntArray:
    days = ts.astype("datetime64[ns]").astype("datetime64[D]")
    since_first: IntArray = (days - days.astype("datetime64[M]")).astype(np.int64)
    return since_first + 1


def _month(ts: IntArray) -> IntArray:
    return ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64) % 12 + 1


def _hour(ts: IntArray) -> IntArray:
    hours: IntArray = ts % _DAY_NS // _HOUR_NS
    return hours


_FUNCTIONS: Mapping[str, Callable[[IntArray], IntArray]] = MappingProxyType(
    {"day_of_week": _day_of_week, "day_of_month": _day_of_month, "month": _month, "hour": _hour}
)

CALENDAR_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "day_of_week": "0 = Monday to 6 = Sunday, of the bar's label in UTC",
        "day_of_month": "1 to 31, of the bar's label in UTC",
        "month": "1 = January to 12 = December, of the bar's label in UTC",
        "hour": "0 to 23, of the bar's label in UTC (0 for daily bars)",
    }
)


def calendar_values(name: str, ts: IntArray) -> FloatArray:
    """`[T]` values of a calendar field at `ts` (int64 ns UTC)."""
    return _FUNCTIONS[name](ts).astype(np.float64)
