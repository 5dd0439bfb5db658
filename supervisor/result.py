"""What one pass of the supervisor came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablations.record import AblationRecord
from supervisor.finding import Finding
from supervisor.history import Judged
from traces.events import Setting


@dataclass(frozen=True)
class SettingChange:
    """One setting of a patch."""

    old: Setting
    new: Setting


@dataclass(frozen=True)
class VerdictLine:
    """One verdict. Numbers are None where the gate refused before they existed.

    `standing`: the verdict was reached before on this base, and stands; nothing was tried again. `noise_floor` is
    None for a standing verdict, its record holds it. `branch` is None for what is not shipped.
    """

    ablation_id: str
    module: str
    patch: dict[str, SettingChange]
    suite: str
    verdict: Literal["SHIP", "REJECT"]
    reason: str
    message: str
    delta: float | None
    lower_bound: float | None
    p_value: float | None
    level: float | None
    noise_floor: float | None
    branch: str | None
    standing: bool
    seconds: float

    @classmethod
    def fresh(cls, record: AblationRecord, branch: str | None) -> VerdictLine:
        """Of an ablation made now."""
        floor = record.floor
        return cls(
            ablation_id=record.ablation_id,
            module=record.patch.module,
            patch={name: SettingChange(c.old, c.new) for name, c in record.patch.settings.items()},
            suite=record.suite.name,
            verdict=record.verdict.word,
            reason=record.verdict.label,
            message=record.verdict.message,
            delta=floor.delta if floor else None,
            lower_bound=floor.lower_bound if floor else None,
            p_value=floor.p_value if floor else None,
            level=record.level,
            noise_floor=floor.noise_floor if floor else None,
            branch=branch,
            standing=False,
            seconds=record.runtime.seconds,
        )

    @classmethod
    def remembered(cls, judged: Judged, branch: str | None) -> VerdictLine:
        """Of an ablation made before."""
        end = judged.finished
        turned_down = " and a human turned it down" if judged.rejected_by_human else ""
        return cls(
            ablation_id=end.ablation_id,
            module=end.module,
            patch={name: SettingChange(c.old, c.new) for name, c in judged.started.patch.items()},
            suite=judged.started.suite,
            verdict=end.verdict,
            reason=end.reason,
            message=f"judged before on this base{turned_down}; the verdict stands",
            delta=end.delta,
            lower_bound=end.lower_bound,
            p_value=end.p_value,
            level=end.level,
            noise_floor=None,
            branch=branch,
            standing=True,
            seconds=0.0,
        )


@dataclass(frozen=True)
class SuperviseResult:
    """Findings, verdicts, and what a reader must know: what was left out, skipped, or not possible."""

    findings: tuple[Finding, ...]
    verdicts: tuple[VerdictLine, ...]
    notes: tuple[str, ...]
    seconds: float
