"""Stages computed anew, by cause: what moved since the same task was computed last."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

# The causes in the order in which they are asked: a stage whose code moved usually has moved inputs downstream too.
_QUERY = """
WITH executed AS (
    SELECT *, CAST(inputs AS VARCHAR) AS taken,
           lag(code_digest) OVER w AS code_before, lag(settings_digest) OVER w AS settings_before,
           lag(CAST(inputs AS VARCHAR)) OVER w AS taken_before, lag(seq) OVER w AS seq_before
    FROM stages WHERE NOT cached WINDOW w AS (PARTITION BY name, task_digest ORDER BY seq)),
missed AS (
    SELECT name, run_id, seconds,
           CASE WHEN code_digest <> code_before THEN 'its code changed'
                WHEN settings_digest <> settings_before THEN 'its settings changed'
                WHEN taken <> taken_before THEN 'its inputs changed'
                ELSE 'nothing changed that the ledger shows' END AS cause
    FROM executed WHERE seq_before IS NOT NULL)
SELECT name, cause, sum(seconds) AS seconds, count(*) AS n, list(run_id ORDER BY run_id) AS runs
FROM missed GROUP BY name, cause HAVING n >= {least} AND sum(seconds) > {seconds!r}
ORDER BY seconds DESC, name, cause
"""
_REMEDY = {
    "its code changed": "batching changes to that code",
    "its settings changed": "comparing settings in a search, whose stages before it are shared,",
    "its inputs changed": "keeping what comes before it as it is",
    "nothing changed that the ledger shows": "leaving the cache on and the artifacts in place",
}


@dataclass(frozen=True)
class CacheMisses:
    """Repetitions of a task that had to compute a stage again, at least `least` for one cause and above `seconds`."""

    least: int = 2
    seconds: float = 1.0
    name: str = "cache_misses"
    turn: int = 3
    reads: frozenset[str] = frozenset({"run.started", "stage.finished"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module and cause; `size` is the seconds that were spent again."""
        rows = traces.sql(_QUERY.format(least=self.least, seconds=self.seconds))
        return [
            Finding(
                miner=self.name,
                module=row["name"],
                pattern=f"computed again because {row['cause']}",
                statement=(
                    f"{_REMEDY[row['cause']].capitalize()} saves {row['seconds']:.1f} s: {row['name']} was computed "
                    f"again in {row['n']} repetitions of a task because {row['cause']}."
                ),
                size=row["seconds"],
                unit="seconds",
                occurrences=row["n"],
                evidence=tuple(sorted(set(row["runs"]))),
            )
            for row in rows.iter_rows(named=True)
        ]


MINER = CacheMisses()
