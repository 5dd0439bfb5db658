"""Compare candidates on the mining period, and only there. Each look is counted as a trial of family `screen`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablations.floor import Series, measure
from ablations.patch import Patch
from modules.canonical import digest_json
from modules.contract import ContractError
from modules.panel import FloatArray
from modules.registry import load_module
from modules.task import Task
from supervisor.bench import Bench
from traces.events import TrialRecorded

SCREEN_LEVEL = 0.05
"""How finely the bootstrap is drawn; nothing is decided at it."""


IDLE_TASKS = 2
"""After so many tasks without any effect a candidate is given up."""


@dataclass(frozen=True)
class Screened:
    """A candidate on mining data: mean Sharpe difference over the suite's tasks, with its lower bound."""

    patch: Patch
    delta: float
    lower_bound: float

    @property
    def promising(self) -> bool:
        """Whether it is worth a trial: a candidate that does not win where it was tuned wins nowhere."""
        return self.delta > 0.0 and self.lower_bound > 0.0


def screen(bench: Bench, patches: Sequence[Patch], deadline_s: float) -> list[Screened]:
    """Candidates of one module, the best first: highest lower bound over the suite's tasks on the mining period.

    Candidates without effect, refused by a contract, or not reached by `deadline_s` (of time.monotonic) are left out.
    """
    if not patches:
        return []
    stage, _, name = patches[0].module.partition("/")
    objective = load_module(stage, name).contract.objective_series
    tasks = bench.tasks(patches[0].module)
    arms = [bench.objective(task, None, objective) for task in tasks]
    baseline = [values for values, _ in arms]
    found = []
    for patch in patches:
        if time.monotonic() > deadline_s:
            break
        bench.emit(_trial(bench, patch))
        try:
            patched = _patched(bench, tasks, patch, objective, baseline)
        except ContractError:
            continue  # the trace holds the refusal; a patch that breaks a contract is no candidate
        if patched is None:
            continue
        floor = measure(Series(np.stack(baseline), np.stack(patched), arms[0][1]), SCREEN_LEVEL, bench.suite.seed)
        if floor is not None:
            found.append(Screened(patch, floor.delta, floor.lower_bound))
    return sorted(found, key=lambda s: (-s.lower_bound, s.patch.digest))


def _patched(
    bench: Bench, tasks: Sequence[Task], patch: Patch, objective: str, baseline: Sequence[FloatArray]
) -> list[FloatArray] | None:
    """The patched arm of every task; None for a patch that moves no bit of the first tasks."""
    found: list[FloatArray] = []
    for task in tasks:
        found.append(bench.objective(task, patch, objective)[0])
        if len(found) == IDLE_TASKS and all(map(np.array_equal, found, baseline)):
            return None
    return found


def _trial(bench: Bench, patch: Patch) -> TrialRecorded:
    """The same candidate on the same data and suite is the same trial, however often it is looked at."""
    subject = f"{patch.module} {', '.join(f'{k}={c.new}' for k, c in patch.changes.items())}"
    identity = digest_json([patch.digest, bench.suite.digest, bench.version.digest, "mining"])
    return TrialRecorded(
        trial_id=f"screen-{identity[:16]}", family="screen", subject=subject, data_digest=bench.version.digest
    )
