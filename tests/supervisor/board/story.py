"""Ledgers of a loop at work, written through the public ledger: as short or as long as a test wants."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from ablations.trials import first_level
from traces.events import (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    Change,
    Event,
    ExchangeRecorded,
    FindingRecorded,
    ModuleWritten,
    NightFinished,
    NightStarted,
    PatchProposed,
    ResearchStarted,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    TrialRecorded,
)
from traces.ledger import Ledger

ADA = "Ada Byron <ada@example.org>"
MODULES = (
    ("size/rank_neutral", "no_trade_band"),
    ("execute/simulated", "participation"),
    ("clean/quality", "spike_sigmas"),
    ("feature/momentum", "smoothing_bars"),
    ("backtest/evidence", "horizon_bars"),
)
DAY_NS = 86_400_000_000_000
BEGIN_NS = 20_400 * DAY_NS
A_NIGHT = 12


def finding(number: int, module: str = "size/rank_neutral") -> FindingRecorded:
    """A finding by its number."""
    return FindingRecorded(
        finding_id=f"{number:016x}",
        miner="turnover_decay",
        module=module,
        statement=f"turnover of {module} is {1 + number % 9} times what its signal keeps: a wider band holds longer",
        size=1.5 + number % 7,
        occurrences=3 + number % 11,
        evidence=[f"run-{number}"],
    )


def ablation(number: int, module: str, setting: str, ship: bool, level: float, rng: random.Random) -> list[Event]:
    """A trial from start to verdict."""
    ablation_id = f"{number:016x}"
    delta = abs(rng.gauss(0.2, 0.1)) + 0.06 if ship else rng.gauss(0.0, 0.08)
    lower = delta - 0.05 if ship else delta - abs(rng.gauss(0.1, 0.03))
    p_value = level / 3 if ship else min(1.0, level + rng.random())
    reason = "" if ship else rng.choice(["NOT_BETTER", "NOT_BETTER", "NOT_SIGNIFICANT", "NO_EFFECT", "GUARD(turnover)"])
    change = {setting: Change(old=0.0, new=round(0.01 * (1 + number % 9), 4))}
    return [
        AblationStarted(ablation_id=ablation_id, module=module, patch=change, suite="fast", suite_digest="5" * 64),
        TrialRecorded(
            trial_id=ablation_id,
            family="ablation",
            subject=module,
            data_digest="d" * 64,
            p_value=p_value,
            level=level,
            rejected=ship,
        ),
        AblationFinished(
            ablation_id=ablation_id,
            module=module,
            verdict="SHIP" if ship else "REJECT",
            reason=reason,
            delta=delta,
            lower_bound=lower,
            p_value=p_value,
            level=level,
            seconds=3.0 + rng.random(),
        ),
    ]


def fate(number: int, at: int) -> list[Event]:
    """What became of a shipped patch: two merged, one turned down, one waits, in turn."""
    branch = f"supervisor/{number:016x}"
    opened = ReviewOpened(branch=branch, ablation_id=f"{number:016x}", commit="c" * 40)
    if at % 4 in (0, 1):
        return [opened, ReviewApproved(branch=branch, by=ADA, merge_commit="e" * 40)]
    return (
        [opened, ReviewRejected(branch=branch, by=ADA, reason="too small to be worth it")] if at % 4 == 2 else [opened]
    )


def groups(verdicts: int, seed: int = 7) -> Iterator[list[Event]]:
    """A loop of so many verdicts, in groups as they would be appended; every third ships."""
    rng = random.Random(seed)
    shipped = 0
    for number in range(verdicts):
        night, pull = divmod(number, A_NIGHT)
        night_id = f"{night:016x}"
        module, setting = MODULES[rng.randrange(len(MODULES))]
        events: list[Event] = []
        if pull == 0:
            events.append(
                NightStarted(night_id=night_id, number=night, seed=night, seconds=1200.0, ablations=A_NIGHT, suite=None)
            )
        found = finding(number, module)
        proposer = rng.choice(["rules", "search", "reflection"])
        events += [
            found,
            ArmPulled(
                night_id=night_id, pull=pull, module=module, proposer=proposer, why="drawn", score=0.1, due="2026-12-01"
            ),
            PatchProposed(
                proposal_id=f"{number:016x}",
                proposer=proposer,
                module=module,
                findings=[found.finding_id],
                patches=["9" * 64],
                changes={setting: Change(old=0.0, new=0.01)},
            ),
            TrialRecorded(trial_id=f"screen-{number}", family="screen", subject=module, data_digest="d" * 64),
        ]
        ship = number % 3 == 0
        events += ablation(number, module, setting, ship, first_level() * (0.5 + rng.random() / 2), rng)
        if ship:
            events += fate(number, shipped)
            shipped += 1
        events.append(
            ArmPaid(
                night_id=night_id,
                pull=pull,
                module=module,
                proposer=proposer,
                outcome="ship" if ship else "reject",
                gain=0.2 if ship else 0.0,
                seconds=60.0,
                ablation_id=f"{number:016x}",
            )
        )
        if pull == A_NIGHT - 1:
            events.append(
                NightFinished(
                    night_id=night_id,
                    reason="the budget of ablations is spent",
                    seconds=1100.0,
                    pulls=A_NIGHT,
                    ablations=A_NIGHT,
                    shipped=A_NIGHT // 3,
                )
            )
        yield events


def spending(calls: int, cost: int | None = 12_500) -> list[Event]:
    """Two researches that asked a model, of which one came to a module."""
    asked: list[Event] = [ResearchStarted(research_id=f"r-{at}", text="x", drafter="m", seed=0) for at in (0, 1)]
    asked += (
        ExchangeRecorded(
            research_id=f"r-{at % 2}",
            who="anthropic:claude-sonnet",
            label="draft",
            request="a" * 64,
            line="b" * 64,
            input_tokens=1_000,
            output_tokens=200,
            cost_micro_usd=cost,
        )
        for at in range(calls)
    )
    return [*asked, ModuleWritten(research_id="r-0", expr="x", run_id="run", branch="research/x", commit="c" * 40)]


def write(ledger: Path, checkpoints: Path, verdicts: int, *, together: int = 40, hours: float = 2.0) -> None:
    """The loop of `groups`, a verdict every `hours`, `together` verdicts an append."""
    now = BEGIN_NS

    def clock() -> int:
        return now

    waiting: list[Event] = []
    with Ledger(ledger, checkpoints, clock) as book:
        for at, events in enumerate(groups(verdicts), 1):
            now += int(hours * 3_600_000_000_000)
            waiting += events
            if at % together == 0:
                book.append(*waiting)
                waiting = []
        book.append(*waiting)
        book.append(*spending(6))
