"""Work repeated on identical inputs: a stage was executed again though its result was known."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS


@dataclass(frozen=True)
class RepeatedWork:
    """Stages executed, not recalled, more than once with the same code, settings, inputs, seed and start."""

    least: int = 2
    name: str = "repeated_work"
    turn: int = 3
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module; `size` is the seconds that recalling would have saved."""
        rows = traces.sql(
            f"""
            WITH executed AS (
                SELECT name, code_digest, settings_digest, CAST(inputs AS VARCHAR) AS inputs, seed, start,
                       count(*) AS times, sum(seconds) - min(seconds) AS wasted, list(run_id ORDER BY seq) AS runs
                FROM stages WHERE NOT cached GROUP BY ALL HAVING times > 1)
            SELECT name, sum(wasted) AS size, CAST(sum(times) - count(*) AS BIGINT) AS n, flatten(list(runs)) AS runs
            FROM executed GROUP BY name HAVING n >= {self.least} ORDER BY size DESC, name"""
        )
        return [
            Finding(
                miner=self.name,
                module=row["name"],
                pattern="executed again on identical inputs",
                statement=(
                    f"Recalling the known result of {row['name']} saves {row['size']:.1f} s: it was executed "
                    f"{row['n']} times more often than its inputs changed (cache off, or artifacts deleted)."
                ),
                size=row["size"],
                unit="seconds",
                occurrences=row["n"],
                evidence=tuple(sorted(set(row["runs"]))),
            )
            for row in rows.iter_rows(named=True)
        ]


MINER = RepeatedWork()
