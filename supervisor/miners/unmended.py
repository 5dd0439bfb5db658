"""Patches that were merged and mended nothing: the finding they were made for is there again, as large as before.

The claim of a finding, refuted by later traces: a patch that was proposed for it was merged, and the same miner sees
the same pattern in the same module with less than the claimed change.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import LEAST_SHARE, Finding
from supervisor.mined import Mined

# The last sighting before the merge that a proposal named, against the last one after it.
_QUERY = """
WITH merged AS (
    SELECT s.module, a.seq, o.ablation_id FROM review_approved a JOIN review_opened o USING (branch)
    JOIN ablation_started s USING (ablation_id)
    QUALIFY row_number() OVER (PARTITION BY a.branch ORDER BY a.seq DESC, s.seq DESC) = 1),
meant AS (SELECT seq, unnest(findings) AS finding_id FROM patch_proposed),
before AS (
    SELECT f.miner, f.module, f.pattern, f.size, f.unit, m.ablation_id, m.seq AS merged
    FROM merged m JOIN finding_recorded f ON f.module = m.module AND f.seq < m.seq
    JOIN meant p ON p.finding_id = f.finding_id AND p.seq < m.seq
    WHERE f.pattern <> '' AND f.size > 0
    QUALIFY row_number() OVER (PARTITION BY f.miner, f.module, f.pattern, m.ablation_id ORDER BY f.seq DESC) = 1),
after AS (
    SELECT b.*, f.size AS now FROM before b JOIN finding_recorded f USING (miner, module, pattern)
    WHERE f.seq > b.merged
    QUALIFY row_number() OVER (PARTITION BY miner, module, pattern, b.ablation_id ORDER BY f.seq DESC) = 1)
SELECT miner, module, pattern, unit, count(*) AS n, median(size) AS size, median(now) AS now,
       list(ablation_id ORDER BY ablation_id) AS ids
FROM after WHERE now > {kept!r} * size GROUP BY miner, module, pattern, unit ORDER BY n DESC, miner, module, pattern
"""


@dataclass(frozen=True)
class Unmended:
    """Findings that a merged patch was made for, and that shrank by less than `least` of their size."""

    least: float = LEAST_SHARE
    name: str = "unmended"
    turn: int = 3
    reads: frozenset[str] = frozenset(
        {"finding.recorded", "patch.proposed", "ablation.started", "review.opened", "review.approved"}
    )

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a pattern; `size` is that of the pattern now."""
        return [
            Finding(
                miner=self.name,
                module=row["module"],
                pattern=f"still there after a patch for it was merged: {row['pattern']}",
                statement=(
                    f"Something else than what was merged mends '{row['pattern']}' in {row['module']}: {row['miner']} "
                    f"saw {row['size']:.3g} {row['unit']} before {row['n']} merged patches, and {row['now']:.3g} since."
                ),
                size=row["now"],
                unit=row["unit"],
                occurrences=row["n"],
                evidence=tuple(row["ids"]),
            )
            for row in traces.sql(_QUERY.format(kept=1.0 - self.least)).iter_rows(named=True)
        ]


MINER = Unmended()
