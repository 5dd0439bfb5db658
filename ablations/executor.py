"""Where jobs run: one port, an in-process implementation and a local process pool.

Results come back in the order of the jobs, whatever the number of workers, so nothing downstream can depend on it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a function over jobs. The function must be importable and the jobs plain data."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """Results in the order of `jobs`; the first exception is raised."""
        ...


class Serial:
    """In this process, one after the other."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """See Executor."""
        return [function(job) for job in jobs]


class LocalPool:
    """A pool of local processes, kept warm between calls. Processes are spawned, never forked: a fork copies
    locks that threads of polars and numba hold."""

    def __init__(self, workers: int = 2) -> None:
        if not 1 <= workers <= 64:
            raise ValueError(f"workers is {workers}; give 1 to 64")
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """See Executor."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, mp_context=multiprocessing.get_context("spawn"))
        return list(self._pool.map(function, jobs))

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
