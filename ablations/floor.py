"""The noise floor: what the difference between two arms would be by luck.

Statistic: mean over tasks of the annualised Sharpe ratio, patched minus baseline, so that leverage alone is no
improvement. It is the mean over time of a process (`bootstrap.sharpe_process`), which is resampled: stationary
block bootstrap (Politis and Romano 1994), automatic block length (Politis and White 2004, corrected 2009, from
`arch`), blocks common to all tasks.

Recentring and studentising follow Ledoit and Wolf (2008), section 3.2: with t* = (d* - d) / s*, the p-value of
H0: d <= 0 is (1 + #{t* >= d / s}) / (B + 1), and the one-sided bound is d - q(t*) s. Draws of d* centre on d, not
on 0, so they are moved to where the null puts them before they are compared with d.

Two answers are taken, each from draws of its own (docs/decisions/0005):
* `p_value` holds the suite's tasks fixed: luck of the years. Few tasks cannot speak of 1e-4 as clusters (eight
  signs agree by chance once in 256), so the stream of trials is fed the time luck;
* `lower_bound` resamples the tasks as clusters too: would it hold for other tasks like these?
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from pydantic import BaseModel, ConfigDict

from modules.panel import FloatArray

CONFIDENCE = 0.95
"""Of the one-sided lower bound."""

STAGES = (1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000)
"""Draws so far at which the p-value is looked at; the last, five seconds, is the limit. It speaks of 2e-6."""

SURE = 1e-3
"""How unlikely it must be that the Monte-Carlo error of the p-value turns its comparison with the level."""

SHORTEST_BLOCK_BARS = 20.0
"""A month: the automatic length sees no dependence in differences whose variance clusters."""

NO_VARIANCE = 1e-9
"""Standard error (Sharpe a year) below which two arms are the same but for rounding."""

CURVE = 201
"""Points of the bootstrap distribution kept for the picture."""


class FloorError(ValueError):
    """Series that cannot be compared."""


class Floor(BaseModel):
    """What the bootstrap found. Differences are annualised Sharpe ratios."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    effects: tuple[float, ...]
    delta: float
    standard_error: float
    cluster_error: float
    lower_bound: float
    p_value: float
    p_low: float
    p_high: float
    exceedances: int
    draws: int
    block_length_bars: float
    blocks: float
    noise_floor: float
    """The smallest difference that would have passed `level`, had these been its errors; by the normal law where the
    draws do not reach that far."""
    curve: tuple[float, ...]
    """Quantiles of the recentred difference, i.e. of luck."""


@dataclass(frozen=True)
class Series:
    """Paired objective series of a suite: `[K, T]` returns a bar, tasks in suite order."""

    baseline: FloatArray
    patched: FloatArray
    bars_per_year: float

    def __post_init__(self) -> None:
        if self.baseline.ndim != 2 or self.baseline.shape != self.patched.shape:
            raise FloorError(f"arms have shapes {self.baseline.shape} and {self.patched.shape}; expected equal [K, T]")
        if not (np.isfinite(self.baseline).all() and np.isfinite(self.patched).all()):
            raise FloorError("a series holds NaN or infinity; every bar of the judged period needs a value")
        for arm in ("baseline", "patched"):
            object.__setattr__(self, arm, np.ascontiguousarray(getattr(self, arm), dtype=np.float64))

    @property
    def tasks(self) -> int:
        """K."""
        return int(self.baseline.shape[0])

    @property
    def bars(self) -> int:
        """T."""
        return int(self.baseline.shape[1])


def block_length(difference: FloatArray) -> float:
    """Automatic mean block length in bars for the pooled process `[T]`, from `arch`."""
    from arch.bootstrap import optimal_block_length

    if float(difference.std()) <= 1e-12:
        return SHORTEST_BLOCK_BARS
    found = float(optimal_block_length(difference)["stationary"].iloc[0])
    # Rounded, because it comes out of BLAS, whose last bits differ between machines.
    return max(round(found, 3), SHORTEST_BLOCK_BARS) if np.isfinite(found) else SHORTEST_BLOCK_BARS


def measure(series: Series, level: float, seed: int) -> Floor | None:
    """The noise floor of `series`, refined until the p-value can be told from `level`, or the limit is met.

    None where the difference has no variance: identical arms, or one the other's leverage.
    """
    from scipy.stats import beta, norm

    from ablations.bootstrap import (
        draw,
        draw_clustered,
        guide_table,
        length_table,
        long_run_variance,
        pool,
        prefix_sums,
        sharpe_process,
    )

    effects, process = sharpe_process(series.baseline, series.patched, sqrt(series.bars_per_year))
    pooled = pool(process)
    length = block_length(pooled)
    error = sqrt(long_run_variance(pooled, length))
    if error <= NO_VARIANCE:
        return None
    delta = sum(float(e) for e in effects) / series.tasks
    scatter = sum((float(e) - delta) ** 2 for e in effects) / series.tasks
    spread = scatter / (series.tasks - 1) if series.tasks > 1 else 0.0
    cluster_error = sqrt(error * error + spread)
    sums = prefix_sums(pooled.reshape(1, -1))
    lengths = length_table(length, series.bars)
    guide = guide_table(lengths)
    rng = np.random.Generator(np.random.PCG64(seed))
    clusters = draw_clustered(prefix_sums(process), lengths, guide, STAGES[0], rng)
    clustered = np.sort(_studentised(clusters, delta))
    parts: list[FloatArray] = []
    exceeded = drawn = 0
    low, high = 0.0, 1.0
    for stage in STAGES:
        part = draw(sums, lengths, guide, stage - drawn, rng)
        parts.append(_studentised(part, delta))
        exceeded += int((parts[-1] >= delta / error).sum())
        drawn = stage
        low = float(beta.ppf(SURE, exceeded, drawn - exceeded + 1)) if exceeded else 0.0
        high = float(beta.ppf(1.0 - SURE, exceeded + 1, drawn - exceeded)) if exceeded < drawn else 1.0
        if low > level or high <= level:
            break
    luck = np.sort(np.concatenate(parts))
    return Floor(
        effects=tuple(float(e) for e in effects),
        delta=delta,
        standard_error=error,
        cluster_error=cluster_error,
        lower_bound=delta - _quantile(clustered, CONFIDENCE) * cluster_error,
        p_value=(1 + exceeded) / (drawn + 1),
        p_low=low,
        p_high=high,
        exceedances=exceeded,
        draws=drawn,
        block_length_bars=length,
        blocks=series.bars / length,
        noise_floor=max(_quantile(luck, 1.0 - level), float(norm.isf(level))) * error,
        curve=tuple(_quantile(luck, q) * error for q in np.linspace(0.0, 1.0, CURVE)),
    )


def _studentised(drawn: FloatArray, delta: float) -> FloatArray:
    """Draws `[B, 2]` of a difference and its error as t*. A draw of tasks that no patch touches has no error."""
    return np.asarray((drawn[:, 0] - delta) / np.maximum(drawn[:, 1], NO_VARIANCE))


def _quantile(ordered: FloatArray, q: float) -> float:
    """The order statistic at `q`, rounded outwards: no interpolation, so equal bits everywhere."""
    return float(ordered[min(int(np.ceil(q * ordered.size)), ordered.size - 1)])
