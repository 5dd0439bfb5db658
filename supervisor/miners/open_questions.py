"""Words that nobody reads: hypotheses come to a halt at the same part, again and again."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_QUERY = """
WITH parts AS (
    SELECT DISTINCT research_id, lower(trim(unnest(unread))) AS part FROM research_needs_input),
totals AS (SELECT count(DISTINCT research_id) AS researches FROM research_started)
SELECT part, count(*) AS n, any_value(researches) AS researches, list(research_id ORDER BY research_id) AS ids
FROM parts, totals WHERE part <> '' GROUP BY part HAVING n >= {least} ORDER BY n DESC, part
"""


@dataclass(frozen=True)
class OpenQuestions:
    """Parts of hypotheses that at least `least` researches could not read."""

    least: int = 3
    name: str = "open_questions"
    turn: int = 3
    reads: frozenset[str] = frozenset({"research.started", "research.needs_input"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a part; `size` is the number of researches that stopped there."""
        return [
            Finding(
                miner=self.name,
                module="harness/reading",
                pattern=f"unread: {row['part'][:80]}",
                statement=(
                    f"A skill whose phrases hold '{row['part'][:80]}' lets {row['n']} of {row['researches']} "
                    f"researches go on without a question."
                ),
                size=float(row["n"]),
                unit="researches",
                occurrences=row["n"],
                evidence=tuple(row["ids"]),
            )
            for row in traces.sql(_QUERY.format(least=self.least)).iter_rows(named=True)
        ]


MINER = OpenQuestions()
