"""Runs that were tried again: the same task failed, and somebody had to ask twice."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_QUERY = """
WITH failed AS (
    SELECT f.run_id, f.error, coalesce(f.stage, '') AS stage, m.seq, m.task_digest, m.modules
    FROM run_failed f JOIN mined m USING (run_id)),
again AS (
    SELECT f.*, n.run_id AS next_run FROM failed f JOIN mined n USING (task_digest) WHERE n.seq > f.seq
    QUALIFY row_number() OVER (PARTITION BY f.run_id ORDER BY n.seq) = 1)
SELECT CASE WHEN stage = '' THEN 'pipeline' ELSE stage || '/' || modules[stage] END AS name, error,
       count(*) AS n, count(DISTINCT task_digest) AS tasks, count(r.run_id) AS mended,
       list(a.run_id ORDER BY a.run_id) AS runs
FROM again a LEFT JOIN run_finished r ON r.run_id = a.next_run
GROUP BY ALL HAVING n >= {least} ORDER BY n DESC, name, error
"""


@dataclass(frozen=True)
class RetriedRuns:
    """Runs that failed and whose task was started again, at least `least` times at one module for one error."""

    least: int = 2
    name: str = "retried_runs"
    turn: int = 3
    reads: frozenset[str] = frozenset({"run.started", "run.failed", "run.finished"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module and error; `size` is the number of retries."""
        return [
            Finding(
                miner=self.name,
                module=row["name"],
                pattern=f"runs are tried again after {row['error']}",
                statement=(
                    f"Refusing early, or mending what raises {row['error']} in {row['name']}, saves {row['n']} runs: "
                    f"{row['tasks']} tasks were started again after it, and {row['mended']} of these went through at "
                    f"the next try."
                ),
                size=float(row["n"]),
                unit="retries",
                occurrences=row["n"],
                evidence=tuple(row["runs"]),
            )
            for row in traces.sql(_QUERY.format(least=self.least)).iter_rows(named=True)
        ]


MINER = RetriedRuns()
