"""By when something must have been looked at. Deadlines order the queue: nobody's module comes first by rank.

A finding is to be pursued within two weeks of its first sight. A module, and a market, is to be looked at again after
a month, though nothing was found there. What a family's members are still good for is asked every month.
"""

from __future__ import annotations

from dataclasses import dataclass

from modules.panel import iso
from supervisor.night.bandit import Arm

DAY_NS = 86_400_000_000_000
DUE_SHARE = 0.5
"""Of a night, what may go to arms whose deadline has passed; the bandit has the rest, whatever is overdue."""


@dataclass(frozen=True)
class Deadlines:
    """Days from the moment the clock starts until something is due."""

    finding_days: int = 14
    relook_days: int = 30
    retire_days: int = 30

    def __post_init__(self) -> None:
        if min(self.finding_days, self.relook_days, self.retire_days) < 1:
            raise ValueError(f"{self}: every deadline is at least one day away, or all would always be overdue")

    def after(self, proposer: str, since_ns: int) -> int:
        """When an arm of this proposer is due, counted from its finding or from the last look."""
        days = {"relook": self.relook_days, "retire": self.retire_days}.get(proposer, self.finding_days)
        return since_ns + days * DAY_NS


@dataclass(frozen=True)
class Due:
    """An arm and when it is due, ns UTC."""

    arm: Arm
    due_ns: int

    @property
    def text(self) -> str:
        """For the ledger and for people."""
        return iso(self.due_ns)


def overdue(queue: tuple[Due, ...], now_ns: int) -> tuple[Due, ...]:
    """What is past its deadline, the earliest first."""
    return tuple(sorted((d for d in queue if d.due_ns <= now_ns), key=lambda d: (d.due_ns, d.arm)))
