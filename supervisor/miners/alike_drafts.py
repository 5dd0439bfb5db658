"""Drafts that fail the same way: one skill's candidates keep being refused for one reason."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

# Two reasons are alike if they say the same up to the first detail, whatever the numbers in it.
_ALIKE = "trim(regexp_replace(regexp_extract(c.reason, '^[^:;]*'), '[0-9][0-9.]*', 'N', 'g'))"


@dataclass(frozen=True)
class AlikeDrafts:
    """Candidates of one skill that failed one check at least `least` times, and more often than they passed."""

    least: int = 3
    name: str = "alike_drafts"
    turn: int = 3
    reads: frozenset[str] = frozenset({"candidate.drafted", "candidate.checked"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding per skill and reason; `size` is the share of the skill's candidates that it took."""
        rows = traces.sql(
            f"""
            WITH checked AS (
                SELECT DISTINCT d.skill, c.research_id, c.expr, c.passed, {_ALIKE} AS reason
                FROM candidate_checked c JOIN candidate_drafted d USING (research_id, expr)),
            totals AS (SELECT skill, count(*) AS drafted FROM checked GROUP BY skill)
            SELECT skill, reason, count(*) AS n, any_value(drafted) AS drafted, count(*) / any_value(drafted) AS size,
                   list(DISTINCT research_id ORDER BY research_id) AS researches
            FROM checked JOIN totals USING (skill) WHERE NOT passed
            GROUP BY skill, reason HAVING n >= {self.least} AND size > 0.5 ORDER BY size DESC, n DESC, skill, reason"""
        )
        return [
            Finding(
                miner=self.name,
                module=f"skills/{row['skill']}",
                pattern=f"drafts fail alike: {row['reason']}",
                statement=(
                    f"A recipe of skill {row['skill']} that avoids '{row['reason']}' lets more drafts through: "
                    f"{row['n']} of its {row['drafted']} candidates failed for that one reason."
                ),
                size=row["size"],
                unit="share of the skill's candidates",
                occurrences=row["n"],
                evidence=tuple(row["researches"]),
            )
            for row in rows.iter_rows(named=True)
        ]


MINER = AlikeDrafts()
