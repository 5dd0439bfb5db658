"""Patches that win where they were chosen and nowhere else: a module whose candidates the judge keeps refusing."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

# Refusals that say the effect is not there; those that say something of the workspace (a certificate) do not count.
_QUERY = """
WITH judged AS (
    SELECT module, ablation_id, verdict, reason, seconds FROM ablation_finished
    QUALIFY row_number() OVER (PARTITION BY ablation_id ORDER BY seq DESC) = 1)
SELECT module, count(*) AS n, count(*) FILTER (verdict = 'SHIP') AS shipped, sum(seconds) AS seconds,
       mode(reason) AS reason, list(ablation_id ORDER BY ablation_id) AS ids
FROM judged WHERE verdict = 'SHIP' OR split_part(reason, '(', 1) IN
    ('NO_EFFECT', 'NOT_BETTER', 'NOT_SIGNIFICANT', 'P_VALUE_TOO_COARSE', 'TOO_LITTLE_EVIDENCE', 'GUARD')
GROUP BY module HAVING n >= {least} AND shipped = 0 ORDER BY n DESC, seconds DESC, module
"""


@dataclass(frozen=True)
class VainPatches:
    """Modules of which at least `least` patches were judged, none to ship."""

    least: int = 5
    name: str = "vain_patches"
    turn: int = 3
    reads: frozenset[str] = frozenset({"ablation.finished"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module; `size` is the seconds that its ablations took."""
        return [
            Finding(
                miner=self.name,
                module=row["module"],
                pattern="patches are judged in vain",
                statement=(
                    f"Time spent on another module ships more: {row['n']} patches of {row['module']} were judged in "
                    f"{row['seconds']:.0f} s and none shipped (most often {row['reason']})."
                ),
                size=row["seconds"],
                unit="seconds",
                occurrences=row["n"],
                evidence=tuple(row["ids"]),
            )
            for row in traces.sql(_QUERY.format(least=self.least)).iter_rows(named=True)
        ]


MINER = VainPatches()
