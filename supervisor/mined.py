"""The part of the traces that may be mined: runs that ended before judging begins, with what is in force now.

A run that reaches into the judging period (or the lockbox) would let the supervisor tune to the exam, so it
is left out, counted and said. Runs of settings or code that are no longer in force are history: what they
did wrong may be mended already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from modules.panel import iso
from traces.query import sql

MINED_PURPOSES = ("run", "research")


@dataclass(frozen=True)
class InForce:
    """The identity of a module as it would run now."""

    settings_digest: str
    code_digest: str


@dataclass(frozen=True)
class Mined:
    """SQL over the traces, with three tables before the ledger's own views:

    `mined`     run_started, only the runs that may be mined;
    `stages`    stage_finished of those runs, with `name` ('stage/module'), data, signal, task_digest, seed, start;
    `in_force`  the rows of `stages` whose settings and code are those in force, the newest per task.

    `mining_ends_ns` maps the digest of each known data version to the end (exclusive) of its mining period.
    """

    ledger: Path
    mining_ends_ns: Mapping[str, int]
    modules: Mapping[str, InForce]

    def sql(self, query: str) -> pl.DataFrame:
        """The rows of one SELECT. Raises QueryError."""
        return sql(self.ledger, f"WITH {self._tables()} {query}")

    def left_out(self) -> dict[str, int]:
        """Why runs were not mined, with how many: what a reader of the findings must know."""
        found = self.sql(
            """SELECT CASE WHEN r.purpose NOT IN ('run', 'research') THEN NULL
                           WHEN m.data_digest IS NULL THEN 'of a data version that is not registered here'
                           ELSE 'reach beyond the mining period' END AS why, count(*) AS n
               FROM run_started r LEFT JOIN mining m USING (data_digest)
               WHERE r.run_id NOT IN (SELECT run_id FROM mined) GROUP BY why HAVING why IS NOT NULL ORDER BY why"""
        )
        return {str(why): int(n) for why, n in found.iter_rows()}

    def tasks_seen(self, module: str) -> frozenset[str]:
        """Digests of the tasks whose traces show `module` as it is in force."""
        rows = self.sql(f"SELECT DISTINCT task_digest FROM in_force WHERE name = {_text(module)}")
        return frozenset(rows.get_column("task_digest").to_list())

    def _tables(self) -> str:
        purposes = ", ".join(_text(p) for p in MINED_PURPOSES)
        return f"""
        mining(data_digest, ends) AS ({_values(((d, iso(t)) for d, t in self.mining_ends_ns.items()), 2)}),
        current(name, settings_digest, code_digest) AS (
            {_values(((n, m.settings_digest, m.code_digest) for n, m in self.modules.items()), 3)}),
        mined AS (
            SELECT r.* FROM run_started r JOIN mining m USING (data_digest)
            WHERE r."end" <= m.ends AND r.purpose IN ({purposes})),
        stages AS (
            SELECT s.*, s.stage || '/' || s.module AS name, m.data, m.signal, m.task_digest, m.seed, m.start
            FROM stage_finished s JOIN mined m USING (run_id)),
        in_force AS (
            SELECT s.* FROM stages s JOIN current c USING (name, settings_digest, code_digest)
            QUALIFY row_number() OVER (PARTITION BY s.name, s.task_digest ORDER BY s.seq DESC) = 1)
        """


def _values(rows: Iterable[tuple[str, ...]], width: int) -> str:
    """A VALUES list; a SELECT of no rows where there are none, because SQL has no empty VALUES."""
    listed = [f"({', '.join(_text(cell) for cell in row)})" for row in rows]
    return f"VALUES {', '.join(listed)}" if listed else f"SELECT {', '.join(['NULL::VARCHAR'] * width)} WHERE false"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
