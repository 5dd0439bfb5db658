"""Leaving out what earns no longer: invented returns with a known break, the real decay test and the real noise floor.

Invariants:
1. A member that earned and earns no longer is proposed for removal, and nothing else is; the comparison sees the late
   part alone, where leaving it out gains.
2. Every look is a trial, and the same look is the same trial.
3. Where nothing decayed, or one member is all there is, nothing is proposed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ablations.patch import Patch
from modules.registry import read_settings
from supervisor.bench import Measured
from supervisor.history import History
from supervisor.night.retire import MEMBERS, Retire, compare_lately
from supervisor.proposers.port import Desk
from tests.supervisor.night.test_decay import returns
from traces.events import Event, TrialRecorded

MODULE = "feature/momentum"
IN_FORCE = tuple(read_settings("feature", "momentum").model_dump()[MEMBERS])
TASKS = ("one", "two", "three")
GOOD, BAD = (1.5, 1.5), (2.5, -2.5)


@dataclass
class Market:
    """A bench on which each member earns what is said, and the family the mean of its members."""

    sharpes: dict[str, tuple[float, float]]
    events: list[Event] = field(default_factory=list)
    digest: str = "d"
    seed: int = 0

    @property
    def suite(self) -> Market:
        return self

    version = suite

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def tasks(self, module: str) -> tuple[str, ...]:
        return TASKS

    def measure(self, task: str, patch: Patch | None, objective: str) -> Measured:
        members: Sequence[Any] = IN_FORCE if patch is None else patch.changes[MEMBERS].new  # type: ignore[assignment]
        each = [returns(*self.sharpes[m], seed=100 * TASKS.index(task) + IN_FORCE.index(m)) for m in members]
        return Measured(np.mean(each, axis=0), 252.0, {})

    def baseline(self, module: str, objective: str) -> list[Measured]:
        return [self.measure(task, None, objective) for task in TASKS]


def desk() -> Desk:
    return Desk(History([]), "d", lambda patches: (), time.monotonic() + 60.0, 1)


def trials(market: Market) -> list[str]:
    return [e.trial_id for e in market.events if isinstance(e, TrialRecorded) and e.family == "screen"]


def test_1_2_what_decayed_is_left_out() -> None:
    market = Market({m: BAD if at == 1 else GOOD for at, m in enumerate(IN_FORCE)})
    retire = Retire(market)  # type: ignore[arg-type]
    proposal = retire.propose(MODULE, (), desk())
    assert proposal is not None and proposal.proposer == "retire" and IN_FORCE[1] in proposal.rationale
    [patch] = proposal.candidates
    assert patch.changes[MEMBERS].old == IN_FORCE and patch.changes[MEMBERS].new == (IN_FORCE[0], *IN_FORCE[2:])
    assert len(set(trials(market))) == len(IN_FORCE)
    [late] = compare_lately(market, proposal.candidates, time.monotonic() + 60.0)  # type: ignore[arg-type]
    assert late.promising and late.delta > 0.3
    assert len(trials(market)) == len(IN_FORCE) + 1
    assert retire.propose(MODULE, (), desk()) == proposal
    assert len(set(trials(market))) == len(IN_FORCE) + 1


def test_3_nothing_is_proposed_where_all_earn() -> None:
    market = Market(dict.fromkeys(IN_FORCE, GOOD))
    assert Retire(market).propose(MODULE, (), desk()) is None  # type: ignore[arg-type]
    assert Retire(market).propose("size/rank_neutral", (), desk()) is None  # type: ignore[arg-type]
    assert Retire(market).propose("skills/x", (), desk()) is None  # type: ignore[arg-type]
    late = compare_lately(market, (), time.monotonic() + 60.0)  # type: ignore[arg-type]
    assert late == []


def test_1_time_that_is_over_looks_at_nothing() -> None:
    market = Market(dict.fromkeys(IN_FORCE, BAD))
    late = Desk(History([]), "d", lambda patches: (), time.monotonic() - 1.0, 1)
    assert Retire(market).propose(MODULE, (), late) is None and not market.events  # type: ignore[arg-type]
