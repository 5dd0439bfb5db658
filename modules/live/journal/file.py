"""The journal in a file: written at once, made durable in groups by a thread, signed for every second.

An entry is in the operating system's hands when `append` returns (the process may be killed), and on the disk when
`durable` has reached it (the power may go). After a crash the longest whole beginning of the file is kept, which holds
at least everything that was durable; what follows it is set aside in a file of its own. The signed checkpoint shows a
file that was cut or altered; it is at most `SIGN_SECONDS` behind.

While it is open the file is longer than what is in it: room for what comes is reserved, filled with zeros. A write
there changes no length and takes no blocks, so it does not wait for the file system's own journal while a sync is under
way.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from modules.live.journal.groups import SIGN_SECONDS, GroupedJournal, said
from modules.live.journal.lines import Place, decode
from modules.live.journal.port import Entry, JournalError
from modules.live.journal.reading import LOG_NAME, JournalReader, read_journal
from traces.checkpoint import CheckpointStore
from traces.disk import Disk, replace_file, write_all

ROOM_BYTES: Final = 8 << 20
_REMEDY: Final = "free space or make the folder writable"

__all__ = ["LOG_NAME", "SIGN_SECONDS", "FileJournal", "JournalReader", "read_journal"]


class FileJournal(GroupedJournal):
    """`Journal` in `folder`. One process at a time; the other arguments are those of `GroupedJournal`.

    room_bytes: how much is reserved at once for what comes.

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
        room_bytes: int = ROOM_BYTES,
    ) -> None:
        self.path = folder / LOG_NAME
        self.set_aside: Path | None = None
        """Where bytes went that a crash had left behind the last whole group; None = there were none."""
        self._disk = disk or Disk()
        self._room, self._length = room_bytes, 0  # the file's length, with what is reserved
        store = CheckpointStore(checkpoint_dir or folder / "checkpoint", self._disk)
        super().__init__(str(self.path), store, clock_ns, commit_ms, sign_seconds)
        with _named(self.path):
            self._disk.make_folder(folder, mode=0o700)
            self._fd = self._disk.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._take()
                self._begin(self._recover())
            except BaseException:
                self._disk.close(self._fd)
                raise

    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`. Raises JournalError where the chain is broken."""
        return read_journal(self.path.parent, after, until=self._end.seq)

    # --- what `GroupedJournal` asks ---------------------------------------------------------------------

    def _put(self, start: Place, data: bytes, after: Place) -> None:
        try:
            if after.size_bytes > self._length:
                self._reserve(start.size_bytes, len(data))
            if self._disk.write(self._fd, data) != len(data):
                raise OSError(0, "written in part")
        except OSError as error:
            try:
                self._cut(start)
            except OSError as worse:
                self._fault = f"a failed write could not be taken back: {worse.strerror}"
            raise OSError(error.errno, f"{error.strerror}; {_REMEDY}") from error

    def _flush(self) -> None:
        if self._length - self._end.size_bytes < self._room // 2:
            with contextlib.suppress(OSError):  # whoever writes is told when there is no room at all
                self._reserve(self._length, 0)
        self._disk.datasync(self._fd)

    def _put_again(self) -> None:
        self._cut(self._safe)
        write_all(self._disk, self._fd, b"".join(data for _, data in self._waiting))
        self._disk.datasync(self._fd)

    def _let_go(self) -> None:
        try:
            with contextlib.suppress(OSError):  # zeros behind the end are no harm
                self._disk.truncate(self._fd, self._end.size_bytes)
        finally:
            self._disk.close(self._fd)

    def _reserve(self, start: int, need: int) -> None:
        """Room from `start` on: for a while where the disk has it, for what is needed where it has no more."""
        try:
            self._disk.reserve(self._fd, start, need + self._room)
            self._length = start + need + self._room
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
                return  # a file system that cannot reserve grows with each write
            if need == 0:
                raise
            self._disk.reserve(self._fd, start, need)
            self._length = start + need

    def _cut(self, place: Place) -> None:
        """Nothing behind `place`, and the next write goes there."""
        self._disk.truncate(self._fd, place.size_bytes)
        self._length = place.size_bytes
        os.lseek(self._fd, place.size_bytes, os.SEEK_SET)

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
        signed = self._signed()
        if size < signed.size_bytes:
            raise JournalError(
                f"{self.path}: {size} bytes, but {signed.count} entries of {signed.size_bytes} bytes are signed for: "
                "it was cut off or replaced; restore it from a backup"
            )
        start = Place(signed.count - 1, signed.size_bytes, signed.ts_ns, signed.head, signed.count - 1)
        self._check_signed(start)
        tail = os.pread(self._fd, size - start.size_bytes, start.size_bytes).rstrip(b"\0")
        place = self._whole(start, tail)
        torn = tail[place.size_bytes - start.size_bytes :]
        self._length = size
        if torn:
            self._put_aside(place, torn)
        os.lseek(self._fd, place.size_bytes, os.SEEK_SET)
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
        self._cut(place)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors of the system as JournalError, with the file's name."""
    try:
        yield
    except JournalError:
        raise
    except OSError as error:
        raise JournalError(f"{path}: cannot be opened: {said(error)}; {_REMEDY}") from error
