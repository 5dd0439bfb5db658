"""The journal in PostgreSQL: the file journal's lines, one a row, in a table that the database keeps append-only.

An append is a transaction that does not wait for the disk (`synchronous_commit = off`): when it returns the server has
it, and the death of this process loses nothing. A thread then commits an empty message that does wait; PostgreSQL's log
is in one order, so whatever was appended before is durable with it. The signed checkpoint lies with the desk and not in
the database, so that whoever owns the database cannot cut or rewrite the journal unseen.

Where the server goes away in the middle of an append, the entries may be there all the same. The append raises, nothing
of it is sent, and what is found later tells of an order that never arrived.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modules.live.journal.groups import SIGN_SECONDS, GroupedJournal
from modules.live.journal.lines import Place, decode
from modules.live.journal.port import Entry, JournalError
from traces.checkpoint import CheckpointStore

if TYPE_CHECKING:
    from psycopg import Connection

TIMEOUT_S: Final = 5

_INSERT: Final = """
INSERT INTO cws_journal.entries (account, seq, ts_ns, end_bytes, head, line)
SELECT %s, seq, %s, end_bytes, head, line
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bytea[]) AS new (seq, end_bytes, head, line) ORDER BY seq
"""
_LAST: Final = """
SELECT seq, end_bytes, ts_ns, head FROM cws_journal.entries WHERE account = %s ORDER BY seq DESC LIMIT 1
"""
_MAY: Final = """
SELECT bool_or(has_table_privilege('cws_journal.entries', what)) OR pg_has_role(tableowner, 'USAGE')
FROM pg_tables, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS what
WHERE schemaname = 'cws_journal' AND tablename = 'entries' GROUP BY tableowner
"""
_REMEDY: Final = "see that the server runs, and has room on its disk; until then only cancels go out"


class PostgresJournal(GroupedJournal):
    """`Journal` of `account`. One writer at a time; the other arguments are those of `GroupedJournal`.

    dsn: of a role that may insert and select and nothing else; another is refused. Its password belongs into a file
    that libpq reads (`~/.pgpass`), not here.
    Raises JournalError: not reached, in use, altered, or a role that may do more.
    """

    def __init__(
        self,
        dsn: str,
        account: str,
        checkpoint_dir: Path,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        commit_ms: float | None = 2.0,
        sign_seconds: float = SIGN_SECONDS,
    ) -> None:
        self._dsn, self._account = dsn, account
        self._doubtful: Place | None = None  # where the journal ends if the append that failed was recorded
        name = f"journal of {account} in PostgreSQL"
        super().__init__(name, CheckpointStore(checkpoint_dir), clock_ns, commit_ms, sign_seconds)
        with _named("open"):
            self._reach()
            try:
                end = self._recover()
                self._flush()
                self._begin(end)
            except BaseException:
                self._let_go()
                raise

    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`. Raises JournalError where the chain is broken."""
        return read_postgres(self._dsn, self._account, after, until=self._end.seq)

    # --- what `GroupedJournal` asks ---------------------------------------------------------------------

    def _put(self, start: Place, data: bytes, after: Place) -> None:
        try:
            with _named("append"):
                self._insert(start, data)
        except JournalError as error:
            self._fault, self._doubtful = str(error), after
            raise

    def _flush(self) -> None:
        """Return when the server's log is on its disk, up to now."""
        with _named("commit"):
            self._flusher.execute("SELECT pg_logical_emit_message(true, 'cws_journal', %s)", (self._account,))

    def _put_again(self) -> None:
        self._let_go()
        with _named("mend"):
            self._reach()
            self._append_again(self._last())
        self._flush()

    def _let_go(self) -> None:
        for name in ("_writer", "_flusher"):
            connection = getattr(self, name, None)
            if connection is not None:
                connection.close()

    # --- the server ---------------------------------------------------------------------------------

    def _reach(self) -> None:
        """Two connections: one appends and holds the writer's lock, the other waits for the disk."""
        self._writer = _connect(self._dsn)
        try:
            self._flusher = _connect(self._dsn)
            self._writer.execute("SET synchronous_commit = off")
            self._flusher.execute("SET synchronous_commit = on")
            may = self._writer.execute(_MAY).fetchone()
            if may is None:
                raise JournalError(
                    f"{self._name}: there is no table cws_journal.entries; run modules/live/journal/postgres.sql as "
                    "the database's owner first"
                )
            if may[0]:
                raise JournalError(
                    f"{self._name}: the role may change or remove what was recorded (owner, superuser, or granted too "
                    "much); log in as a role that has cws_journal_writer and nothing else"
                )
            key = int.from_bytes(hashlib.sha256(self._account.encode()).digest()[:8], "big", signed=True)
            got = self._writer.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
            if got is None or not got[0]:
                raise JournalError(f"{self._name}: another process writes it; end that one first")
        except BaseException:
            self._let_go()
            raise

    def _insert(self, start: Place, data: bytes) -> None:
        """The lines of `data`, which follow `start`, in one transaction."""
        seqs, ends, heads, lines = [], [], [], []
        place = start
        for line in data.splitlines(keepends=True):
            _, place = decode(place, line)
            seqs.append(place.seq)
            ends.append(place.size_bytes)
            heads.append(place.head)
            lines.append(line[:-1])
        self._writer.execute(_INSERT, (self._account, place.ts_ns, seqs, ends, heads, lines))

    def _last(self) -> Place:
        row = self._writer.execute(_LAST, (self._account,)).fetchone()
        return Place() if row is None else Place(row[0], row[1], row[2], row[3], row[0])

    def _append_again(self, found: Place) -> None:
        """From where the server ends now to `_end`. What it has beyond `_end` was being appended when it went away."""
        if found.seq > self._end.seq:
            if found != self._doubtful:
                raise JournalError(
                    f"{self._name}: entries after {self._end.seq} are not of this process: another one wrote while the "
                    "server was away; end this one, it no longer knows what was ordered"
                )
            self._end = found
            return
        if found.seq < self._safe.seq:
            raise JournalError(
                f"{self._name}: ends at entry {found.seq}, and {self._safe.seq} was durable: it was cut off or replaced"
            )
        for start, data in self._waiting:
            if start.seq >= found.seq:
                self._insert(start, data)

    def _recover(self) -> Place:
        """Where the journal ends, which must not be before what was signed. Creates the keys on first use."""
        found = self._last()
        if found.seq < 0 and self._store.unborn():
            self._store.create()
        signed = self._signed()
        if found.size_bytes < signed.size_bytes:
            raise JournalError(
                f"{self._name}: {found.seq + 1} entries, but {signed.count} are signed for: it was cut off or "
                "replaced; restore it from a backup"
            )
        start = Place(signed.count - 1, signed.size_bytes, signed.ts_ns, signed.head, signed.count - 1)
        if signed.count:
            row = self._writer.execute(
                "SELECT line FROM cws_journal.entries WHERE account = %s AND seq = %s", (self._account, start.seq)
            ).fetchone()
            if row is None or hashlib.sha256(row[0]).hexdigest() != start.head:
                raise JournalError(f"{self._name}: entry {start.seq} is not the one that was signed: it was altered")
        for _, place in _entries(self._dsn, self._account, start, None):
            start = place
        return start


