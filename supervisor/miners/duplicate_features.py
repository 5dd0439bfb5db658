"""Features that say the same: two members of a family rank the symbols alike, and count twice in its mean."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._figures import COMPARED

_QUERY = """
WITH newest AS (
    SELECT f.* FROM features_compared f
    JOIN current c ON c.name = f.module AND c.code_digest = f.code_digest AND c.settings_digest = f.settings_digest),
pairs AS (
    SELECT module, comparison_id, used, unnest(map_entries(alike)) AS pair FROM newest),
told AS (
    SELECT module, comparison_id, pair.value AS value, split_part(pair.key, ' ', 1) AS first,
           split_part(pair.key, ' ', 2) AS second, used FROM pairs)
SELECT module, first, second, median(value) AS value, count(*) AS n,
       list(comparison_id ORDER BY comparison_id) AS comparisons
FROM told WHERE list_contains(used, first) AND list_contains(used, second)
GROUP BY module, first, second ORDER BY abs(median(value)) DESC, module, first, second
"""


@dataclass(frozen=True)
class DuplicateFeatures:
    """Pairs of members in force whose values have a mean rank correlation at the comparison's floor, or beyond."""

    name: str = "duplicate_features"
    turn: int = 2
    reads: frozenset[str] = COMPARED

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a pair; `size` is the size of their mean rank correlation."""
        return [
            Finding(
                miner=self.name,
                module=row["module"],
                pattern=f"{row['first']} and {row['second']} rank {'alike' if row['value'] > 0 else 'inversely'}",
                statement=(
                    f"{row['module']} loses nothing without one of {row['first']} and {row['second']}: their values "
                    f"have a mean rank correlation of {row['value']:.3f}."
                ),
                size=abs(row["value"]),
                unit="mean rank correlation",
                occurrences=row["n"],
                evidence=tuple(row["comparisons"]),
            )
            for row in traces.sql(_QUERY).iter_rows(named=True)
        ]


MINER = DuplicateFeatures()
