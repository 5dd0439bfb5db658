"""The part of the traces that may be mined: runs that ended before judging begins, with what is in force now.

A run that reaches into the judging period (or the lockbox) would let the supervisor tune to the exam, so it
is left out, counted and said. Runs of settings or code that are no longer in force are history: what they
did wrong may be mended already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from modules.datastore import DataStore
from modules.panel import iso
from modules.workspace import Workspace
from supervisor.inforce import InForce, drafting_skills, modules_in_force
from traces.tables import Tables

__all__ = ["MINED_PURPOSES", "InForce", "Mined", "mined_of"]

MINED_PURPOSES = ("run", "research")


@dataclass(frozen=True)
class Mined:
    """SQL over the traces: a table for each kind of event (`traces.tables`; of runs only those for `MINED_PURPOSES`)
    and

    `mined`     run_started, only the runs that may be mined;
    `stages`    stage_finished of those runs, with `name` ('stage/module'), data, signal, task_digest, seed, start;
    `in_force`  the rows of `stages` whose settings and code are those in force, the newest per task;
    `refused`   stage_refused of runs all of whose modules are in force, with `name` and task_digest;
    `profiles`  run_profiled, the newest per run, with `name`, the sizing in force: what decides who holds what.

    `mining_ends_ns` maps the digest of each known data version to the end (exclusive) of its mining period. `tables`
    may be handed from one `Mined` to the next, so that only what was appended since is read.
    """

    ledger: Path
    mining_ends_ns: Mapping[str, int]
    modules: Mapping[str, InForce]
    skills: frozenset[str] = frozenset()
    tables: Tables | None = field(default=None, compare=False)

    def sql(self, query: str) -> pl.DataFrame:
        """The rows of one SELECT. Raises QueryError."""
        return self._ready.rows(query)

    @property
    def counts(self) -> Mapping[str, int]:
        """Events there are, by kind."""
        return self._ready.counts

    def left_out(self) -> dict[str, int]:
        """Why runs were not mined, with how many: what a reader of the findings must know."""
        found = self.sql(
            """SELECT CASE WHEN m.data_digest IS NULL THEN 'of a data version that is not registered here'
                           ELSE 'reach beyond the mining period' END AS why, count(*) AS n
               FROM run_started r LEFT JOIN mining m USING (data_digest)
               WHERE r.run_id NOT IN (SELECT run_id FROM mined) GROUP BY why ORDER BY why"""
        )
        return {str(why): int(n) for why, n in found.iter_rows()}

    def tasks_seen(self, module: str) -> frozenset[str]:
        """Digests of the tasks whose traces show `module` as it is in force, and of those that nothing in force lets
        come so far: a contract refused them, and would again."""
        rows = self.sql(
            f"SELECT task_digest FROM in_force WHERE name = {text(module)} UNION SELECT task_digest FROM refused"
        )
        return frozenset(rows.get_column("task_digest").to_list())

    @cached_property
    def _ready(self) -> Tables:
        tables = self.tables or Tables(self.ledger, MINED_PURPOSES)
        tables.renew()
        ends = ((d, iso(t)) for d, t in self.mining_ends_ns.items())
        current = ((n, m.settings_digest, m.code_digest) for n, m in self.modules.items())
        tables.define("mining", _values(("data_digest", "ends"), ends))
        tables.define("current", _values(("name", "settings_digest", "code_digest"), current))
        for name, select in _TABLES.items():
            tables.define(name, select)
        return tables


_TABLES = {
    "mined": """SELECT r.* FROM run_started r JOIN mining m USING (data_digest)
                WHERE r."end" <= m.ends AND r.purpose IN ('run', 'research')""",
    "stages": """SELECT s.*, s.stage || '/' || s.module AS name, m.data, m.signal, m.task_digest, m.seed, m.start
                 FROM stage_finished s JOIN mined m USING (run_id)""",
    "in_force": """SELECT s.* FROM stages s JOIN current c USING (name, settings_digest, code_digest)
                   QUALIFY row_number() OVER (PARTITION BY s.name, s.task_digest ORDER BY s.seq DESC) = 1""",
    "refused": """SELECT r.*, c.name, m.task_digest FROM stage_refused r JOIN mined m USING (run_id)
                  JOIN current c ON c.name = r.stage || '/' || r.module AND c.code_digest = r.code_digest
                                    AND c.settings_digest = r.settings_digest
                  WHERE NOT EXISTS (SELECT 1 FROM stages s WHERE s.run_id = r.run_id AND NOT EXISTS (
                      SELECT 1 FROM current d WHERE d.name = s.name AND d.code_digest = s.code_digest
                                                    AND d.settings_digest = s.settings_digest))""",
    "profiles": """SELECT p.*, z.name, z.task_digest, z.data FROM run_profiled p JOIN in_force z USING (run_id)
                   WHERE z.stage = 'size'
                   QUALIFY row_number() OVER (PARTITION BY p.run_id ORDER BY p.seq DESC) = 1""",
}


def mined_of(workspace: Workspace, data: DataStore, tables: Tables | None = None) -> Mined:
    """What may be mined in a workspace as of now. `tables` of an earlier call make it cheap."""
    ends = {v.digest: v.mining_end_ns for v in data.list()}
    return Mined(workspace.ledger, ends, modules_in_force(), drafting_skills(), tables)


def text(value: str) -> str:
    """`value` as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _values(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A SELECT of literal rows; of no rows where there are none, because SQL has no empty VALUES."""
    listed = [f"({', '.join(text(cell) for cell in row)})" for row in rows]
    if not listed:
        return f"SELECT {', '.join(f'NULL::VARCHAR AS {name}' for name in columns)} WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(listed)}) AS v({', '.join(columns)})"