class PostgresReader:
    """Entries as they come, from any process: each call of `new` goes on where the last one ended."""

    def __init__(self, dsn: str, account: str) -> None:
        self._dsn, self._account = dsn, account
        self._place = Place()

    def new(self) -> Iterator[Entry]:
        """Entries that were not given yet. Raises JournalError: not reached, or the chain is broken."""
        with _named("read"):
            for entry, place in _entries(self._dsn, self._account, self._place, None):
                self._place = place
                yield entry


def read_postgres(dsn: str, account: str, after: int = -1, *, until: int | None = None) -> Iterator[Entry]:
    """Entries with `after` < `seq` <= `until` (None: to the end), from any process. Raises JournalError."""
    with _named("read"):
        for entry, _ in _entries(dsn, account, Place(), until):
            if entry.seq > after:
                yield entry


def _entries(dsn: str, account: str, start: Place, until: int | None) -> Iterator[tuple[Entry, Place]]:
    """Entries after `start`, the chain checked from there."""
    place = start
    with _connect(dsn) as connection, connection.transaction(), connection.cursor("entries") as rows:
        rows.itersize = 4096
        rows.execute(
            "SELECT line FROM cws_journal.entries WHERE account = %s AND seq > %s AND seq <= %s ORDER BY seq",
            (account, start.seq, until if until is not None else 2**63 - 1),
        )
        for (line,) in rows:
            entry, place = decode(place, bytes(line) + b"\n")
            yield entry, place


def _connect(dsn: str) -> Connection[tuple[Any, ...]]:
    import psycopg

    return psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=TIMEOUT_S,
        options=f"-c statement_timeout={TIMEOUT_S * 1000} -c lock_timeout={TIMEOUT_S * 1000}",
        application_name="cws-journal",
    )


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Errors of the server as JournalError."""
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise JournalError("PostgreSQL needs the package psycopg: install this project's extra `postgres`") from error
    try:
        yield
    except psycopg.Error as error:
        said = str(error).strip().splitlines()
        raise JournalError(
            f"PostgreSQL, {what}: {said[0] if said else type(error).__name__}; see that the server runs and has room"
        ) from error
