"""Whether evidence has decayed: what a strategy earned in the last third of the mining period, beside what it earned
before. A fixed split, so that nobody can choose the one that shows it best."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from modules.panel import FloatArray

LATE_SHARE = 1.0 / 3.0
LEAST_BARS = 250
"""Of the late part: with less than about a year nothing is said."""

ERRORS = 1.64
"""How many standard errors the fall must be: one in twenty falls so far by luck alone."""


@dataclass(frozen=True)
class Decay:
    """Annualised Sharpe ratios of both parts, and the fall of the mean between them in standard errors."""

    early: float
    late: float
    errors: float
    bars: int

    @property
    def decayed(self) -> bool:
        """It earned, it earns no longer, and that is more than luck."""
        return self.early > 0.0 >= self.late and self.errors >= ERRORS


def late_from(bars: int) -> int:
    """The first bar of the late part."""
    return bars - int(bars * LATE_SHARE)


def decay(returns: FloatArray, bars_per_year: float) -> Decay | None:
    """`returns`: net returns a bar, `[T]`. None where there is too little of it, or nothing moves."""
    at = late_from(returns.size)
    before, after = returns[:at], returns[at:]
    if after.size < LEAST_BARS or not np.isfinite(returns).all():
        return None
    spread = (float(before.std()), float(after.std()))
    if min(spread) <= 0.0:
        return None
    year = sqrt(bars_per_year)
    means = (float(before.mean()), float(after.mean()))
    error = sqrt(spread[0] ** 2 / before.size + spread[1] ** 2 / after.size)
    return Decay(
        early=means[0] / spread[0] * year,
        late=means[1] / spread[1] * year,
        errors=(means[0] - means[1]) / error,
        bars=int(returns.size),
    )
