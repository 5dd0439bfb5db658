"""`nightly`: mine, then pull arms until the budget is spent; what ships waits for a human in the morning.

There is no file of state. Every choice is in the ledger before it is acted on and what it came to after, so a night
that was cut off at any point goes on from there: pulls that were paid are paid, and nothing is tried twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ablations.executors.port import Executor
from modules.canonical import digest_json
from modules.panel import iso
from modules.pipeline import Emit
from modules.registry import list_modules
from modules.workspace import Workspace
from supervisor.alone import alone
from supervisor.finding import Miner
from supervisor.grouping import EmitAll
from supervisor.miners import MINERS
from supervisor.night.attempt import Attempt
from supervisor.night.bandit import Arm
from supervisor.night.deadlines import Due
from supervisor.night.memory import Cut, Memory, Remembering, Tonight
from supervisor.night.plan import Choice, Plan, choose, spent
from supervisor.night.queue import queue
from supervisor.night.result import NightResult
from supervisor.proposers.port import Proposer
from supervisor.proposers.rules import Rules, by_module
from supervisor.proposers.search import Search
from supervisor.pursuit import recall
from supervisor.result import VerdictLine
from supervisor.workshop import Progress, Workshop
from traces.events import ArmPaid, ArmPulled, Event, NightFinished, NightStarted
from traces.log import LedgerError
from traces.reader import Follower

STALE_AFTER_NS = 24 * 3600 * 10**9
"""A night that was cut off longer ago than this is closed, not continued: its data and settings were of another day."""

TRACE_SHARE = 0.25
"""Of the seconds, what running modules that left no traces may take."""

Outcome = Literal["ship", "reject", "nothing", "known", "failed"]

Duty = Callable[[Workshop, float], Sequence[str]]
"""Something a night does before it spends on arms, until a moment of time.monotonic; what a reader must know of it."""


def nightly(
    workspace: Workspace,
    emit: Emit,
    plan: Plan,
    *,
    proposers: Sequence[Proposer] = (Rules(), Search()),
    miners: Sequence[Miner] = MINERS,
    duties: Sequence[Duty] = (),
    executor: Executor | None = None,
    progress: Progress = lambda _: None,
    emit_all: EmitAll | None = None,
    anew: bool = False,
) -> NightResult:
    """One night, or the rest of one that was cut off (unless `anew`). `emit` must append to the workspace's ledger
    before it returns.

    Raises BusyError, RepositoryError (no git, no commits), SuiteError, DataError, LedgerError. What one arm raises is
    recorded, and the night goes on.
    """
    clock = time.monotonic()
    with alone(workspace):
        memory = Remembering(Follower(workspace.ledger, workspace.checkpoints))
        before = memory.now()
        cut = _to_continue(before, emit, anew)
        suite = cut.started.suite if cut is not None else plan.suite
        shop = Workshop.open(workspace, emit, suite=suite, executor=executor, progress=progress, emit_all=emit_all)
        if cut is None:
            shop.grouped(_started(plan, memory.now()))
        else:
            left = max(0.0, cut.started.seconds - cut.spent_s)
            shop.note(f"night {cut.started.number} had been cut off; it went on with {left:.0f} s left")
        attempt = Attempt(shop, tuple(proposers), tuple(miners))
        night = _Night(shop, plan, memory, attempt, clock, cut.spent_s if cut is not None else 0.0)
        try:
            return night.run(duties, resumed=cut is not None)
        finally:
            shop.grouped.flush()


def _to_continue(memory: Memory, emit: Emit, anew: bool) -> Tonight | None:
    """The night that is to be continued; one that is too old, or not wanted, is closed."""
    tonight = memory.tonight
    if tonight is None or not (anew or time.time_ns() - tonight.began_ns > STALE_AFTER_NS):
        return tonight
    emit(_finished(tonight, "cut off", tonight.spent_s))
    return None


def _started(plan: Plan, memory: Memory) -> NightStarted:
    identity = digest_json([memory.nights, plan.seed, memory.began_ns, memory.now_ns])
    return NightStarted(
        night_id=f"night-{identity[:16]}",
        number=memory.nights,
        seed=plan.seed,
        seconds=plan.seconds,
        ablations=plan.ablations,
        suite=plan.suite,
    )


def _finished(tonight: Tonight, reason: str, seconds: float) -> NightFinished:
    return NightFinished(
        night_id=tonight.started.night_id,
        reason=reason,
        seconds=seconds,
        pulls=len(tonight.paid),
        ablations=tonight.ablations,
        shipped=sum(p.outcome == "ship" for p in tonight.paid),
    )


@dataclass
class _Night:
    """One night at work."""

    shop: Workshop
    plan: Plan
    memory: Remembering
    attempt: Attempt
    began_s: float
    gone_before_s: float
    verdicts: dict[str, VerdictLine] = field(default_factory=dict)

    def run(self, duties: Sequence[Duty], *, resumed: bool) -> NightResult:
        """Until the budget is spent or nothing is left."""
        tonight = self.tonight
        until_s = self.began_s + tonight.started.seconds - self.gone_before_s
        self.shop.trace_if_needed(self.began_s + TRACE_SHARE * (until_s - self.began_s))
        self.attempt.mine(until_s)
        if tonight.cut is not None:
            self._finish(tonight.cut)
        for duty in duties:
            for words in duty(self.shop, until_s):
                self.shop.note(words)
        while True:
            tonight = self.tonight
            reason = spent(tonight, self.gone_s)
            choice = None if reason else choose(self._queue(), self.memory.now(), tonight)
            if choice is None:
                break
            self._pull(choice, tonight)
        reason = reason or "nothing is left to try"
        self._emit(_finished(tonight, reason, self.gone_s))
        return self._result(tonight, reason, resumed)

    @property
    def tonight(self) -> Tonight:
        """As the ledger has it."""
        self.shop.grouped.flush()
        found = self.memory.now().tonight
        assert found is not None, "a night that has begun is in the ledger"
        return found

    @property
    def gone_s(self) -> float:
        """Compute seconds: those of before a crash, and the clock since."""
        return self.gone_before_s + time.monotonic() - self.began_s

    def _emit(self, event: Event) -> None:
        self.shop.grouped(event)
        self.shop.grouped.flush()

    # --- what could be done ---------------------------------------------------------------------

    def _queue(self) -> tuple[Due, ...]:
        modules = [f"{stage}/{name}" for stage, name in list_modules() if self.shop.judges(f"{stage}/{name}")]
        strategy = f"feature/{self.shop.spec.stages['feature']}"
        found = by_module(self.attempt.findings)
        if not self.plan.again:
            modules, strategies, markets = [], [], {}
        else:
            strategies = sorted({strategy, *(m for m in modules if m.startswith("feature/"))})
            markets = {v.name: v.digest for v in self.shop.data.list() if v.kind == "bars"}
        return queue(
            {module: of for module, of in found.items() if self.shop.judges(module)},
            [p.name for p in self.attempt.proposers],
            searchable=modules,
            retirable=strategies,
            markets=markets,
            memory=self.memory.now(),
            history=self.shop.history(),
            deadlines=self.plan.deadlines,
        )

    # --- doing it -------------------------------------------------------------------------------

    def _pull(self, choice: Choice, tonight: Tonight) -> None:
        arm = choice.arm
        self._emit(
            ArmPulled(
                night_id=tonight.started.night_id,
                pull=tonight.next_pull,
                module=arm.module,
                proposer=arm.proposer,
                why=choice.why,
                score=choice.score,
                due=iso(choice.due_ns),
            )
        )
        self._spend(arm, tonight)

    def _finish(self, cut: Cut) -> None:
        """The pull that a crash stopped: its verdict stands if it had one, else it is done again."""
        tonight, arm = self.tonight, Arm(cut.pulled.module, cut.pulled.proposer)
        if cut.verdict is None:
            self._spend(arm, tonight)
            return
        ablation_id = cut.verdict.ablation_id
        for judged in self.shop.history().judged:
            if judged.finished.ablation_id == ablation_id:
                self._keep((recall(self.shop, judged, by_module(self.attempt.findings).get(arm.module, ())),))
        ship = cut.verdict.verdict == "SHIP"
        gain = max(0.0, cut.verdict.delta or 0.0) if ship else 0.0
        self._pay(arm, tonight, "ship" if ship else "reject", gain, cut.verdict.seconds, ablation_id, "")

    def _spend(self, arm: Arm, tonight: Tonight) -> None:
        """One pull of `arm`, paid whatever it comes to."""
        clock = time.monotonic()
        self.shop.progress(f"{arm.module}, {arm.proposer}")
        try:
            found = self.attempt.at(arm, tonight, tonight.started.seconds - self.gone_s)
        except LedgerError:
            raise  # nothing can be recorded any more
        except Exception as error:  # noqa: BLE001 - unattended: what one arm raises may not end the night
            self._pay(arm, tonight, "failed", 0.0, time.monotonic() - clock, None, f"{type(error).__name__}: {error}")
            return
        self._keep(found.verdicts)
        fresh = found.fresh
        gain = max(0.0, fresh.delta or 0.0) if fresh is not None and fresh.verdict == "SHIP" else 0.0
        ablation_id = fresh.ablation_id if fresh is not None else None
        why = found.why or (f"{fresh.reason}: {fresh.message}" if fresh is not None and fresh.reason else "")
        self._pay(arm, tonight, found.outcome, gain, time.monotonic() - clock, ablation_id, why)

    # --- writing it down ------------------------------------------------------------------------

    def _pay(
        self,
        arm: Arm,
        tonight: Tonight,
        outcome: Outcome,
        gain: float,
        seconds: float,
        ablation_id: str | None,
        note: str,
    ) -> None:
        self._emit(
            ArmPaid(
                night_id=tonight.started.night_id,
                pull=tonight.next_pull,
                module=arm.module,
                proposer=arm.proposer,
                outcome=outcome,
                gain=gain,
                seconds=seconds,
                ablation_id=ablation_id,
                note=note[:500],
            )
        )

    def _keep(self, lines: Sequence[VerdictLine]) -> None:
        """The newest word on each ablation; what was reached tonight is not called a standing verdict afterwards."""
        for line in lines:
            if line.ablation_id not in self.verdicts or not line.standing:
                self.verdicts[line.ablation_id] = line

    def _result(self, tonight: Tonight, reason: str, resumed: bool) -> NightResult:
        before = {p.ablation_id for p in tonight.paid} - set(self.verdicts)
        for judged in self.shop.history().judged:
            if judged.finished.ablation_id in before:
                self._keep((VerdictLine.remembered(judged, judged.branch if judged.shipped else None),))
        return NightResult(
            night_id=tonight.started.night_id,
            number=tonight.started.number,
            seed=tonight.started.seed,
            resumed=resumed,
            reason=reason,
            seconds=self.gone_s,
            budget_s=tonight.started.seconds,
            findings=tuple(self.attempt.findings),
            pulls=tonight.paid,
            verdicts=tuple(self.verdicts.values()),
            notes=tuple(self.shop.notes),
        )
