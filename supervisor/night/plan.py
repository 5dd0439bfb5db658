"""What a night may spend, and what may still be pulled: pure decisions over what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from supervisor.night.bandit import Arm, Draw, draw, tallies
from supervisor.night.deadlines import DUE_SHARE, Deadlines, Due, overdue
from supervisor.night.memory import Memory, Tonight

MOST_PULLS = 1_000
"""Of a night, whatever its budget."""

PULLS_AN_ARM = 3
REJECTS_A_MODULE = 2
"""A night. Each rejected patch costs every later one of the stream, and a third guess at one module is a poor one."""

PULL_SHARE = 0.25
"""Of the seconds that are left, what one pull may take before its ablation."""

LEAST_PULL_S = 30.0


@dataclass(frozen=True)
class Plan:
    """One night: compute seconds, ablations, the seed of every draw; `suite` None = each module's own. `again`: whether
    what nobody found at fault is looked at too (second looks, retirement)."""

    seconds: float = 1200.0
    ablations: int = 24
    seed: int = 0
    suite: str | None = None
    again: bool = True
    deadlines: Deadlines = field(default_factory=Deadlines)

    def __post_init__(self) -> None:
        if not (0 < self.seconds <= 86_400 and 0 <= self.ablations <= 1_000):
            raise ValueError(f"plan {self}: give seconds above 0 and at most 86400, and 0 to 1000 ablations")


@dataclass(frozen=True)
class Choice:
    """The arm to pull, why, and what was drawn for it."""

    arm: Arm
    why: str
    score: float | None
    due_ns: int


def choose(queue: Iterable[Due], memory: Memory, tonight: Tonight) -> Choice | None:
    """The next arm: what is overdue, earliest deadline first, while its share lasts; else as Thompson draws it.

    Depends on the ledger alone: "now" is when the night began. None where nothing is left.
    """
    left = tuple(d for d in queue if open_still(d.arm, tonight))
    if not left:
        return None
    started = tonight.started
    late = overdue(left, tonight.began_ns)
    if late and tonight.due_s < DUE_SHARE * started.seconds:
        return Choice(late[0].arm, "due", None, late[0].due_ns)
    due_ns = {d.arm: d.due_ns for d in left}
    known = tallies(memory.pulls, started.number)
    first: Draw = draw(tuple(due_ns), known, started.seed, started.number, tonight.next_pull)[0]
    return Choice(first.arm, "drawn", first.score, due_ns[first.arm])


def open_still(arm: Arm, tonight: Tonight) -> bool:
    """Whether `arm` may be pulled (again) tonight: not once its module shipped, once it had nothing more to say, or
    once it was refused often enough."""
    of_module = [p for p in tonight.paid if p.module == arm.module]
    of_arm = [p for p in of_module if p.proposer == arm.proposer]
    return not (
        any(p.outcome == "ship" for p in of_module)
        or sum(p.outcome == "reject" for p in of_module) >= REJECTS_A_MODULE
        or any(p.outcome != "reject" for p in of_arm)
        or len(of_arm) >= PULLS_AN_ARM
    )


def spent(tonight: Tonight, seconds_gone: float) -> str:
    """Why nothing more may be begun; "" while something may. A pull that would likely not end in time is not begun."""
    usual = [p.seconds for p in tonight.paid if p.ablation_id is not None]
    left = tonight.started.seconds - seconds_gone
    if left <= 0.0 or (usual and left < median(usual)):
        return "time"
    if tonight.ablations >= tonight.started.ablations:
        return "ablations"
    return "pulls" if tonight.next_pull >= MOST_PULLS else ""
