"""Money spent on models without effect: researches that paid for answers and came to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_QUERY = """
WITH spent AS (
    SELECT who, research_id, sum(cost_micro_usd) / 1e6 AS usd, count(*) AS calls,
           sum(input_tokens + output_tokens) AS tokens
    FROM exchange_recorded WHERE NOT coalesce(replayed, false) GROUP BY ALL),
ended AS (
    SELECT s.*, w.research_id IS NULL AS vain FROM spent s
    LEFT JOIN (SELECT DISTINCT research_id FROM module_written) w USING (research_id))
SELECT who, sum(usd) FILTER (vain) AS usd, sum(usd) AS all_usd, sum(calls) FILTER (vain) AS calls,
       CAST(sum(tokens) FILTER (vain) AS DOUBLE) AS tokens, count(*) FILTER (vain) AS n, count(*) AS researches,
       list(research_id ORDER BY usd DESC NULLS LAST, research_id) FILTER (vain) AS ids
FROM ended GROUP BY who
HAVING n >= {least} AND n > {share!r} * researches AND (usd > {usd!r} OR tokens > {tokens!r})
ORDER BY usd DESC NULLS LAST, who
"""


@dataclass(frozen=True)
class VainSpend:
    """Models more than `share` of whose researches (at least `least`) gave no module, and which cost above `usd` or
    `tokens` there. Answers heard again from a tape cost nothing."""

    least: int = 3
    share: float = 0.5
    usd: float = 0.01
    tokens: int = 10_000
    name: str = "vain_spend"
    turn: int = 3
    reads: frozenset[str] = frozenset({"exchange.recorded", "module.written"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a model; `size` is in dollars (0 where no price is known)."""
        query = _QUERY.format(least=self.least, share=self.share, usd=self.usd, tokens=self.tokens)
        return [
            Finding(
                miner=self.name,
                module=f"harness/{row['who']}",
                pattern="paid answers led to no module",
                statement=(
                    f"Stopping earlier, or asking less, of {row['who']} saves {row['usd'] or 0.0:.2f} dollars: "
                    f"{row['n']} of {row['researches']} researches that it answered gave no module "
                    f"({row['calls']} calls, {row['tokens']:,.0f} tokens)."
                ),
                size=float(row["usd"] or 0.0),
                unit="dollars",
                occurrences=row["n"],
                evidence=tuple(row["ids"]),
            )
            for row in traces.sql(query).iter_rows(named=True)
        ]


MINER = VainSpend()
