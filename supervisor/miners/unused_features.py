"""Features that nobody ever used: in their family's library, and in the members of no run."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._figures import COMPARED

_QUERY = """
WITH newest AS (
    SELECT f.* FROM features_compared f JOIN current c ON c.name = f.module AND c.code_digest = f.code_digest
    QUALIFY row_number() OVER (PARTITION BY f.module ORDER BY f.seq DESC) = 1),
known AS (SELECT module, comparison_id, len(features) AS library, unnest(features) AS feature FROM newest),
members AS (
    SELECT name, run_id, from_json(settings->>'$.members', '["VARCHAR"]') AS members FROM stages
    WHERE stage = 'feature' AND (settings->>'$.members') IS NOT NULL),
used AS (SELECT DISTINCT name AS module, unnest(members) AS feature FROM members),
runs AS (SELECT name AS module, count(DISTINCT run_id) AS runs FROM members GROUP BY name)
SELECT module, any_value(comparison_id) AS comparison, any_value(library) AS library, any_value(runs) AS runs,
       list(feature ORDER BY feature) AS features
FROM known JOIN runs USING (module) WHERE (module, feature) NOT IN (SELECT module, feature FROM used)
GROUP BY module ORDER BY len(list(feature)) / any_value(library) DESC, module
"""
MOST_NAMED = 5


@dataclass(frozen=True)
class UnusedFeatures:
    """Families with features that no mined run had among its members."""

    name: str = "unused_features"
    turn: int = 3
    reads: frozenset[str] = COMPARED

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a family; `size` is the share of its features that were never used."""
        found = []
        for row in traces.sql(_QUERY).iter_rows(named=True):
            features: list[str] = row["features"]
            more = f" and {len(features) - MOST_NAMED} more" if len(features) > MOST_NAMED else ""
            found.append(
                Finding(
                    miner=self.name,
                    module=row["module"],
                    pattern="features are never used",
                    statement=(
                        f"A member of {row['module']} that was never tried adds to its signal: {len(features)} of "
                        f"{row['library']} features were in none of {row['runs']} runs "
                        f"({', '.join(features[:MOST_NAMED])}{more})."
                    ),
                    size=len(features) / row["library"],
                    unit="share of the family's features",
                    occurrences=len(features),
                    evidence=(row["comparison"],),
                )
            )
        return found


MINER = UnusedFeatures()
