"""Contracts and acceptance tests that refuse: which rule of which module, and how often.

A module refuses its own outputs because of what it was given or of how it is set. Runs that a change of settings or
code has overtaken are history; where the ledger is too old to say which they were, they count.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding
from supervisor.mined import Mined

# The numbers in a rule's words differ from run to run; the rule is the same.
_QUERY = """
WITH refused AS (
    SELECT r.stage || '/' || r.module AS name, r.side, r.run_id, m.task_digest, unnest(map_entries(r.rules)) AS rule
    FROM stage_refused r JOIN mined m USING (run_id)
    LEFT JOIN current c ON c.name = r.stage || '/' || r.module
    WHERE coalesce(r.code_digest, '') = '' OR c.name IS NULL
          OR (r.code_digest = c.code_digest AND r.settings_digest = c.settings_digest)),
told AS (SELECT *, regexp_replace(rule.key, '[0-9][0-9.]*', 'N', 'g') AS words FROM refused)
SELECT name, side, words, count(DISTINCT task_digest) AS tasks, count(DISTINCT run_id) AS n,
       CAST(sum(rule.value) AS DOUBLE) AS violations, list(DISTINCT run_id ORDER BY run_id) AS runs
FROM told GROUP BY name, side, words ORDER BY tasks DESC, n DESC, name, side, words
"""


@dataclass(frozen=True)
class Refusals:
    """Every rule that a boundary refused by, per module and side."""

    name: str = "refusals"
    turn: int = 2
    reads: frozenset[str] = frozenset({"run.started", "stage.refused"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module, side and rule; `size` is the number of violations."""
        return [
            Finding(
                miner=self.name,
                module=row["name"],
                pattern=f"{row['side']} refused: {row['words']}",
                statement=(
                    f"Without this, {row['tasks']} tasks would have gone on: {row['n']} runs ended in {row['name']}, "
                    f"whose {row['side']} broke the rule '{row['words']}' {row['violations']:.0f} times."
                ),
                size=row["violations"],
                unit="violations",
                occurrences=row["n"],
                evidence=tuple(row["runs"]),
                claim=Claim(metric="violations", direction="lower", least=row["violations"], over="finding"),
            )
            for row in traces.sql(_QUERY).iter_rows(named=True)
        ]


MINER = Refusals()
