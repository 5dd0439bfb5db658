"""The ledger's events as typed tables in memory, one a kind, renewed by reading only what was appended since.

`traces.query.sql` answers one question of anybody's, from a copy that is made for it and read anew. These tables are
for code that asks many questions again and again: each event is parsed once, and a question finds columns, not JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import polars as pl

from traces.disk import locked
from traces.events import KINDS
from traces.log import GENESIS, LOG_NAME, LedgerError, hash_line
from traces.query import LOCKS, MAX_ROWS, TIMEOUT_SECONDS, QueryError, fetch
from traces.reader import read_lines
from traces.views import columns, view_name

_LOCK_TIMEOUT_SECONDS = 30.0
# Canonical JSON sorts its keys, so the place of a line stands at its end; the event before it is parsed by DuckDB.
_PLACE = re.compile(rb'\},"prev":"([0-9a-f]{64})","seq":(\d{1,18}),"ts_ns":\d{1,19}\}\Z')
_STAGING = """
CREATE OR REPLACE TEMP TABLE staged AS
SELECT line, said[1] AS kind, said[2] AS run_id
FROM (SELECT line, json_extract_string(line, ['$.event.kind', '$.event.run_id']) AS said FROM lines)
"""
_DROP_OTHER_RUNS = """
DELETE FROM staged
WHERE kind = 'run.started' AND run_id NOT IN (SELECT run_id FROM run_started)
   OR kind IN ('stage.finished', 'stage.refused', 'run.finished', 'run.failed', 'run.profiled')
      AND run_id NOT IN (SELECT run_id FROM run_started)
