"""Modules in code that fail alike: drafts in Python break one rule again and again in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_QUERY = """
WITH failed AS (SELECT coding_id, module, unnest(failed) AS rule FROM module_tested WHERE NOT passed),
totals AS (SELECT count(DISTINCT coding_id) AS drafts FROM module_tested)
SELECT split_part(module, '/', 1) AS stage, rule, count(DISTINCT coding_id) AS n, count(*) AS attempts,
       any_value(drafts) AS drafts, list(DISTINCT coding_id ORDER BY coding_id) AS codings
FROM failed, totals GROUP BY stage, rule HAVING n >= {least} ORDER BY n DESC, attempts DESC, stage, rule
"""


@dataclass(frozen=True)
class AlikeCode:
    """Rules that at least `least` drafts of modules broke."""

    least: int = 3
    name: str = "alike_code"
    turn: int = 3
    reads: frozenset[str] = frozenset({"module.tested"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a stage and rule; `size` is the number of attempts that it took."""
        return [
            Finding(
                miner=self.name,
                module=f"skills/module-{row['stage']}",
                pattern=f"drafts of modules fail alike: {row['rule']}",
                statement=(
                    f"Saying how to keep '{row['rule']}' lets drafts of {row['stage']} modules through sooner: "
                    f"{row['n']} of {row['drafts']} broke it, in {row['attempts']} attempts."
                ),
                size=float(row["attempts"]),
                unit="attempts",
                occurrences=row["n"],
                evidence=tuple(row["codings"]),
            )
            for row in traces.sql(_QUERY.format(least=self.least)).iter_rows(named=True)
        ]


MINER = AlikeCode()
