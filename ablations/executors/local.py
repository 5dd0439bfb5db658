"""Processes of this machine, kept warm between calls.

Processes are spawned, never forked: a fork copies locks that threads of polars and numba hold. Each holds one job at a
time, so when one dies it is known whose work is lost: that job is begun again in a new process, and no other is.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from ablations.executors.machine import gpus, memory_mb
from ablations.executors.port import (
    MOST_ATTEMPTS,
    ExecutorError,
    Job,
    Needs,
    Result,
    Room,
    ground,
    label,
    needs_of,
    refuse_the_unfit,
)
from ablations.executors.worker import serve
from harness.pool import threads_shared

MOST_WORKERS = 64
MOST_SECONDS = 3600.0
"""How long one job may take before its process is ended."""

_PATIENCE_SECONDS = 2.0
"""How long a process that was asked to end may take."""


class LocalPool:
    """`workers` processes: as many jobs of one cpu at a time, fewer where jobs need more."""

    def __init__(self, workers: int = 2, *, job_seconds: float = MOST_SECONDS) -> None:
        if not 1 <= workers <= MOST_WORKERS:
            raise ValueError(f"workers is {workers}; give 1 to {MOST_WORKERS}")
        if not job_seconds > 0:
            raise ValueError(f"job_seconds is {job_seconds}; give a number above 0")
        self.workers = workers
        self.job_seconds = job_seconds
        self._idle: list[_Worker] = []

    @property
    def room(self) -> Room:
        """What the jobs share: one cpu a worker, the memory and the cards of the machine."""
        return Room(self.workers, memory_mb(), len(gpus()))

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """See Executor."""
        refuse_the_unfit(jobs, self.room, f"a pool of {self.workers} workers here")
        round_ = _Round(self, function, jobs)
        try:
            return round_.finish()
        finally:
            round_.abandon()

    def processes(self) -> tuple[int, ...]:
        """Ids of the processes that wait for work."""
        return tuple(w.pid for w in self._idle)

    def close(self) -> None:
        """Stop the workers."""
        while self._idle:
            self._idle.pop().end()

    def take(self, needs: Needs) -> _Worker:
        """A worker for a job with `needs`: a waiting one, else a new one. One that may see a card is always new: what
        a process has opened of a card it keeps."""
        while self._idle and not needs.gpus:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.end()
        if self._idle and needs.gpus:
            self._idle.pop().end()
        return _Worker(self.workers)

    def give_back(self, worker: _Worker, needs: Needs) -> None:
        """Keep the worker warm."""
        if needs.gpus or not worker.alive:
            worker.end()
        else:
            self._idle.append(worker)

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    """One process and the line to it."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, ground()), daemon=True, name="cws-worker")
        with threads_shared(workers):
            self._process.start()
        theirs.close()  # so that its end is seen here as the end of the line

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def end(self, *, now: bool = False) -> str:
        """End the process; the words for how it ended."""
        self.line.close()  # an idle one takes that as its sign to go
        self._process.join(0.0 if now else _PATIENCE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        self._process.close()
        return _how(code)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else str(-code)
        return f"killed by {name}" + (" (out of memory, perhaps)" if name == "SIGKILL" else "")
    return f"exit {code}"


@dataclass
class _Begun:
    """A job at work."""

    at: int
    worker: _Worker
    needs: Needs
    cards: tuple[str, ...]
    deadline: float


@dataclass
class _Round:
    """One call of `map`: what is left to do, what is at work, what came back. Jobs begin in order; none overtakes."""

    pool: LocalPool
    function: Callable[[Any], Any]
    jobs: Sequence[Any]
    left: deque[int] = field(default_factory=deque)
    begun: dict[Connection, _Begun] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)
    errors: dict[int, BaseException] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)

    def finish(self) -> list[Any]:
        """Results in the order of the jobs. After an error nothing new begins, and what was begun before it ends: so
        the error raised is that of the first job that fails, as in one process."""
        self.left = deque(range(len(self.jobs)))
        self.free, self.cards = self.pool.room, deque(gpus())
        while self.left or self.begun:
            self._begin()
            self._collect()
        if self.errors:
            raise self.errors[min(self.errors)]
        return [self.results[at] for at in range(len(self.jobs))]

    def abandon(self) -> None:
        """End what is still at work: an error or an interrupt came in between."""
        for begun in self.begun.values():
            begun.worker.end(now=True)
        self.begun.clear()

    def _begin(self) -> None:
        while self.left and needs_of(self.jobs[self.left[0]]).fits(self.free):
            at = self.left.popleft()
            needs = needs_of(self.jobs[at])
            worker = self.pool.take(needs)
            cards = tuple(self.cards.popleft() for _ in range(needs.gpus))
            self.free = self.free.less(needs)
            self.attempts[at] = self.attempts.get(at, 0) + 1
            self.begun[worker.line] = _Begun(at, worker, needs, cards, time.monotonic() + self.pool.job_seconds)
            try:
                worker.line.send((self.function, self.jobs[at], needs.cpus, cards))
            except (BrokenPipeError, ConnectionResetError):
                self._lost(self._ended(worker.line))
            except Exception as error:
                error.add_note(f"{label(self.jobs[at], at)} is no plain data, or its function cannot be imported")
                raise

    def _collect(self) -> None:
        if not self.begun:
            return
        first = min(b.deadline for b in self.begun.values())
        ready = wait(list(self.begun), timeout=max(0.0, first - time.monotonic()))
        for line in ready:
            assert isinstance(line, Connection)
            begun = self.begun[line]
            try:
                worked, answer = line.recv()
            except (EOFError, OSError):
                self._lost(self._ended(line))
                continue
            self._ended(line)
            self.pool.give_back(begun.worker, begun.needs)
            if worked:
                self.results[begun.at] = answer
            else:
                self._failed(begun.at, answer)
        for line in [c for c, b in self.begun.items() if c not in ready and time.monotonic() >= b.deadline]:
            begun = self._ended(line)
            begun.worker.end(now=True)
            what = f"{label(self.jobs[begun.at], begun.at)} took longer than {self.pool.job_seconds:g} s and was ended"
            self._failed(begun.at, ExecutorError(what))

    def _ended(self, line: Connection) -> _Begun:
        """Take a job off the list of those at work, and its room back."""
        begun = self.begun.pop(line)
        self.cards.extendleft(reversed(begun.cards))
        used = begun.needs
        self.free = Room(self.free.cpus + used.cpus, self.free.memory_mb + used.memory_mb, self.free.gpus + used.gpus)
        return begun

    def _lost(self, begun: _Begun) -> None:
        """Its worker died: the job comes first in the queue again, a bounded number of times."""
        how = begun.worker.end()
        if self.attempts[begun.at] < MOST_ATTEMPTS:
            if begun.at < min(self.errors, default=len(self.jobs)):
                self.left = deque(sorted((begun.at, *self.left)))
            return
        name = label(self.jobs[begun.at], begun.at)
        self._failed(begun.at, ExecutorError(f"{name}: its worker died {MOST_ATTEMPTS} times, last {how}"))

    def _failed(self, at: int, error: BaseException) -> None:
        self.errors[at] = error
        self.left = deque(other for other in self.left if other < at)