"""


class Tables:
    """One table a kind (`run.finished` is `run_finished`) with `seq`, `ts` and a column a field. Not for two threads.

    The chain is checked on the way as `traces.reader` does. A log that was replaced is read from its beginning.
    `purposes`: only what runs of these purposes left is kept beside what belongs to no run; None keeps all. (A night
    of ablations leaves a hundred times what the runs of a researcher do.)
    """

    def __init__(self, ledger_dir: Path, purposes: Collection[str] | None = None) -> None:
        self.ledger_dir = ledger_dir
        self.purposes = None if purposes is None else frozenset(purposes)
        self.counts: Counter[str] = Counter()
        """Events read so far, by kind; of runs only those that are kept."""
        self._connection = duckdb.connect(":memory:")
        for kind in KINDS:
            listed = ", ".join(f'"{name}" {type_}' for name, type_ in columns(kind).items())
            self._connection.execute(f"CREATE TABLE {view_name(kind)} ({listed})")
        for setting in LOCKS:
            self._connection.execute(f"SET {setting}")
        self._offset, self._seq, self._head, self._last = 0, 0, GENESIS, b""

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def renew(self) -> Mapping[str, int]:
        """Read what was appended; how many new events there are of each kind that has any. Raises LedgerError."""
        lines = self._new_lines()
        if not lines:
            return {}
        try:
            return self._take(lines)
        except BaseException:  # half of it may be in: the next renewal starts from nothing
            self._begin_anew()
            raise

    def _take(self, lines: list[str]) -> dict[str, int]:
        self._connection.register("lines", pl.DataFrame({"line": lines}, schema={"line": pl.String}))
        try:
            self._connection.execute(_STAGING)
        except duckdb.Error as error:
            raise LedgerError(f"{self.ledger_dir / LOG_NAME}: a record is no JSON; run `cws ledger verify`") from error
        finally:
            self._connection.unregister("lines")
        self._connection.execute(_insert("run.started", self._wanted()))
        if self.purposes is not None:
            self._connection.execute(_DROP_OTHER_RUNS)
        grown = dict(self._connection.execute("SELECT kind, count(*) FROM staged GROUP BY kind").fetchall())
        for kind in grown.keys() & KINDS.keys() - {"run.started"}:
            self._connection.execute(_insert(kind))
        self._connection.execute("DROP TABLE staged")
        self.counts.update(grown)
        return grown

    def _wanted(self) -> str:
        if self.purposes is None:
            return "true"
        return "e.purpose IN (" + ", ".join(f"'{purpose}'" for purpose in sorted(self.purposes)) + ")"

    def define(self, name: str, select: str) -> None:
        """Keep the rows of `select` as the table `name`, in the place of an earlier one of that name."""
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {select}')

    def rows(self, query: str) -> pl.DataFrame:
        """The rows of one SELECT. Raises QueryError (wrong query, too many rows, too long)."""
        alarm = threading.Timer(TIMEOUT_SECONDS, self._connection.interrupt)
        alarm.start()
        try:
            return fetch(self._connection, query, MAX_ROWS)
        except duckdb.InterruptException as error:
            raise QueryError(f"the query took more than {TIMEOUT_SECONDS:g} s: narrow it") from error
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        finally:
            alarm.cancel()

    # --- reading --------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        for kind in KINDS:
            self._connection.execute(f"DELETE FROM {view_name(kind)}")
        self._offset, self._seq, self._head, self._last = 0, 0, GENESIS, b""
        self.counts.clear()

    def _new_lines(self) -> list[str]:
        block = self._new_bytes()
        lines = block.split(b"\n")[:-1]
        head, seq = self._head, self._seq
        for line in lines:
            place = _PLACE.search(line)
            if place is None or int(place[2]) != seq or place[1].decode() != head:
                return self._all_lines()
            head, seq = hash_line(line), seq + 1
        self._advance(lines, seq, head)
        return [line.decode() for line in lines]

    def _all_lines(self) -> list[str]:
        """What the reader makes of a log that does not simply go on: it knows torn ends, and names what is broken."""
        known = self._seq
        lines = list(read_lines(self.ledger_dir))
        goes_on = len(lines) >= known and (known == 0 or lines[known - 1] == self._last)
        if not goes_on:
            self._begin_anew()
            known = 0
        new = lines[known:]
        self._advance(new, known + len(new), hash_line(lines[-1]) if lines else GENESIS)
        return [line.decode() for line in new]

    def _advance(self, lines: list[bytes], seq: int, head: str) -> None:
        self._offset += sum(map(len, lines)) + len(lines)
        self._seq, self._head = seq, head
        self._last = lines[-1] if lines else self._last

    def _new_bytes(self) -> bytes:
        """The log from where reading stopped; from its beginning where it is shorter now, or ends otherwise there."""
        path = self.ledger_dir / LOG_NAME
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if self._seq:
                self._all_lines()
            return b""
        except OSError as error:
            raise LedgerError(f"{path}: cannot be read ({error.strerror})") from error
        with os.fdopen(fd, "rb") as file:
            try:
                with locked(fd, fcntl.LOCK_SH, _LOCK_TIMEOUT_SECONDS):
                    size = os.fstat(fd).st_size
            except TimeoutError as error:
                raise LedgerError(f"{path}: {error}; try again") from error
            back = len(self._last) + 1 if self._seq else 0
            file.seek(self._offset - back)
            if size < self._offset or file.read(back) != (self._last + b"\n" if back else b""):
                self._begin_anew()
                file.seek(0)
            return file.read(size - self._offset)


def _insert(kind: str, wanted: str = "true") -> str:
    """Parse each event once, into the columns of its kind."""
    own = {name: type_ for name, type_ in columns(kind).items() if name not in ("seq", "ts")}
    shape = json.dumps({"event": own, "seq": "BIGINT", "ts_ns": "BIGINT"}).replace("'", "''")
    taken = ", ".join(f'e."{name}"' for name in own)
    return (
        f"INSERT INTO {view_name(kind)} SELECT seq, make_timestamp_ns(ts_ns), {taken} FROM ("
        f"SELECT unnest(from_json(line, '{shape}')) FROM staged WHERE kind = '{kind}') AS x(e, seq, ts_ns) "
        f"WHERE {wanted}"
    )
