"""The loop's events folded into what the board shows. Feed it in ledger order; each event costs the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatchmethod

from traces.events import (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    Change,
    Envelope,
    Event,
    ExchangeRecorded,
    FindingRecorded,
    ModuleWritten,
    NightFinished,
    NightStarted,
    PatchProposed,
    PatchRolledBack,
    PatchWatched,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    TrialRecorded,
)

FOLDED = (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    ExchangeRecorded,
    FindingRecorded,
    ModuleWritten,
    NightFinished,
    NightStarted,
    PatchProposed,
    PatchRolledBack,
    PatchWatched,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    TrialRecorded,
)
KINDS = frozenset(str(cls.model_fields["kind"].default) for cls in FOLDED)
"""What a reader has to parse for the board."""

TESTED = "ablation"


@dataclass
class Trial:
    """An ablation from its start to its fate. `seq` orders verdicts: one that is judged again moves to the end."""

    started: AblationStarted
    finished: AblationFinished | None = None
    seq: int = -1
    ts_ns: int = 0
    branch: str | None = None
    merged_ns: int | None = None
    turned_down: bool = False
    rolled_back: bool = False
    watched: PatchWatched | None = None
    by: str = ""

    @property
    def shipped(self) -> bool:
        """Whether the gate let it through."""
        return self.finished is not None and self.finished.verdict == "SHIP"

    @property
    def stands(self) -> bool:
        """Whether it is merged and nobody took it back."""
        return self.merged_ns is not None and not self.rolled_back


@dataclass
class Found:
    """A finding, where it was last recorded, and whether anything was proposed for it."""

    event: FindingRecorded
    seq: int
    ts_ns: int
    proposed: bool = False


@dataclass
class Spent:
    """What was asked of one model or source."""

    calls: int = 0
    replayed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    unpriced: int = 0
    last_ns: int = 0


@dataclass
class Night:
    """A night, and how it ended if it did."""

    started: NightStarted
    ts_ns: int
    finished: NightFinished | None = None
    pulls: int = 0
    judged: int = 0
    shipped: int = 0


@dataclass
class Arm:
    """A module and a proposer."""

    pulls: int = 0
    shipped: int = 0
    gain: float = 0.0
    seconds: float = 0.0


@dataclass
class Fold:
    """Everything that the board knows from the ledger."""

    last_ns: int = 0
    trials: dict[str, Trial] = field(default_factory=dict)
    tested: dict[str, tuple[float, bool]] = field(default_factory=dict)
    """Trials that were tests, in order: `(level, rejected)`."""
    looks: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Found] = field(default_factory=dict)
    proposals: dict[str, tuple[PatchProposed, int]] = field(default_factory=dict)
    """The newest proposal of each module, with its place in the ledger."""
    branches: dict[str, str] = field(default_factory=dict)
    """Branch to the ablation that it holds."""
    merges: list[tuple[int, str, int]] = field(default_factory=list)
    """`(ns, ablation, +1)` for each merge, in order, -1 where one was taken back."""
    proposers: dict[str, str] = field(default_factory=dict)
    """Ablation to who proposed it."""
    nights: dict[str, Night] = field(default_factory=dict)
    arms: dict[tuple[str, str], Arm] = field(default_factory=dict)
    pulled: dict[str, ArmPulled] = field(default_factory=dict)
    """The newest pull on each module."""
    under_way: dict[tuple[str, int], ArmPulled] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=dict)
    costs: list[tuple[int, int]] = field(default_factory=list)
    """`(ns, micro-dollars)` of the calls that cost something."""
    asking: dict[str, bool] = field(default_factory=dict)
    """Researches that asked outside, and whether a module came of each."""

    def take(self, envelope: Envelope) -> None:
        """One event, in ledger order."""
        self.last_ns = envelope.ts_ns
        self._take(envelope.event, envelope.seq, envelope.ts_ns)

    @singledispatchmethod
    def _take(self, event: Event, seq: int, ts_ns: int) -> None:
        """Other kinds say nothing of the loop."""

    @_take.register
    def _(self, event: AblationStarted, seq: int, ts_ns: int) -> None:
        before = self.trials.get(event.ablation_id)
        if before is None:
            self.trials[event.ablation_id] = Trial(event)
        else:
            before.started = event

    @_take.register
    def _(self, event: AblationFinished, seq: int, ts_ns: int) -> None:
        trial = self.trials.get(event.ablation_id)
        if trial is not None:
            trial.finished, trial.seq, trial.ts_ns = event, seq, ts_ns

    @_take.register
    def _(self, event: TrialRecorded, seq: int, ts_ns: int) -> None:
        # As the trial book counts them: each once, and only those that were tested.
        if event.family == TESTED and event.level is not None and event.rejected is not None:
            self.tested.setdefault(event.trial_id, (event.level, event.rejected))
        else:
            self.looks[event.family] += 1

    @_take.register
    def _(self, event: FindingRecorded, seq: int, ts_ns: int) -> None:
        self.findings[event.finding_id] = Found(event, seq, ts_ns)

    @_take.register
    def _(self, event: PatchProposed, seq: int, ts_ns: int) -> None:
        self.proposals[event.module] = (event, seq)
        for finding in event.findings:
            if finding in self.findings:
                self.findings[finding].proposed = True

    @_take.register
    def _(self, event: ReviewOpened, seq: int, ts_ns: int) -> None:
        if event.ablation_id is not None:
            self.branches[event.branch] = event.ablation_id
            if event.ablation_id in self.trials:
                self.trials[event.ablation_id].branch = event.branch
                self.trials[event.ablation_id].turned_down = False

    @_take.register
    def _(self, event: ReviewApproved, seq: int, ts_ns: int) -> None:
        trial = self.trials.get(self.branches.get(event.branch, ""))
        if trial is not None:
            trial.merged_ns, trial.by, trial.rolled_back = ts_ns, event.by, False
            self.merges.append((ts_ns, trial.started.ablation_id, 1))

    @_take.register
    def _(self, event: PatchWatched, seq: int, ts_ns: int) -> None:
        if event.ablation_id in self.trials:
            self.trials[event.ablation_id].watched = event

    @_take.register
    def _(self, event: PatchRolledBack, seq: int, ts_ns: int) -> None:
        trial = self.trials.get(event.ablation_id)
        if trial is not None and trial.stands:
            trial.rolled_back, trial.by = True, event.by
            self.merges.append((ts_ns, event.ablation_id, -1))

    @_take.register
    def _(self, event: ReviewRejected, seq: int, ts_ns: int) -> None:
        trial = self.trials.get(self.branches.get(event.branch, ""))
        if trial is not None:
            trial.turned_down, trial.by = True, event.by

    @_take.register
    def _(self, event: NightStarted, seq: int, ts_ns: int) -> None:
        self.nights[event.night_id] = Night(event, ts_ns)

    @_take.register
    def _(self, event: NightFinished, seq: int, ts_ns: int) -> None:
        if event.night_id in self.nights:
            self.nights[event.night_id].finished = event
        self.under_way = {key: pull for key, pull in self.under_way.items() if key[0] != event.night_id}

    @_take.register
    def _(self, event: ArmPulled, seq: int, ts_ns: int) -> None:
        self.pulled[event.module] = event
        self.under_way[event.night_id, event.pull] = event
        if event.night_id in self.nights:
            self.nights[event.night_id].pulls += 1

    @_take.register
    def _(self, event: ArmPaid, seq: int, ts_ns: int) -> None:
        self.under_way.pop((event.night_id, event.pull), None)
        arm = self.arms.setdefault((event.module, event.proposer), Arm())
        arm.pulls += 1
        arm.gain += event.gain
        arm.seconds += event.seconds
        arm.shipped += event.outcome == "ship"
        if event.ablation_id is not None:
            self.proposers[event.ablation_id] = event.proposer
        night = self.nights.get(event.night_id)
        if night is not None:
            night.judged += event.outcome in ("ship", "reject")
            night.shipped += event.outcome == "ship"

    @_take.register
    def _(self, event: ExchangeRecorded, seq: int, ts_ns: int) -> None:
        spent = self.spent.setdefault(event.who, Spent())
        spent.last_ns = ts_ns
        self.asking.setdefault(event.research_id, False)
        if event.replayed:
            spent.replayed += 1
            return
        spent.calls += 1
        spent.input_tokens += event.input_tokens
        spent.output_tokens += event.output_tokens
        spent.unpriced += event.cost_micro_usd is None
        spent.cost_micro_usd += event.cost_micro_usd or 0
        if event.cost_micro_usd:
            self.costs.append((ts_ns, event.cost_micro_usd))

    @_take.register
    def _(self, event: ModuleWritten, seq: int, ts_ns: int) -> None:
        if event.research_id in self.asking:
            self.asking[event.research_id] = True


def change_text(patch: Mapping[str, Change]) -> str:
    """`no_trade_band 0.0 -> 0.02`; of a text only its path, since the ledger holds its digest."""
    return ", ".join(
        name if c.old is None and "/" in name else f"{name} {c.old} -> {c.new}" for name, c in patch.items()
    )
