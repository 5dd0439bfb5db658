"""Skills that no hypothesis ever called for: their phrases are not how people speak, or nobody wants them."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_DRAFTED = """
SELECT count(DISTINCT research_id) AS researches, list(DISTINCT skill) AS skills,
       list(DISTINCT research_id ORDER BY research_id) AS runs
FROM candidate_drafted
"""


@dataclass(frozen=True)
class IdleSkills:
    """Skills that drafted nothing in at least `least` researches that drafted something."""

    least: int = 50
    name: str = "idle_skills"
    turn: int = 3
    reads: frozenset[str] = frozenset({"candidate.drafted"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a skill; `size` is the number of researches that passed it by."""
        [row] = traces.sql(_DRAFTED).iter_rows(named=True)
        researches: int = row["researches"]
        if researches < self.least:
            return []
        return [
            Finding(
                miner=self.name,
                module=f"skills/{skill}",
                pattern="never matched",
                statement=(
                    f"Phrases in which people say it let skill {skill} be found: in {researches} researches that "
                    f"drafted candidates it drafted none."
                ),
                size=float(researches),
                unit="researches without it",
                occurrences=researches,
                evidence=tuple(row["runs"][-1:]),
            )
            for skill in sorted(traces.skills - set(row["skills"]))
        ]


MINER = IdleSkills()
