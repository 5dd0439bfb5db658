"""Guards: metrics that a patch may not worsen beyond a tolerance, whatever its gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from modules.contract import Guard

Reduction = Literal["mean", "worst", "ratio"]

# The widest that each metric can move: a tolerance at or above it could never fire. Unlisted: unbounded.
RANGES: Mapping[str, float] = {"max_drawdown": 1.0, "coverage": 1.0, "gross_exposure": 2.0, "net_exposure": 2.0}
MOST_TOLERANCE = 1e6


class GuardError(ValueError):
    """A guard that could never fire, or whose metric nobody writes."""


class GuardRule(BaseModel):
    """One guard. `mean`: of the tasks' changes; `worst`: of any one task; `ratio`: of the tasks' means.

    For `ratio`, `tolerance` is the share that may be lost (better = higher) or added (better = lower).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: str
    better: Literal["higher", "lower"]
    tolerance: float
    over: Reduction = "mean"

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        limit = RANGES.get(self.metric, MOST_TOLERANCE)
        if self.over == "ratio":
            limit = 1.0 if self.better == "higher" else MOST_TOLERANCE
        if not 0.0 <= self.tolerance < limit:
            raise ValueError(
                f"guard {self.metric} tolerates {self.tolerance:g}; it could never fire, or never hold: "
                f"give 0 <= tolerance < {limit:g}"
            )
        return self

    @property
    def name(self) -> str:
        """Metric, and how it is read where that is not the mean."""
        return self.metric if self.over == "mean" else f"{self.metric}.{self.over}"


class GuardReading(BaseModel):
    """A guard with what was found. `loss` is how much worse the patched arm is, in the guard's terms."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    baseline: float
    patched: float
    loss: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the loss is tolerated."""
        return self.loss <= self.tolerance

    @property
    def sentence(self) -> str:
        """For the verdict."""
        return (
            f"{self.name} goes from {self.baseline:.4g} to {self.patched:.4g}, worse by {self.loss:.4g}; "
            f"{self.tolerance:.4g} is tolerated"
        )


def rules_of(contract: Sequence[Guard]) -> tuple[GuardRule, ...]:
    """A module's declared guards. Raises GuardError for one that could never fire."""
    return tuple(make_rule(g.metric, g.better, g.tolerance) for g in contract)


def make_rule(metric: str, better: Literal["higher", "lower"], tolerance: float, over: Reduction = "mean") -> GuardRule:
    """A guard rule. Raises GuardError for one that could never fire."""
    try:
        return GuardRule(metric=metric, better=better, tolerance=tolerance, over=over)
    except ValueError as error:
        raise GuardError(f"guard {metric}: {error}") from error


def read(rule: GuardRule, baseline: Sequence[float | None], patched: Sequence[float | None]) -> GuardReading:
    """Read `rule` on a metric's values per task in both arms.

    A task whose metric does not exist in both arms (no trades, no variance) is left out; where none is left
    the guard could not fire and GuardError is raised.
    """
    pairs = [(a, b) for a, b in zip(baseline, patched, strict=True) if a is not None and b is not None]
    pairs = [(a, b) for a, b in pairs if isfinite(a) and isfinite(b)]
    if not pairs:
        raise GuardError(f"guard {rule.metric}: no task has this metric in both arms; name a metric that modules write")
    before, after = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    sign = 1.0 if rule.better == "lower" else -1.0
    if rule.over == "worst":
        before, after = max(pairs, key=lambda p: sign * (p[1] - p[0]))
    loss = sign * (after - before)
    if rule.over == "ratio":
        loss = loss / abs(before) if before != 0.0 else (0.0 if loss <= 0.0 else MOST_TOLERANCE)
    return GuardReading(name=rule.name, baseline=before, patched=after, loss=loss, tolerance=rule.tolerance)
