"""Skills matched in vain: they are called for, they draft, and nothing of theirs is ever chosen."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_QUERY = """
WITH drafted AS (SELECT DISTINCT skill, research_id, expr FROM candidate_drafted),
known AS (
    SELECT d.skill, d.research_id, d.expr, bool_or(coalesce(c.passed, false)) AS passed,
           max(s.score) AS score, bool_or(w.expr IS NOT NULL) AS chosen
    FROM drafted d LEFT JOIN candidate_checked c USING (research_id, expr)
    LEFT JOIN candidate_screened s USING (research_id, expr) LEFT JOIN module_written w USING (research_id, expr)
    GROUP BY ALL)
SELECT skill, count(DISTINCT research_id) AS n, count(*) AS drafts, count(*) FILTER (passed) AS passed,
       count(*) FILTER (score > 0) AS positive, list(DISTINCT research_id ORDER BY research_id) AS researches
FROM known GROUP BY skill HAVING n >= {least} AND NOT bool_or(chosen) ORDER BY n DESC, skill
"""


@dataclass(frozen=True)
class VainSkills:
    """Skills that drafted in at least `least` researches, none of which chose a candidate of theirs."""

    least: int = 5
    name: str = "vain_skills"
    turn: int = 3
    reads: frozenset[str] = frozenset(
        {"candidate.drafted", "candidate.checked", "candidate.screened", "module.written"}
    )

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a skill; `size` is the number of researches that it drafted for in vain."""
        return [
            Finding(
                miner=self.name,
                module=f"skills/{row['skill']}",
                pattern="matched, and never chosen",
                statement=(
                    f"Another recipe in skill {row['skill']} is chosen at least once: it drafted {row['drafts']} "
                    f"candidates in {row['n']} researches, {row['passed']} passed the checks, {row['positive']} had a "
                    f"positive screen, and none became a module."
                ),
                size=float(row["n"]),
                unit="researches in vain",
                occurrences=row["n"],
                evidence=tuple(row["researches"]),
            )
            for row in traces.sql(_QUERY.format(least=self.least)).iter_rows(named=True)
        ]


MINER = VainSkills()
