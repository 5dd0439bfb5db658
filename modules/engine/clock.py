"""The clock as known at each bar, in one pass. Read by `metrics.known_clock`, which says what it means."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.jit import kernel, part
from modules.panel import FloatArray, IntArray

DAY_NS: Final = 86_400_000_000_000
WEEKEND_SHARE: Final = 0.1
INTRADAY_NS: Final = 3 * DAY_NS // 4


@part
def _is_weekend(day: int) -> int:
    return 1 if (day + 3) % 7 >= 5 else 0  # 1970-01-01 was a Thursday


@kernel
def clock(ts: IntArray, per_day: FloatArray, per_year: FloatArray) -> None:
    """Write bars a day and bars a year as known at each of at least two bars, `[T]` each; the latter into any room."""
    lengths = np.empty(ts.size, dtype=np.int64)  # bars of the days that are over, sorted; pages touched as needed
    past = 0
    median = 0.0
    today = 0
    weekend = 0
    intraday, daily, weekly, monthly = 0, 0, 0, 0  # steps so far of at most 0.75, 4, 10 and 45 days
    day = ts[0] // DAY_NS
    rests = _is_weekend(day)
    for t in range(ts.size):
        if ts[t] >= (day + 1) * DAY_NS:
            day = ts[t] // DAY_NS
            rests = _is_weekend(day)
            place = past
            while place > 0 and lengths[place - 1] > today:
                lengths[place] = lengths[place - 1]
                place -= 1
            lengths[place] = today
            past += 1
            median = 0.5 * float(lengths[(past - 1) // 2] + lengths[past // 2])
            today = 0
        today += 1
        weekend += rests
        if t > 0:
            step = ts[t] - ts[t - 1]
            intraday += 1 if step <= INTRADAY_NS else 0
            daily += 1 if step <= 4 * DAY_NS else 0
            weekly += 1 if step <= 10 * DAY_NS else 0
            monthly += 1 if step <= 45 * DAY_NS else 0
        per_day[t] = 1.0
        if intraday * 2 > t:
            per_day[t] = median if past > 0 else 1.0 / (float(ts[t] - ts[0]) / DAY_NS / float(t))
        if per_year.size == 0:
            continue
        year = 365.0 if float(weekend) / float(t + 1) > WEEKEND_SHARE else 252.0
        if intraday * 2 > t:
            per_year[t] = per_day[t] * year
        elif daily * 2 > t or t == 0:
            per_year[t] = year
        elif weekly * 2 > t:
            per_year[t] = 52.0
        elif monthly * 2 > t:
            per_year[t] = 12.0
        else:
            per_year[t] = 365.25 / (float(ts[t] - ts[0]) / DAY_NS / float(t))
