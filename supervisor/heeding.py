"""What a human turned down is not asked again: levers that moved a rejected patch are taken out of findings.

A rejection holds for the setting, the way it was moved and the value it was moved from. Once another value is in force,
it was said of something else, and the lever is free again. What was rejected and approved later is not turned down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined

REJECTED = """
WITH said AS (
    SELECT branch, seq, "by" AS who, reason FROM review_rejected
    UNION ALL SELECT branch, seq, "by", NULL FROM review_approved),
last AS (SELECT * FROM said QUALIFY row_number() OVER (PARTITION BY branch ORDER BY seq DESC) = 1)
SELECT s.module, r.reason, r.who, r.branch, o.ablation_id, CAST(s.patch AS VARCHAR) AS patch
FROM last r JOIN review_opened o USING (branch) JOIN ablation_started s USING (ablation_id)
WHERE r.reason IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY r.branch ORDER BY o.seq DESC, s.seq DESC) = 1
ORDER BY r.seq
"""
"""Reviews that stand rejected: module, reason, who, branch, ablation_id and the patch as JSON, oldest first."""


@dataclass(frozen=True)
class Rejection:
    """A human's no to moving one setting from `old` in one direction."""

    module: str
    setting: str
    direction: Literal["raise", "lower"]
    old: float
    who: str
    reason: str


def rejections(traces: Mined) -> list[Rejection]:
    """Every standing rejection, a row a setting that is a number; oldest first."""
    found = []
    for row in traces.sql(REJECTED).iter_rows(named=True):
        for setting, change in json.loads(row["patch"]).items():
            old, new = change["old"], change["new"]
            if isinstance(old, int | float) and isinstance(new, int | float) and old != new:
                way: Literal["raise", "lower"] = "raise" if new > old else "lower"
                found.append(Rejection(row["module"], setting, way, float(old), row["who"], row["reason"]))
    return found


def heed(findings: Iterable[Finding], traces: Mined, said: Sequence[Rejection] | None = None) -> list[Finding]:
    """The findings, without the levers that a human's rejection forbids; their statements say who and why."""
    rejected = rejections(traces) if said is None else said
    standing = [r for r in rejected if _in_force(r, traces)]
    return [_heeded(finding, standing) for finding in findings]


def _in_force(rejection: Rejection, traces: Mined) -> bool:
    now = traces.modules.get(rejection.module)
    value = now.settings.get(rejection.setting) if now is not None else None
    return isinstance(value, int | float) and float(value) == rejection.old


def _heeded(finding: Finding, rejected: Sequence[Rejection]) -> Finding:
    against = [r for r in rejected if r.module == finding.module and Lever(r.setting, r.direction) in finding.levers]
    if not against:
        return finding
    gone = {Lever(r.setting, r.direction) for r in against}
    words = "; ".join(
        f"{r.who} turned down {Lever(r.setting, r.direction).words}: {r.reason[:200]}" for r in against[-2:]
    )
    return replace(
        finding,
        levers=tuple(lever for lever in finding.levers if lever not in gone),
        statement=f"{finding.statement} ({words})",
    )
