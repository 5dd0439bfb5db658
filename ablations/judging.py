"""A stream of patches before the gate: each is judged at the level that the trials before it leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ablations.floor import Series
from ablations.gate import Reason, Verdict, decide
from ablations.guards import GuardReading
from ablations.record import weigh
from ablations.trials import next_level

_HOLDS = GuardReading(name="assumed", baseline=0.0, patched=0.0, loss=0.0, tolerance=0.0)


@dataclass(frozen=True)
class Judged:
    """A verdict and the p-value behind it (1 where there is none)."""

    verdict: Verdict
    p_value: float
    level: float

    @property
    def ships(self) -> bool:
        """Whether the gate ships it."""
        return self.verdict.ship


def judge(series: Series, level: float, seed: int) -> Judged:
    """The gate's verdict on `series` at `level`, guards and certificate taken to hold."""
    evidence = weigh((), series, (_HOLDS,), level, seed, "CURRENT")
    verdict = decide(evidence)
    assert verdict.reason is not Reason.GUARD
    return Judged(verdict, evidence.floor.p_value if evidence.floor is not None else 1.0, level)


def judge_stream(patches: Iterable[tuple[Series, int]]) -> list[Judged]:
    """The verdicts on `(series, seed)` one after the other, as trials of one fresh workspace."""
    found: list[Judged] = []
    for series, seed in patches:
        found.append(judge(series, next_level(j.ships for j in found), seed))
    return found
