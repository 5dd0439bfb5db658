"""What every store of a journal does alike: groups that a thread makes durable together, the signed checkpoint, faults.

A store says how lines are put where the death of the process loses nothing (`_put`), how all of them become durable
(`_flush`), and how it goes on after a fault (`_put_again`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

from modules.live.journal.lines import Place, encode
from modules.live.journal.port import Entry, JournalError
from modules.live.messages import AnyMessage
from traces.checkpoint import Checkpoint, CheckpointError, CheckpointStore

SIGN_SECONDS: Final = 1.0
MOST_WAITING_BYTES: Final = 128 << 20
"""What may wait to become durable; an append beyond it is refused."""

_IDLE_SECONDS: Final = 0.25
REMEDY: Final = "until it works again only cancels go out"


class GroupedJournal(ABC):
    """`Journal`; methods may be called from any thread. A store calls `_begin` once it knows where it ends.

    commit_ms: how long the first entry of a group waits for others before the group is made durable; None: nothing is
    before `sync` (for tests of what a loss of power leaves). clock_ns: ns UTC; where it steps back, recorded times
    stand.
    """

    def __init__(
        self, name: str, store: CheckpointStore, clock_ns: Callable[[], int], commit_ms: float | None, sign_s: float
    ) -> None:
        self._name, self._store, self._clock_ns = name, store, clock_ns
        self._commit_ms, self._sign_seconds = commit_ms, sign_s
        self._lock, self._committing = threading.Lock(), threading.Lock()  # taken in the order: committing, lock
        self._wake, self._is_idle = threading.Event(), False
        self._waiting: list[tuple[Place, bytes]] = []  # groups that are not durable yet, and where each begins
        self._waiting_bytes = 0
        self._fault: str | None = None
        self._closed = False
        self._end = self._safe = Place()
        self._signed_at, self._signed_seq = time.monotonic(), -1
        self._thread: threading.Thread | None = None

    # --- what a store says ----------------------------------------------------------------------------

    @abstractmethod
    def _put(self, start: Place, data: bytes, after: Place) -> None:
        """Hand over a group that follows `start`, whole. Raises OSError: nothing of it is there, or `_fault` is set."""

    @abstractmethod
    def _flush(self) -> None:
        """Return when everything handed over survives a loss of power. Raises OSError."""

    @abstractmethod
    def _put_again(self) -> None:
        """After a fault: hand over again what waits, since nobody can say what of it is there. Raises OSError."""

    @abstractmethod
    def _let_go(self) -> None:
        """Give back files, connections and the writer's lock."""

    @abstractmethod
    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`. Raises JournalError where the chain is broken."""

    # --- the port -------------------------------------------------------------------------------------

    def append(self, *messages: AnyMessage) -> int:
        """Record messages as a whole; returns the last one's `seq`. Raises JournalError: see the port."""
        if self._fault is not None:
            self._mend()
        with self._lock:
            self._usable()
            if not messages:
                return self._end.seq
            now = self._clock_ns()
            data, after = encode(self._end, now if now > self._end.ts_ns else self._end.ts_ns, messages)
            if self._waiting_bytes + len(data) > MOST_WAITING_BYTES:
                raise JournalError(f"{self._name}: {self._waiting_bytes} bytes wait to become durable; {REMEDY}")
            try:
                self._put(self._end, data, after)
            except OSError as error:
                raise JournalError(
                    f"{self._name}: {len(messages)} messages not recorded: {said(error)}; {REMEDY}"
                ) from error
            self._waiting.append((self._end, data))
            self._waiting_bytes += len(data)
            self._end = after
        if self._is_idle:
            self._wake.set()
        return after.seq

    def rehearse(self, *messages: AnyMessage) -> None:
        """What `append` does up to the writing, for nothing."""
        encode(self._end, self._clock_ns(), messages)

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

    def close(self) -> None:
        """Make everything durable, sign for it and let go. Raises JournalError where that fails; it is closed then."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if self._fault is not None:
                self._mend()
            self._commit(sign=True)
        finally:
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what stores share ----------------------------------------------------------------------------

    def _begin(self, end: Place) -> None:
        """Everything up to `end` is durable: sign for it, and follow what comes."""
        self._end = self._safe = end
        self._sign(end)
        if self._commit_ms is not None:
            self._thread = threading.Thread(
                target=self._commit_groups, args=(self._commit_ms / 1000.0,), name="journal", daemon=True
            )
            self._thread.start()

    def _signed(self) -> Checkpoint:
        """What was signed for last. Raises JournalError."""
        try:
            signed = self._store.load()
            self._store.private_key()
        except CheckpointError as error:
            raise JournalError(f"{error}; {self._name} was not touched") from error
        self._signed_seq = signed.count - 1
        return signed

    def _commit_groups(self, wait_seconds: float) -> None:
        """The thread: whatever waits is made durable together."""
        with contextlib.suppress(AttributeError, OSError):  # where the system has it: waking, it puts off nobody
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        quiet = 0
        while not self._closed:
            time.sleep(wait_seconds)
            if self._end.seq != self._safe.seq:
                quiet = 0
                with contextlib.suppress(JournalError):  # `fault` tells, and the next append raises it
                    self._commit()
                continue
            quiet += 1
            if quiet * wait_seconds > _IDLE_SECONDS:  # until then nobody who appends has to wake this thread
                self._wake.clear()
                self._is_idle = True
                if self._end.seq == self._safe.seq and not self._closed:
                    self._wake.wait()
                self._is_idle, quiet = False, 0

    def _commit(self, *, sign: bool = False) -> None:
        """Everything appended so far becomes durable; the checkpoint follows when it is due. Raises JournalError."""
        with self._committing:
            with self._lock:
                if self._fault is not None:
                    raise JournalError(f"{self._name}: {self._fault}; {REMEDY}")
                end, groups = self._end, len(self._waiting)
            if end.seq != self._safe.seq:
                try:
                    self._flush()
                except OSError as error:
                    with self._lock:
                        self._fault = f"not made durable: {said(error)}"
                    raise JournalError(f"{self._name}: {self._fault}; {REMEDY}") from error
                with self._lock:
                    self._forget(groups)
                    self._safe = end
            if sign or time.monotonic() - self._signed_at >= self._sign_seconds:
                try:
                    self._sign(self._safe)
                except (OSError, CheckpointError) as error:
                    if sign:
                        raise JournalError(f"{self._name}: recorded, and not signed for: {error}; {REMEDY}") from error

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

    def _usable(self) -> None:
        if self._closed:
            raise JournalError(f"{self._name}: this journal was closed; open it again")
        if self._fault is not None:
            raise JournalError(f"{self._name}: {self._fault}; {REMEDY}")

    def _mend(self) -> None:
        with self._committing, self._lock:
            if self._fault is None:
                return
            try:
                self._put_again()
            except OSError as error:
                self._fault = f"still not working: {said(error)}"
                raise JournalError(f"{self._name}: {self._fault}; {REMEDY}") from error
            self._forget(len(self._waiting))
            self._safe, self._fault = self._end, None


def said(error: OSError) -> str:
    """The system's words for an error, or our own."""
    return error.strerror or str(error)
