"""The journal in a file: written at once, made durable in groups by a thread, signed for every second.

An entry is in the operating system's hands when `append` returns (the process may be killed), and on the disk when
`durable` has reached it (the power may go). After a crash the longest whole beginning of the file is kept, which holds
at least everything that was durable; what follows it is set aside in a file of its own. The signed checkpoint shows a
file that was cut or altered; it is at most `SIGN_SECONDS` behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from modules.live.journal.lines import Place, decode, encode
from modules.live.journal.port import Entry, JournalError
from modules.live.journal.reading import LOG_NAME, JournalReader, read_journal
from modules.live.messages import AnyMessage
from traces.checkpoint import Checkpoint, CheckpointError, CheckpointStore
from traces.disk import Disk, replace_file, write_all

SIGN_SECONDS: Final = 1.0
MOST_WAITING_BYTES: Final = 128 << 20
"""What may wait for the disk; an append beyond it is refused."""

_REMEDY: Final = "free space or make the folder writable; until then only cancels go out"

__all__ = ["LOG_NAME", "SIGN_SECONDS", "FileJournal", "JournalReader", "read_journal"]


class FileJournal:
    """`Journal` in `folder`. One process at a time; its methods may be called from any thread.

    commit_ms: how long the first entry of a group waits for others before the group is made durable; None: nothing is
    before `sync` (for tests of what a loss of power leaves). clock_ns: ns UTC; where it steps back, recorded times
    stand.
    Raises JournalError: in use, unreadable, cut off or altered.
    """

    def __init__(
        self,
        folder: Path,
        *,
        disk: Disk | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        commit_ms: float | None = 2.0,
        sign_seconds: float = SIGN_SECONDS,
        checkpoint_dir: Path | None = None,
    ) -> None:
        self.path = folder / LOG_NAME
        self.set_aside: Path | None = None
        """Where bytes went that a crash had left behind the last whole group; None = there were none."""
        self._disk, self._clock_ns, self._sign_seconds = disk or Disk(), clock_ns, sign_seconds
        self._store = CheckpointStore(checkpoint_dir or folder / "checkpoint", self._disk)
        self._lock, self._committing = threading.Lock(), threading.Lock()  # taken in the order: committing, lock
        self._wake, self._urgent = threading.Event(), threading.Event()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._fault: str | None = None
        self._closed = False
        self._signed_at, self._signed_seq = time.monotonic(), -1
        with _named(self.path):
            self._disk.make_folder(folder, mode=0o700)
            self._fd = self._disk.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                self._take()
                self._end = self._safe = self._recover()
                self._sign(self._safe)
            except BaseException:
                self._disk.close(self._fd)
                raise
        self._thread: threading.Thread | None = None
        if commit_ms is not None:
            self._thread = threading.Thread(
                target=self._commit_groups, args=(commit_ms / 1000.0,), name="journal", daemon=True
            )
            self._thread.start()

    # --- the port -----------------------------------------------------------------------------------

    def append(self, *messages: AnyMessage) -> int:
        """Record messages as a whole; returns the last one's `seq`. Raises JournalError: none of them is recorded."""
        if self._fault is not None:
            self._mend()
        with self._lock:
            self._usable()
            if not messages:
                return self._end.seq
            now = self._clock_ns()
            data, after = encode(self._end, now if now > self._end.ts_ns else self._end.ts_ns, messages)
            if self._waiting_bytes + len(data) > MOST_WAITING_BYTES:
                raise JournalError(f"{self.path}: {self._waiting_bytes} bytes wait for the disk; {_REMEDY}")
            try:
                if self._disk.write(self._fd, data) != len(data):
                    raise OSError(0, "written in part")
            except OSError as error:
                self._undo()
                raise JournalError(
                    f"{self.path}: {len(messages)} messages not recorded: {error.strerror}; {_REMEDY}"
                ) from error
            self._end = after
            self._waiting.append(data)
            self._waiting_bytes += len(data)
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
        """Why nothing is made durable at present; None = it is."""
        return self._fault

    def sync(self) -> int:
        """Make everything appended durable; returns `durable`. Raises JournalError."""
        if self._fault is not None:
            self._mend()
        self._commit()
        return self._safe.seq

    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`. Raises JournalError where the chain is broken."""
        return read_journal(self.path.parent, after, until=self._end.seq)

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
            self._disk.close(self._fd)

    def __enter__(self) -> FileJournal:
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
        """Everything appended so far becomes durable; the checkpoint follows when it is due. Raises JournalError."""
        with self._committing:
            with self._lock:
                if self._fault is not None:
                    raise JournalError(f"{self.path}: {self._fault}; {_REMEDY}")
                end, groups = self._end, len(self._waiting)
            if end.seq != self._safe.seq:
                try:
                    self._disk.datasync(self._fd)
                except OSError as error:
                    with self._lock:
                        self._fault = f"not made durable: {error.strerror}"
                    raise JournalError(f"{self.path}: {self._fault}; {_REMEDY}") from error
                with self._lock:
                    self._waiting_bytes -= sum(map(len, self._waiting[:groups]))
                    del self._waiting[:groups]
                    self._safe = end
            if sign or time.monotonic() - self._signed_at >= self._sign_seconds:
                try:
                    self._sign(self._safe)
                except (OSError, CheckpointError) as error:
                    if sign:
                        raise JournalError(f"{self.path}: recorded, and not signed for: {error}; {_REMEDY}") from error

    def _sign(self, place: Place) -> None:
        if place.seq == self._signed_seq:
            return
        seal = Checkpoint(count=place.seq + 1, head=place.head, size_bytes=place.size_bytes, ts_ns=place.ts_ns)
        staged, raw = self._store.stage(seal)
        self._store.publish(staged)
        self._store.settle(seal, raw)
        self._signed_at, self._signed_seq = time.monotonic(), place.seq

    # --- faults -------------------------------------------------------------------------------------

    def _usable(self) -> None:
        if self._closed:
            raise JournalError(f"{self.path}: this journal was closed; open it again")
        if self._fault is not None:
            raise JournalError(f"{self.path}: {self._fault}; {_REMEDY}")

    def _undo(self) -> None:
        """Take a failed write back. Lock held."""
        try:
            self._disk.truncate(self._fd, self._end.size_bytes)
        except OSError as error:
            self._fault = f"a failed write could not be taken back: {error.strerror}"

    def _mend(self) -> None:
        """After a fault: what was not durable is written again, since nobody can say what of it is on the disk."""
        with self._committing, self._lock:
            if self._fault is None:
                return
            try:
                self._disk.truncate(self._fd, self._safe.size_bytes)
                write_all(self._disk, self._fd, b"".join(self._waiting))
                self._disk.datasync(self._fd)
            except OSError as error:
                self._fault = f"still not working: {error.strerror}"
                raise JournalError(f"{self.path}: {self._fault}; {_REMEDY}") from error
            self._waiting.clear()
            self._waiting_bytes = 0
            self._safe, self._fault = self._end, None

    # --- opening ------------------------------------------------------------------------------------

    def _take(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self.path}: another process writes it; end that one first") from None

    def _recover(self) -> Place:
        """The end of the last whole group, with the file cut to it and durable. Creates a journal on first use."""
        size = os.fstat(self._fd).st_size
        if size == 0 and self._store.unborn():
            self._disk.sync_folder(self.path.parent)
            self._store.create()
        try:
            signed = self._store.load()
            self._store.private_key()
        except CheckpointError as error:
            raise JournalError(f"{error}; {self.path} was not touched") from error
        if size < signed.size_bytes:
            raise JournalError(
                f"{self.path}: {size} bytes, but {signed.count} entries of {signed.size_bytes} bytes are signed for: "
                "it was cut off or replaced; restore it from a backup"
            )
        start = Place(signed.count - 1, signed.size_bytes, signed.ts_ns, signed.head, signed.count - 1)
        self._signed_seq = start.seq
        self._check_signed(start)
        place = self._whole(start, os.pread(self._fd, size - start.size_bytes, start.size_bytes))
        if place.size_bytes < size:
            self._put_aside(place, os.pread(self._fd, size - place.size_bytes, place.size_bytes))
        self._disk.datasync(self._fd)
        return place

    def _check_signed(self, start: Place) -> None:
        """The last signed line must be the one that was signed; what lies before it is for `read`."""
        if start.seq < 0:
            return
        length, first = 4096, start.size_bytes
        while first > 0:
            length, first = 2 * length, max(0, start.size_bytes - length)
            block = os.pread(self._fd, start.size_bytes - first, first)
            if b"\n" in block[:-1]:
                break
        line = block[:-1].rpartition(b"\n")[2]
        if not block.endswith(b"\n") or hashlib.sha256(line).hexdigest() != start.head:
            raise JournalError(f"{self.path}: entry {start.seq} is not the one that was signed: it was altered")

    @staticmethod
    def _whole(start: Place, tail: bytes) -> Place:
        """How far the bytes after the signed ones are whole groups that follow one another."""
        place = whole = start
        for line in tail.splitlines(keepends=True):
            try:
                _, place = decode(place, line)
            except JournalError:
                break
            if place.is_whole:
                whole = place
        return whole

    def _put_aside(self, place: Place, torn: bytes) -> None:
        digest = hashlib.sha256(torn).hexdigest()[:12]
        self.set_aside = self.path.with_name(f"torn-after-{place.seq + 1:09d}-{digest}.bytes")
        replace_file(self._disk, self.set_aside, torn, mode=0o600)
        self._disk.truncate(self._fd, place.size_bytes)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors of the system as JournalError, with the file's name."""
    try:
        yield
    except JournalError:
        raise
    except OSError as error:
        raise JournalError(f"{path}: cannot be opened: {error.strerror}; {_REMEDY}") from error
