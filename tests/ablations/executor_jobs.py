"""Functions and jobs that worker processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from ablations.executors.port import ONE_CPU, Needs


def square(x: int) -> int:
    """x * x, refusing 13 and, later, 3."""
    if x == 13:
        raise ValueError("13 is refused")
    if x == 3:
        time.sleep(0.2)
        raise KeyError("3 is refused")
    return x * x


@dataclass(frozen=True)
class Told:
    """A job with a name, a folder to leave word in, and needs."""

    name: str
    folder: Path
    needs: Needs = ONE_CPU
    seconds: float = 0.0


def where(job: Told) -> tuple[str, int, str, str]:
    """The job's name, and who ran it, with how many threads and which cards."""
    time.sleep(job.seconds)
    return job.name, os.getpid(), os.environ["CWS_THREADS"], os.environ["CUDA_VISIBLE_DEVICES"]


def die_once(job: Told) -> str:
    """Killed the first time it runs, done the second."""
    mark = job.folder / job.name
    if job.name.startswith("dies") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with (job.folder / "done").open("a") as done:
        done.write(f"{job.name}\n")
    return job.name


def die_always(job: Told) -> str:
    """Killed each time; it counts."""
    with (job.folder / "begun").open("a") as begun:
        begun.write(f"{job.name}\n")
    if job.name.startswith("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    return job.name


def overlap(job: Told) -> tuple[float, float]:
    """When it began and ended."""
    began = time.time()
    time.sleep(job.seconds)
    return began, time.time()


def unsendable(x: int) -> object:
    """A result that no line takes."""
    return lambda: x


class OddError(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def oddly(x: int) -> int:
    """Fails with an error that cannot be sent."""
    raise OddError(x, x)
