"""All that the checks read: series and counts, gathered before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.validation.report import Capacity
from modules.panel import FloatArray, IntArray

Kind = Literal["own", "variant", "trial"]


@dataclass(frozen=True, eq=False)
class Family:
    """Everything that selection could choose from: `returns` `[T, K]` net, column 0 the run itself."""

    kinds: tuple[Kind, ...]
    subjects: tuple[str, ...]
    returns: FloatArray

    def __post_init__(self) -> None:
        if not len(self.kinds) == len(self.subjects) == self.returns.shape[1]:
            raise ValueError(f"family of {self.returns.shape[1]} series, {len(self.subjects)} subjects")


@dataclass(frozen=True, eq=False)
class Evidence:
    """`net` `[T]` the run's returns after costs; `weights[t]` earned `ahead[t]`, `[T', N]`; `market` may begin earlier
    and ends with `net`. `stressed` and `late` are net returns under three times cost and a bar later; None where there
    are none, with the reason in `notes`. `trial_sharpes` a bar, of those trials that have one."""

    ts: IntArray
    per_year: float
    net: FloatArray
    fills: int
    weights: FloatArray
    ahead: FloatArray
    market: FloatArray
    family: Family
    trials: int
    trial_sharpes: tuple[float, ...]
    stressed: FloatArray | None
    late: FloatArray | None
    capacity: tuple[Capacity, ...]
    capacity_words: str
    purge_bars: int
    embargo_bars: int
    capital_usd: float = 1_000_000.0

    @property
    def missing(self) -> int:
        """Bars whose return is not a number."""
        return int(np.count_nonzero(~np.isfinite(self.net)))
