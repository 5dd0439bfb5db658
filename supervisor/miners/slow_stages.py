"""Stages that make everybody wait: one module takes most of the time, or more than it took before its code changed."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined

_SHARE = """
WITH worked AS (SELECT * FROM stages WHERE NOT cached),
whole AS (SELECT sum(seconds) AS seconds FROM worked)
SELECT w.name, sum(w.seconds) AS seconds, sum(w.seconds) / any_value(t.seconds) AS share, count(*) AS n,
       list(w.run_id ORDER BY w.seconds DESC, w.run_id) AS runs
FROM worked w, whole t GROUP BY w.name HAVING share > {share!r} AND sum(w.seconds) > {seconds!r}
ORDER BY seconds DESC, w.name
"""
# The same task, executed by other code before: seconds now over seconds then, the median over tasks.
_SLOWER = """
WITH worked AS (
    SELECT name, task_digest, code_digest, settings_digest, median(seconds) AS seconds, max(seq) AS seq,
           any_value(run_id) AS run_id
    FROM stages WHERE NOT cached GROUP BY ALL),
pairs AS (
    SELECT a.name, a.run_id, a.seconds / b.seconds AS ratio, a.seconds - b.seconds AS lost
    FROM worked a JOIN current c USING (name, settings_digest, code_digest)
    JOIN worked b ON b.name = a.name AND b.task_digest = a.task_digest AND b.settings_digest = a.settings_digest
                     AND b.code_digest <> a.code_digest AND b.seq < a.seq AND b.seconds > 0
    QUALIFY row_number() OVER (PARTITION BY a.name, a.task_digest ORDER BY b.seq DESC) = 1)
SELECT name, median(ratio) AS ratio, sum(lost) AS seconds, count(*) AS n, list(run_id ORDER BY run_id) AS runs
FROM pairs GROUP BY name HAVING n >= {least} AND ratio > {slower!r} ORDER BY ratio DESC, name
"""


@dataclass(frozen=True)
class SlowStages:
    """Modules that took more than `share` of all seconds executed (and more than `seconds`), and modules that take
    `slower` times what the code before took on the same tasks, at least `least` of them."""

    share: float = 0.5
    seconds: float = 5.0
    slower: float = 1.5
    least: int = 3
    name: str = "slow_stages"
    turn: int = 3
    reads: frozenset[str] = frozenset({"run.started", "stage.finished"})

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a module and kind; `size` is in seconds."""
        shares = traces.sql(_SHARE.format(share=self.share, seconds=self.seconds)).iter_rows(named=True)
        slower = traces.sql(_SLOWER.format(slower=self.slower, least=self.least)).iter_rows(named=True)
        return [
            *(
                self._finding(
                    row,
                    f"takes more than {self.share:.0%} of the time of all stages",
                    f"A faster {row['name']} makes runs faster: it took {row['seconds']:.1f} s in {row['n']} runs, "
                    f"{row['share']:.0%} of all that stages took.",
                )
                for row in shares
            ),
            *(
                self._finding(
                    row,
                    f"takes more than {self.slower:g} times what its code before took",
                    f"The code in force of {row['name']} is {row['ratio']:.1f} times (median of {row['n']} tasks) as "
                    f"slow as the code before it on the same tasks and settings.",
                )
                for row in slower
            ),
        ]

    def _finding(self, row: dict[str, object], pattern: str, statement: str) -> Finding:
        seconds, runs, n = row["seconds"], row["runs"], row["n"]
        assert isinstance(seconds, float) and isinstance(runs, list) and isinstance(n, int), "as the query gives them"
        return Finding(self.name, str(row["name"]), pattern, statement, seconds, "seconds", n, tuple(runs))


MINER = SlowStages()
