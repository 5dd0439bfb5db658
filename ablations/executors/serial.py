"""One job after the other in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ablations.executors.machine import room
from ablations.executors.port import Job, Result, refuse_the_unfit


class Serial:
    """In this process: the plainest executor, and the one that others are compared with."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """See Executor."""
        refuse_the_unfit(jobs, room(), "this machine")
        return [function(job) for job in jobs]
