"""What one night came to."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.result import VerdictLine
from traces.events import ArmPaid


@dataclass(frozen=True)
class NightResult:
    """Findings, pulls in order, verdicts, and what a reader must know. `reason`: why nothing more was begun; `resumed`
    = it had been cut off, and went on."""

    night_id: str
    number: int
    seed: int
    resumed: bool
    reason: str
    seconds: float
    budget_s: float
    findings: tuple[Finding, ...]
    pulls: tuple[ArmPaid, ...]
    verdicts: tuple[VerdictLine, ...]
    notes: tuple[str, ...]

    @property
    def shipped(self) -> int:
        """Patches that wait for a human because of this night."""
        return sum(p.outcome == "ship" for p in self.pulls)

    @property
    def judged(self) -> int:
        """Trials that were spent."""
        return sum(p.ablation_id is not None for p in self.pulls)
