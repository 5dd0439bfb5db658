"""The ledger: an append-only log of events that survives crashes, keeps its order, and shows every tampering.

An append is acknowledged (returns) only when both hold on disk: first the log's lines (one write, fdatasync), then
the signed checkpoint that covers them. So bytes beyond the checkpoint were never acknowledged, at most one group can
be there, and whoever comes next sets them aside in a file of their own and records that as `ledger.repaired`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from traces.checkpoint import EMPTY, Checkpoint, CheckpointError, CheckpointStore
from traces.disk import Disk, locked, replace_file, write_all
from traces.events import Envelope, Event, LedgerRepaired
from traces.log import (
    LOG_NAME,
    MAX_GROUP_BYTES,
    MAX_LINE_BYTES,
    LedgerError,
    encode_line,
    examine_tail,
    hash_line,
)

_REMEDY = "run `cws ledger verify`; to begin a new ledger, move both folders away"


@dataclass(frozen=True)
class SetAside:
    """Bytes that a crashed append left behind, now in `path`. They follow record `after_seq` (-1: none)."""

    path: Path
    size_bytes: int
    after_seq: int


class Ledger:
    """Append events in groups. Safe among threads and processes on one machine.

    ledger_dir: holds `events.jsonl`. checkpoint_dir: holds the signed checkpoint and its keys; keep it elsewhere than
    the log where you can. clock_ns: ns UTC; when it steps back, recorded times still go forward.
    Raises LedgerError: unreadable, truncated, altered or locked for longer than `lock_timeout_seconds`.
    """

    def __init__(
        self,
        ledger_dir: Path,
        checkpoint_dir: Path,
        clock_ns: Callable[[], int] = time.time_ns,
        *,
        disk: Disk | None = None,
        lock_timeout_seconds: float = 30.0,
    ) -> None:
        self.path = ledger_dir / LOG_NAME
        self.set_aside: list[SetAside] = []
        self._disk = disk or Disk()
        self._store = CheckpointStore(checkpoint_dir, self._disk)
        self._clock_ns = clock_ns
        self._lock_timeout_seconds = lock_timeout_seconds
        self._thread_lock = threading.Lock()
        self._written: Checkpoint | None = None
        self._closed = False
        with self._exclusive() as fd:
            self._state(fd)

    def append(self, *events: Event) -> list[int]:
        """Record the events as one group and return their sequence numbers once they are durable.

        Raises LedgerError: then none of them is recorded, unless the message says otherwise.
        """
        if self._closed:
            raise LedgerError(f"{self.path}: this ledger was closed; open it again")
        if not events:
            return []
        with self._exclusive() as fd:
            state = self._state(fd)
            self._write_group(fd, state, events)
            return list(range(state.count, state.count + len(events)))

    def close(self) -> None:
        """Refuse further appends. Nothing is pending: every append was durable when it returned."""
        self._closed = True

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[int]:
        """The log's descriptor, locked against other threads and processes; opened anew so that a fork shares none."""
        with self._thread_lock:
            try:
                self._disk.make_folder(self.path.parent)
                fd = self._disk.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            except OSError as error:
                raise LedgerError(f"{self.path}: cannot be opened for append: {error.strerror}; {_WRITABLE}") from error
            try:
                with locked(fd, fcntl.LOCK_EX, self._lock_timeout_seconds):
                    yield fd
            except TimeoutError as error:
                raise LedgerError(f"{self.path}: {error}; end that process or try again") from error
            except OSError as error:
                raise LedgerError(f"{self.path}: {error.strerror}; {_WRITABLE}") from error
            finally:
                self._disk.close(fd)

    def _state(self, fd: int) -> Checkpoint:
        """The checkpoint in force, with the log cut to it. Creates a ledger on first use. Lock held."""
        size = os.fstat(fd).st_size
        if size == 0 and self._store.unborn():
            self._disk.sync_folder(self.path.parent)
            self._store.create()
        try:
            state = self._store.load()
            self._store.private_key()
        except CheckpointError as error:
            raise LedgerError(f"{error}. Nothing was appended; {_REMEDY}") from error
        if size < state.size_bytes:
            raise LedgerError(
                f"{self.path}: {size} bytes, but {state.count} records of {state.size_bytes} bytes are signed for:"
                f" the log was truncated or replaced; {_REMEDY}"
            )
        if state != self._written:
            self._check_last_line(fd, state)
        return self._repair(fd, state, size) if size > state.size_bytes else state

    def _check_last_line(self, fd: int, state: Checkpoint) -> None:
        """The last signed line must be the one signed; what lies before it is for `verify`."""
        if state == EMPTY:
            return
        start = max(0, state.size_bytes - MAX_LINE_BYTES - 2)
        block = os.pread(fd, state.size_bytes - start, start)
        last = block[:-1].rpartition(b"\n")[2]
        if not block.endswith(b"\n") or hash_line(last) != state.head:
            raise LedgerError(f"{self.path}: record {state.count - 1} is not the one that was signed; {_REMEDY}")

    def _repair(self, fd: int, state: Checkpoint, size: int) -> Checkpoint:
        """Move what no append acknowledged to a file of its own, and record that."""
        if size - state.size_bytes > MAX_GROUP_BYTES:
            raise LedgerError(f"{self.path}: {size - state.size_bytes} bytes follow the last signed record; {_REMEDY}")
        torn = os.pread(fd, size - state.size_bytes, state.size_bytes)
        tail = examine_tail(torn, state.count, state.head)
        if tail.state == "acknowledged":
            raise LedgerError(
                f"{self.path}: more than one group of records follows record {state.count - 1}, the last one signed:"
                f" the checkpoint is older than the log; restore the newest checkpoint, or {_REMEDY}"
            )
        digest = hashlib.sha256(torn).hexdigest()
        target = self.path.with_name(f"torn-after-{state.count:09d}-{digest[:12]}.bytes")
        replace_file(self._disk, target, torn)
        self._disk.truncate(fd, state.size_bytes)
        self._disk.datasync(fd)
        self.set_aside.append(SetAside(target, len(torn), state.count - 1))
        event = LedgerRepaired(file=target.name, torn_bytes=len(torn), sha256=digest, complete_lines=tail.lines)
        return self._write_group(fd, state, [event])

    def _write_group(self, fd: int, state: Checkpoint, events: Sequence[Event]) -> Checkpoint:
        """Lines, then checkpoint, each durable before the next. Lock held, log exactly `state.size_bytes` long."""
        data, after = self._encode(state, events)
        try:
            write_all(self._disk, fd, data)
            self._disk.datasync(fd)
            staged, raw = self._store.stage(after)
            self._store.publish(staged)
        except OSError as error:
            left = self._undo(fd, state.size_bytes)
            raise LedgerError(
                f"{self.path}: {len(events)} events could not be recorded: {error.strerror}; {_WRITABLE}{left}"
            ) from error
        self._written = after
        try:
            self._store.settle(after, raw)
        except OSError as error:
            raise LedgerError(
                f"{self._store.path}: records {state.count}..{after.count - 1} are written, but the checkpoint is not"
                f" known to survive a power cut: {error.strerror}; check the disk"
            ) from error
        return after

    def _encode(self, state: Checkpoint, events: Sequence[Event]) -> tuple[bytes, Checkpoint]:
        """The group's bytes and the checkpoint that covers them. Raises LedgerError beyond the limits."""
        ts_ns = max(self._clock_ns(), state.ts_ns + 1)
        head, lines = state.head, []
        for seq, event in enumerate(events, state.count):
            try:
                line = encode_line(Envelope.model_construct(seq=seq, ts_ns=ts_ns, prev=head, event=event))
            except ValueError as error:  # a mapping that was filled with NaN after the event was made
                raise LedgerError(f"event {event.kind}: cannot be written as JSON: {error}") from error
            if len(line) > MAX_LINE_BYTES:
                raise LedgerError(f"event {event.kind}: {len(line)} bytes, at most {MAX_LINE_BYTES}: shorten it")
            head = hash_line(line)
            lines.append(line + b"\n")
        data = b"".join(lines)
        if len(data) > MAX_GROUP_BYTES:
            raise LedgerError(f"a group of {len(data)} bytes, at most {MAX_GROUP_BYTES}: append in smaller groups")
        size = state.size_bytes + len(data)
        return data, Checkpoint(count=state.count + len(events), head=head, size_bytes=size, ts_ns=ts_ns)

    def _undo(self, fd: int, size: int) -> str:
        """Take back a write that was not acknowledged; words for the message when even that fails."""
        try:
            self._disk.truncate(fd, size)
            self._disk.datasync(fd)
        except OSError:
            return "; the cut-off bytes are still there and the next append will set them aside"
        return ""


_WRITABLE = "free space or make the folder writable, then try again"
