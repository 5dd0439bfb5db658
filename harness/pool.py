"""Work shared by processes: the same results in the same order as one process gives, or an error that says which died.

Processes are started afresh, not forked: libraries here keep threads, which a fork would leave locked. Starting one
takes some seconds, so it pays where the work takes minutes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

MOST_JOBS = 64
AHEAD = 2
"""Pieces a process that are handed out before the oldest has come back."""

T = TypeVar("T")
R = TypeVar("R")


class PoolError(RuntimeError):
    """A process that died before it answered."""


def in_order(
    work: Callable[[T], R],
    pieces: Iterable[T],
    jobs: int,
    prepare: Callable[..., object] | None = None,
    given: tuple[Any, ...] = (),
) -> Iterator[R]:
    """`work(piece)` for each piece, in the order of the pieces, by `jobs` processes.

    `pieces` are taken as they are handed out, so what taking one does (a record, say) is done before it is worked on,
    and not much earlier. `prepare(*given)` runs once in each process. `work`, `prepare` and everything passed must be
    importable or picklable. Raises what `work` raises, and PoolError.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise ValueError(f"jobs is {jobs}; give 1 to {MOST_JOBS}")
    waiting: deque[Future[R]] = deque()
    with threads_shared(jobs), ProcessPoolExecutor(jobs, get_context("spawn"), prepare, given) as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) >= AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise PoolError("a process died before it answered: out of memory, perhaps; try --jobs 1") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def threads_shared(jobs: int) -> Iterator[None]:
    """Each process gets its share of the processors: threads beyond them only get in each other's way."""
    share = str(max(1, (os.cpu_count() or 1) // jobs))
    names = ("CWS_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: os.environ.get(name) or share for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
