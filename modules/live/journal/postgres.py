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
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from modules.live.journal.lines import Place, decode, encode
from modules.live.journal.port import Entry, JournalError
from modules.live.messages import AnyMessage
from traces.checkpoint import Checkpoint, CheckpointError, CheckpointStore

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA: Final = Path(__file__).with_name("postgres.sql")
SIGN_SECONDS: Final = 1.0
TIMEOUT_S: Final = 5
MOST_WAITING_BYTES: Final = 128 << 20
"""What may wait for the server's disk; an append beyond it is refused."""

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


def install(owner_dsn: str) -> None:
    """Create table, triggers and role where they are not there yet. `owner_dsn` logs in as whoever owns the database.

    Raises JournalError.
    """
    with _named("install"), _connect(owner_dsn) as connection:
        connection.execute(SCHEMA.read_bytes())


class PostgresJournal:
    """`Journal` of `account`. One writer at a time; its methods may be called from any thread.

    dsn: of a role that may insert and select and nothing else; another is refused. Its password belongs into a file
    that libpq reads (`~/.pgpass`), not here. commit_ms, clock_ns, sign_seconds: as in `FileJournal`.
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
        self._clock_ns, self._sign_seconds = clock_ns, sign_seconds
        self._store = CheckpointStore(checkpoint_dir)
        self._lock, self._committing = threading.Lock(), threading.Lock()  # taken in the order: committing, lock
        self._wake, self._urgent = threading.Event(), threading.Event()
        self._waiting: list[tuple[Place, bytes]] = []  # groups and where they begin, until they are durable
        self._waiting_bytes = 0
        self._doubtful: Place | None = None  # where the journal ends if the append that failed was recorded
        self._fault: str | None = None
        self._closed = False
        self._signed_at, self._signed_seq = time.monotonic(), -1
        with _named("open"):
            self._reach()
            try:
                self._end = self._safe = self._recover()
                self._flush()
                self._sign(self._safe)
            except BaseException:
                self._hang_up()
                raise
        self._thread: threading.Thread | None = None
        if commit_ms is not None:
            self._thread = threading.Thread(
                target=self._commit_groups, args=(commit_ms / 1000.0,), name="journal", daemon=True
            )
            self._thread.start()

    # --- the port -----------------------------------------------------------------------------------

    def append(self, *messages: AnyMessage) -> int:
        """Record messages as a whole; returns the last one's `seq`. Raises JournalError."""
        if self._fault is not None:
            self._mend()
        with self._lock:
            self._usable()
            if not messages:
                return self._end.seq
            data, after = encode(self._end, max(self._clock_ns(), self._end.ts_ns), messages)
            if self._waiting_bytes + len(data) > MOST_WAITING_BYTES:
                raise JournalError(f"{self._name}: {self._waiting_bytes} bytes wait for the server's disk; {_REMEDY}")
            try:
                with _named(f"append of {len(messages)} messages"):
                    self._insert(self._end, data)
            except JournalError as error:
                self._fault, self._doubtful = str(error), after
                raise
            self._waiting.append((self._end, data))
            self._waiting_bytes += len(data)
            self._end = after
        if not self._wake.is_set():
            self._wake.set()
        return after.seq

    @property
    def durable(self) -> int:
        """The highest `seq` that survives a loss of power; -1 = none."""
        return self._safe.seq

    @property
    def last(self) -> int:
        """The highest `seq` that was appended; -1 = none."""
        return self._end.seq

    @property
    def fault(self) -> str | None:
        """Why nothing is recorded at present; None = it is."""
        return self._fault

    def sync(self) -> int:
        """Make everything appended durable; returns `durable`. Raises JournalError."""
        if self._fault is not None:
            self._mend()
        self._commit()
        return self._safe.seq

    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`. Raises JournalError where the chain is broken."""
        return read_postgres(self._dsn, self._account, after, until=self._end.seq)

    def close(self) -> None:
        """Make everything durable, sign for it and let go. Raises JournalError where that fails; it is closed then."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._urgent.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if self._fault is not None:
                self._mend()
            self._commit(sign=True)
        finally:
            self._hang_up()

    def __enter__(self) -> PostgresJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- durable ------------------------------------------------------------------------------------

    def _commit_groups(self, wait_seconds: float) -> None:
        """The thread: whatever waits is made durable together."""
        while not self._closed:
            self._wake.wait()
            if self._closed:
                return
            self._urgent.wait(wait_seconds)
            self._wake.clear()
            with contextlib.suppress(JournalError):  # `fault` tells, and the next append raises it
                self._commit()

    def _commit(self, *, sign: bool = False) -> None:
        with self._committing:
            with self._lock:
                if self._fault is not None:
                    raise JournalError(f"{self._name}: {self._fault}; {_REMEDY}")
                end, groups = self._end, len(self._waiting)
            if end.seq != self._safe.seq:
                try:
                    with _named("commit"):
                        self._flush()
                except JournalError as error:
                    with self._lock:
                        self._fault = str(error)
                    raise
                with self._lock:
                    self._forget(groups)
                    self._safe = end
            if sign or time.monotonic() - self._signed_at >= self._sign_seconds:
                try:
                    self._sign(self._safe)
                except (OSError, CheckpointError) as error:
                    if sign:
                        raise JournalError(f"{self._name}: recorded, and not signed for: {error}") from error

    def _flush(self) -> None:
        """Return when the server's log is on its disk, up to now."""
        self._flusher.execute("SELECT pg_logical_emit_message(true, 'cws_journal', %s)", (self._account,))

    def _forget(self, groups: int) -> None:
        self._waiting_bytes -= sum(len(data) for _, data in self._waiting[:groups])
        del self._waiting[:groups]

    def _sign(self, place: Place) -> None:
        if place.seq == self._signed_seq:
            return
        seal = Checkpoint(count=place.seq + 1, head=place.head, size_bytes=place.size_bytes, ts_ns=place.ts_ns)
        staged, raw = self._store.stage(seal)
        self._store.publish(staged)
        self._store.settle(seal, raw)
        self._signed_at, self._signed_seq = time.monotonic(), place.seq

    # --- the server ---------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"journal of {self._account} in PostgreSQL"

    def _reach(self) -> None:
        """Two connections: one appends and holds the writer's lock, the other waits for the disk."""
        self._writer = _connect(self._dsn)
        try:
            self._flusher = _connect(self._dsn)
            self._writer.execute("SET synchronous_commit = off")
            self._flusher.execute("SET synchronous_commit = on")
            may = self._writer.execute(_MAY).fetchone()
            if may is None:
                raise JournalError(f"{self._name}: there is no table cws_journal.entries; install it first")
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
            self._hang_up()
            raise

    def _usable(self) -> None:
        if self._closed:
            raise JournalError(f"{self._name}: this journal was closed; open it again")
        if self._fault is not None:
            raise JournalError(f"{self._name}: {self._fault}; {_REMEDY}")

    def _hang_up(self) -> None:
        for name in ("_writer", "_flusher"):
            connection = getattr(self, name, None)
            if connection is not None:
                connection.close()

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

    def _mend(self) -> None:
        """After a fault: reach the server anew, and append again what it lost of what was not durable."""
        with self._committing, self._lock:
            if self._fault is None:
                return
            self._hang_up()
            try:
                with _named("mend"):
                    self._reach()
                    found = self._last()
                    self._append_again(found)
                    self._flush()
            except JournalError as error:
                self._fault = str(error)
                raise
            self._forget(len(self._waiting))
            self._safe, self._fault = self._end, None

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
        try:
            signed = self._store.load()
            self._store.private_key()
        except CheckpointError as error:
            raise JournalError(f"{error}; {self._name} was not touched") from error
        if found.size_bytes < signed.size_bytes:
            raise JournalError(
                f"{self._name}: {found.seq + 1} entries, but {signed.count} are signed for: it was cut off or "
                "replaced; restore it from a backup"
            )
        self._signed_seq = signed.count - 1
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
        raise JournalError(f"PostgreSQL, {what}: {said[0] if said else type(error).__name__}; {_REMEDY}") from error
