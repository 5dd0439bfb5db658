"""What the nights before have left: a fold over the ledger, and nothing else. There is no file of state.

Equal ledgers give equal memories, so a night that a crash cut off is continued from what is written: pulls that were
paid are paid, and the one that was cut is finished, with the verdict it had reached, if it had reached one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from supervisor.night.bandit import Arm, Pull
from traces.events import (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    Envelope,
    FindingRecorded,
    NightFinished,
    NightStarted,
    PatchRolledBack,
    ReviewRejected,
    RunStarted,
)
from traces.reader import Follower

LOOKS = ("run", "research")
"""Purposes of runs by which somebody looked at a market."""


@dataclass(frozen=True)
class Cut:
    """A pull that was begun and not paid; `verdict` is what its ablation had come to, if it had."""

    pulled: ArmPulled
    verdict: AblationFinished | None = None


@dataclass(frozen=True)
class Tonight:
    """A night that has begun and is not over."""

    started: NightStarted
    began_ns: int
    paid: tuple[ArmPaid, ...] = ()
    cut: Cut | None = None
    due_s: float = 0.0
    """Of the compute seconds, those that overdue arms had."""

    @property
    def spent_s(self) -> float:
        """Compute seconds of the pulls that were paid."""
        return sum(p.seconds for p in self.paid)

    @property
    def ablations(self) -> int:
        """How many trials it made."""
        return sum(p.ablation_id is not None for p in self.paid)

    @property
    def next_pull(self) -> int:
        """The number of the pull to come."""
        return len(self.paid)


@dataclass
class Memory:
    """What a night must know of what came before. Fold events with `take`, in ledger order."""

    nights: int = 0
    tonight: Tonight | None = None
    found_ns: dict[str, int] = field(default_factory=dict)
    """First sight of each finding."""
    module_ns: dict[str, int] = field(default_factory=dict)
    """When each module was last on trial, or looked at by a night."""
    arm_ns: dict[Arm, int] = field(default_factory=dict)
    """When each arm was last pulled."""
    market_ns: dict[str, int] = field(default_factory=dict)
    """When each version of a data set, by digest, was last run by anybody."""
    began_ns: int | None = None
    now_ns: int = 0
    _pulls: list[tuple[Pull, str | None]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def take(self, envelope: Envelope) -> None:
        """One event further."""
        event, at = envelope.event, envelope.ts_ns
        self.began_ns = at if self.began_ns is None else self.began_ns
        self.now_ns = at
        match event:
            case NightStarted():
                self.nights = max(self.nights, event.number + 1)
                self.tonight = Tonight(event, at)
            case ArmPulled():
                self._pulled(event)
            case ArmPaid():
                self._paid(event, at)
            case NightFinished():
                self.tonight = None
            case AblationStarted():
                self.module_ns[event.module] = at
            case AblationFinished():
                self.module_ns[event.module] = at
                self._judged(event)
            case FindingRecorded():
                self.found_ns.setdefault(event.finding_id, at)
            case RunStarted() if event.purpose in LOOKS:
                self.market_ns[event.data_digest] = at
            case ReviewRejected() | PatchRolledBack():
                self._refused.add(event.branch.rpartition("/")[2])
            case _:
                pass

    @property
    def pulls(self) -> tuple[Pull, ...]:
        """Every pull that was paid. What a human turned down, or took back, afterwards has shipped nothing."""
        return tuple(
            replace(pull, gain=0.0, shipped=False) if ablation in self._refused else pull
            for pull, ablation in self._pulls
        )

    def _pulled(self, event: ArmPulled) -> None:
        tonight = self.tonight
        if tonight is None or event.night_id != tonight.started.night_id or event.pull != tonight.next_pull:
            return
        verdict = tonight.cut.verdict if tonight.cut is not None else None
        self.tonight = replace(tonight, cut=Cut(event, verdict))

    def _judged(self, event: AblationFinished) -> None:
        tonight = self.tonight
        if tonight is not None and tonight.cut is not None and tonight.cut.pulled.module == event.module:
            self.tonight = replace(tonight, cut=Cut(tonight.cut.pulled, event))

    def _paid(self, event: ArmPaid, at: int) -> None:
        tonight = self.tonight
        if tonight is None or event.night_id != tonight.started.night_id or event.pull != tonight.next_pull:
            return  # paid before: nothing counts twice
        arm = Arm(event.module, event.proposer)
        self.module_ns[event.module] = self.arm_ns[arm] = at
        due = tonight.cut is not None and tonight.cut.pulled.why == "due"
        due_s = tonight.due_s + (event.seconds if due else 0.0)
        self.tonight = replace(tonight, paid=(*tonight.paid, event), cut=None, due_s=due_s)
        pull = Pull(arm, tonight.started.number, event.gain, event.seconds, event.outcome == "ship")
        self._pulls.append((pull, event.ablation_id))


def replay(envelopes: Iterable[Envelope]) -> Memory:
    """The memory of a whole ledger."""
    memory = Memory()
    for envelope in envelopes:
        memory.take(envelope)
    return memory


class Remembering:
    """A memory that follows its ledger: each look costs no more than what is new."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._memory = Memory()

    def now(self) -> Memory:
        """As of what is acknowledged now. Raises LedgerError."""
        for envelope in self._follower.new():
            self._memory.take(envelope)
        return self._memory
