"""The port: a function over jobs, and what a job needs of the machine that runs it.

Results come back in the order of the jobs, whatever runs them and however many there are, so nothing downstream can
depend on it. What every implementation must hold is `tests/ablations/test_executors.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from modules.canonical import digest_bytes, digest_json, digest_mapping
from modules.manifest import environment
from modules.workspace import CHECKOUT

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_ATTEMPTS = 3
"""How often a job is begun: a worker that dies takes no result with it, but a job that kills each of its workers is
the cause."""

MOST_CPUS, MOST_MEMORY_MB, MOST_GPUS = 1_024, 16_777_216, 64


class ExecutorError(RuntimeError):
    """A job that could not be run: its needs cannot be met, its workers died, or they run other code."""


@dataclass(frozen=True)
class Needs:
    """What a job takes of the machine while it runs. A job says so by an attribute `needs`; without it, one cpu."""

    cpus: int = 1
    memory_mb: int = 0
    gpus: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (("cpus", 1, MOST_CPUS), ("memory_mb", 0, MOST_MEMORY_MB), ("gpus", 0, MOST_GPUS)):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"needs.{name} is {value!r}; give a whole number from {least} to {most}")

    def fits(self, room: Needs | Room) -> bool:
        """Whether `room` has at least this much of everything."""
        return self.cpus <= room.cpus and self.memory_mb <= room.memory_mb and self.gpus <= room.gpus

    def __str__(self) -> str:
        return f"{self.cpus} cpus, {self.memory_mb} MB of memory, {self.gpus} gpus"


@dataclass(frozen=True)
class Room:
    """What there is, or what is left of it."""

    cpus: int
    memory_mb: int
    gpus: int

    def less(self, needs: Needs) -> Room:
        """What is left beside a job with `needs`."""
        return Room(self.cpus - needs.cpus, self.memory_mb - needs.memory_mb, self.gpus - needs.gpus)

    def __str__(self) -> str:
        return f"{self.cpus} cpus, {self.memory_mb} MB of memory, {self.gpus} gpus"


ONE_CPU = Needs()


class Executor(Protocol):
    """Runs a function over jobs. The function must be importable and the jobs plain data."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """Results in the order of `jobs`; the error of the first job that failed is raised.

        Raises ExecutorError before anything runs where a job needs more than there is, and where a job killed its
        worker `MOST_ATTEMPTS` times.
        """
        ...


def needs_of(job: object) -> Needs:
    """What `job` declares; one cpu where it declares nothing."""
    found = getattr(job, "needs", None)
    return found if isinstance(found, Needs) else ONE_CPU


def label(job: object, at: int) -> str:
    """How a message names a job."""
    name = getattr(job, "name", None)
    return f"job {at} ({name})" if isinstance(name, str) else f"job {at}"


def refuse_the_unfit(jobs: Sequence[object], room: Room, where: str) -> None:
    """Raises ExecutorError for the first job that `room` could never hold."""
    for at, job in enumerate(jobs):
        needs = needs_of(job)
        if not needs.fits(room):
            raise ExecutorError(f"{label(job, at)} needs {needs}; {where} has {room}: run it on a larger machine")


@functools.cache
def ground() -> str:
    """Digest of the code and the libraries that this process computes with, as they were when it first asked.

    A worker on other ground would answer with other bits under the same name, so it is refused.
    """
    folders = ("ablations", "harness", "modules", "skills", "supervisor", "traces")
    files = {
        path.relative_to(CHECKOUT).as_posix(): digest_bytes(path.read_bytes())
        for folder in folders
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    }
    return digest_json({"code": digest_mapping(files), "environment": environment()})


def refuse_other_ground(theirs: str) -> None:
    """Raises ExecutorError where this process runs other code or libraries than the one whose ground is `theirs`."""
    if ground() != theirs:
        raise ExecutorError(
            "this worker runs other code, libraries or another kind of processor than the process that sent the job; "
            "give both the same checkout and the same requirements.lock, and start again"
        )
