"""The clock as known at each bar, in one pass. Read by `metrics.known_clock`, which says what it means."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray

DAY_NS: Final = 86_400_000_000_000
WEEKEND_SHARE: Final = 0.1
INTRADAY_DAYS: Final = 0.75


@kernel
def clock(ts: IntArray, per_day: FloatArray, per_year: FloatArray) -> None:
    """Write bars a day and bars a year as known at each of at least two bars, `[T]` each."""
    lengths = np.empty(ts.size, dtype=np.int64)  # bars of the days that are over, sorted; pages touched as needed
    past = 0
    median = 0.0
    today = 0
    weekend = 0
    within = np.zeros(4, dtype=np.int64)  # steps so far of at most 0.75, 4, 10 and 45 days
    day = ts[0] // DAY_NS
    mean_step = 1.0
    for t in range(ts.size):
        before = day
        day = ts[t] // DAY_NS
        if day != before:
            place = past
            while place > 0 and lengths[place - 1] > today:
                lengths[place] = lengths[place - 1]
                place -= 1
            lengths[place] = today
            past += 1
            median = 0.5 * float(lengths[(past - 1) // 2] + lengths[past // 2])
            today = 0
        today += 1
        weekend += 1 if (day + 3) % 7 >= 5 else 0  # 1970-01-01 was a Thursday
        if t > 0:
            step = float(ts[t] - ts[t - 1]) / DAY_NS
            within[0] += 1 if step <= INTRADAY_DAYS else 0
            within[1] += 1 if step <= 4.0 else 0
            within[2] += 1 if step <= 10.0 else 0
            within[3] += 1 if step <= 45.0 else 0
            mean_step = float(ts[t] - ts[0]) / DAY_NS / float(t)
        year = 365.0 if float(weekend) / float(t + 1) > WEEKEND_SHARE else 252.0
        per_day[t] = 1.0
        if within[0] * 2 > t:
            per_day[t] = median if past > 0 else 1.0 / mean_step
            per_year[t] = per_day[t] * year
        elif within[1] * 2 > t or t == 0:
            per_year[t] = year
        elif within[2] * 2 > t:
            per_year[t] = 52.0
        elif within[3] * 2 > t:
            per_year[t] = 12.0
        else:
            per_year[t] = 365.25 / mean_step
