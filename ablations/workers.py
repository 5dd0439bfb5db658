"""Who runs the gate's jobs: any executor. Stated here, so that a change of executors is no change of the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Workers(Protocol):
    """What the gate asks of an executor."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """Results in the order of `jobs`; the error of the first that failed is raised."""
        ...
