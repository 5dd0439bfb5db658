"""Data faults that cleaning misses: planted by a seed into registered data, and not flagged."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._seeded import KINDS, NEWEST, tighter

_QUERY = """
WITH trials AS ({newest}),
kinds AS (SELECT module, trial_id, unnest(map_entries(planted)) AS entry, found AS known FROM trials),
sums AS (
    SELECT module, entry.key AS kind, CAST(sum(entry.value) AS DOUBLE) AS planted,
           CAST(sum(coalesce(known[entry.key], 0)) AS DOUBLE) AS found, list(trial_id ORDER BY trial_id) AS trials
    FROM kinds GROUP BY module, entry.key)
SELECT * FROM sums WHERE planted > 0 AND found < {recall!r} * planted ORDER BY found / planted, module, kind
"""


@dataclass(frozen=True)
class MissedFaults:
    """Kinds of planted faults of which less than `recall` were found."""

    recall: float = 0.9
    name: str = "missed_faults"
    turn: int = 2
    reads: frozenset[str] = KINDS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a cleaning module and kind; `size` is the share of the planted faults that it missed."""
        return [
            Finding(
                miner=self.name,
                module=row["module"],
                pattern=f"planted faults are missed: {row['kind']}",
                statement=(
                    f"A tighter rule for {row['kind']} in {row['module']} finds more true faults: it found "
                    f"{row['found']:.0f} of the {row['planted']:.0f} that were planted."
                ),
                size=1.0 - row["found"] / row["planted"],
                unit="share of planted faults",
                occurrences=int(row["planted"] - row["found"]),
                evidence=tuple(row["trials"]),
                levers=tighter(row["kind"]),
            )
            for row in traces.sql(_QUERY.format(newest=NEWEST, recall=self.recall)).iter_rows(named=True)
        ]


MINER = MissedFaults()
