"""The board: one picture of the loop at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ablations.trials import FALSE_DISCOVERY_RATE
from supervisor.board import lists
from supervisor.board.curves import allowance, curves, wilson
from supervisor.board.facts import (
    Acceptance,
    ArmLine,
    CertificateLine,
    Counts,
    Curves,
    Discovery,
    Effect,
    FindingLine,
    ModuleGain,
    NightLine,
    QueueLine,
    RequestLine,
    SpendLine,
    VerdictRow,
)
from supervisor.board.fold import Fold, Trial

MOST_VERDICTS = 200
MOST_FINDINGS = 60
MOST_ROWS = 30


@dataclass(frozen=True)
class Standing:
    """What the ledger does not hold. `requests` None: there is no git checkout with a commit."""

    certificates: tuple[CertificateLine, ...]
    requests: tuple[RequestLine, ...] | None
    requests_open: int


@dataclass(frozen=True)
class Board:
    """Everything that is shown. Lists hold the newest or weightiest, `counts` says how many there are."""

    workspace: str
    last_ns: int
    counts: Counts
    acceptance: Acceptance
    reasons: dict[str, int]
    discovery: Discovery
    gain: float
    requests: tuple[RequestLine, ...] | None
    verdicts: tuple[VerdictRow, ...]
    findings: tuple[FindingLine, ...]
    queue: tuple[QueueLine, ...]
    modules: tuple[ModuleGain, ...]
    nights: tuple[NightLine, ...]
    arms: tuple[ArmLine, ...]
    certificates: tuple[CertificateLine, ...]
    spending: tuple[SpendLine, ...]
    effect: Effect
    curves: Curves


def make_board(
    workspace: str, fold: Fold, events: int, standing: Standing, next_level: float | None, most: int = MOST_VERDICTS
) -> Board:
    """The board from what was read. `most`: verdicts in the list; `events`: lines of the ledger."""
    trials = lists.judged(fold)
    modules = lists.gains(trials)
    return Board(
        workspace=workspace,
        last_ns=fold.last_ns,
        counts=Counts(
            events=events,
            findings=len(fold.findings),
            verdicts=len(trials),
            requests=standing.requests_open,
            nights=len(fold.nights),
        ),
        acceptance=_acceptance(trials),
        reasons=lists.reasons(trials),
        discovery=_discovery(fold, next_level),
        gain=sum(row.gain for row in modules),
        requests=standing.requests,
        verdicts=lists.verdicts(fold, trials, most),
        findings=lists.findings(fold, trials, MOST_FINDINGS),
        queue=lists.queue(fold, trials, MOST_ROWS),
        modules=modules[:MOST_ROWS],
        nights=lists.nights(fold, MOST_ROWS),
        arms=lists.arms(fold, MOST_ROWS),
        certificates=standing.certificates,
        spending=lists.spending(fold)[:MOST_ROWS],
        effect=Effect(researches=len(fold.asking), modules=sum(fold.asking.values())),
        curves=curves(fold, trials),
    )


def _acceptance(trials: Sequence[Trial]) -> Acceptance:
    shipped = sum(t.shipped for t in trials)
    low, high = wilson(shipped, len(trials)) if trials else (None, None)
    return Acceptance(
        judged=len(trials),
        shipped=shipped,
        merged=sum(t.stands for t in trials),
        turned_down=sum(t.turned_down for t in trials),
        rate=shipped / len(trials) if trials else None,
        low=low,
        high=high,
    )


def _discovery(fold: Fold, next_level: float | None) -> Discovery:
    discoveries = sum(rejected for _, rejected in fold.tested.values())
    spent = sum(level for level, _ in fold.tested.values())
    allowed = allowance(discoveries)
    return Discovery(
        rate=FALSE_DISCOVERY_RATE,
        trials=len(fold.tested),
        discoveries=discoveries,
        spent=spent,
        allowed=allowed,
        wealth=allowed - spent,
        next_level=next_level,
        looks=dict(sorted(fold.looks.items())),
    )
