"""The swap matrix of a patch that touches two modules: neither, the first alone, the second alone, both.

Whether the two are worth more together than the sum of what each is worth alone is the interaction. It does not decide:
the gate judges both together, as they would be merged. It tells a reviewer whether half of the patch would do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from pydantic import BaseModel, ConfigDict

from ablations.patch import Patch
from modules.panel import FloatArray

Objective = Callable[[Patch], tuple[FloatArray, float]]
"""Runs one arm: the objective a bar, and bars a year."""


class SwapRow(BaseModel):
    """One task. Annualised Sharpe ratios: 1 where the part is in, first module first."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: str
    neither: float
    first: float
    second: float
    both: float

    @property
    def interaction(self) -> float:
        """What both together gain beyond the sum of what each gains alone."""
        return (self.both - self.neither) - (self.first - self.neither) - (self.second - self.neither)


class SwapMatrix(BaseModel):
    """All tasks of an ablation, in suite order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules: tuple[str, str]
    rows: tuple[SwapRow, ...]

    @property
    def gains(self) -> tuple[float, float, float]:
        """Mean gain over neither: of the first alone, of the second alone, of both."""
        count = len(self.rows)
        base = sum(r.neither for r in self.rows)
        return (
            (sum(r.first for r in self.rows) - base) / count,
            (sum(r.second for r in self.rows) - base) / count,
            (sum(r.both for r in self.rows) - base) / count,
        )

    @property
    def interaction(self) -> float:
        """Mean over tasks."""
        return sum(r.interaction for r in self.rows) / len(self.rows)

    @property
    def lines(self) -> tuple[str, ...]:
        """For a report."""
        first, second, both = self.gains
        return (
            f"{self.modules[0]} alone {first:+.3f}, {self.modules[1]} alone {second:+.3f}, both {both:+.3f} Sharpe",
            f"interaction {self.interaction:+.3f}: " + _meaning(first, second, both),
        )


def alone(patch: Patch, objective: Objective) -> tuple[float, float]:
    """Annualised Sharpe ratios with the first part alone and with the second. Raises what a run raises."""
    first, second = (sharpe(*objective(part)) for part in patch.parts)
    return first, second


def sharpe(values: FloatArray, bars_per_year: float) -> float:
    """Annualised; 0 for a series that does not move."""
    spread = float(values.std())
    return float(values.mean()) / spread * sqrt(bars_per_year) if spread > 0.0 else 0.0


def matrix(
    patch: Patch,
    tasks: Sequence[str],
    arms: Sequence[tuple[FloatArray, FloatArray]],
    parts: Sequence[tuple[float, float]],
    bars_per_year: float,
) -> SwapMatrix:
    """From both arms of each task and what each part gave alone."""
    assert patch.also is not None
    rows = tuple(
        SwapRow(
            task=task,
            neither=sharpe(before, bars_per_year),
            first=first,
            second=second,
            both=sharpe(after, bars_per_year),
        )
        for task, (before, after), (first, second) in zip(tasks, arms, parts, strict=True)
    )
    return SwapMatrix(modules=(patch.module, patch.also.module), rows=rows)


def _meaning(first: float, second: float, both: float) -> str:
    if both <= max(first, second):
        return "one of the two alone does as well or better"
    return "both are needed for the whole of it" if both > first + second else "each brings part of it"
