"""The loop, once: mine the traces, propose within bounds, ablate, submit what ships. A human merges.

One pass pursues each module that was found at fault, in the order in which it was found. A night (`supervisor.night`)
spends a budget instead, on what is likely to pay.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ablations.executors.port import Executor
from modules.pipeline import Emit
from modules.workspace import Workspace
from supervisor.alone import alone
from supervisor.finding import Finding, Miner
from supervisor.grouping import EmitAll
from supervisor.miners import MINERS
from supervisor.proposers.desk import desk_over
from supervisor.proposers.port import Proposal
from supervisor.proposers.rules import Rules, by_module
from supervisor.pursuit import pursue
from supervisor.result import SuperviseResult, VerdictLine
from supervisor.workshop import DEFAULT_SUITE, Progress, Workshop

__all__ = ["DEFAULT_SUITE", "Budget", "supervise"]

SCREEN_SHARE = 0.5
"""Of the time that is left, what comparing one module's candidates may take."""


@dataclass(frozen=True)
class Budget:
    """What one pass may spend. An ablation that has begun is finished."""

    seconds: float = 600.0
    ablations: int = 4

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.ablations >= 0):
            raise ValueError(f"budget {self}: give seconds above 0 and ablations of at least 0")


def supervise(
    workspace: Workspace,
    emit: Emit,
    *,
    suite: str | None = DEFAULT_SUITE,
    budget: Budget | None = None,
    miners: Sequence[Miner] = MINERS,
    executor: Executor | None = None,
    progress: Progress = lambda _: None,
    emit_all: EmitAll | None = None,
) -> SuperviseResult:
    """One pass over the workspace. `emit` must append to its ledger before it returns; `emit_all`, if given, the
    same for a group of events (`Ledger.append` takes them at the price of one). `suite` None: each module's own.

    Raises BusyError, RepositoryError (no git, no commits), SuiteError, DataError, and what a run raises.
    """
    with alone(workspace):
        shop = Workshop.open(workspace, emit, suite=suite, executor=executor, progress=progress, emit_all=emit_all)
        try:
            return _pass(shop, budget or Budget(), miners)
        finally:
            shop.grouped.flush()


def _pass(shop: Workshop, budget: Budget, miners: Sequence[Miner]) -> SuperviseResult:
    clock = time.monotonic()
    deadline_s = clock + budget.seconds
    verdicts: list[VerdictLine] = []
    shop.trace_if_needed(deadline_s)
    findings = shop.mine(miners, deadline_s)
    for proposal in _propose(shop, findings, deadline_s):
        now = time.monotonic()
        left = budget.ablations - sum(not line.standing for line in verdicts)
        found = pursue(shop, proposal, until_s=now + SCREEN_SHARE * (deadline_s - now), may_judge=left > 0)
        verdicts += found.verdicts
        if found.why:
            shop.note(f"{proposal.module}: {found.why}")
    return SuperviseResult(tuple(findings), tuple(verdicts), tuple(shop.notes), time.monotonic() - clock)


def _propose(shop: Workshop, findings: Sequence[Finding], deadline_s: float) -> list[Proposal]:
    """One proposal a module, in the order in which the modules were first found at fault."""
    history = shop.history()
    found = []
    for module, of in by_module(findings).items():
        proposal = Rules().propose(module, of, desk_over(shop.bench(module), history, deadline_s=deadline_s))
        if proposal is not None:
            found.append(proposal)
    return found
