"""Compare candidates on the mining period, and only there. Each look is counted as a trial of family `screen`.

What a look gave is in the ledger (`patch.screened`), under the digest of all that it depends on: the same question is
answered from there, so that a crash costs one look at most and proposers learn from one another.
"""

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
from traces.events import Change, PatchScreened, TrialRecorded

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
    What `bench.known` answers is not looked at again; what is looked at is added to it.
    """
    known = bench.known
    found = []
    for patch in patches:
        question = question_of(bench, patch)
        if question not in known:
            if time.monotonic() > deadline_s:
                break
            known[question] = _look(bench, patch, question)
        answer = known[question]
        if answer.outcome == "measured" and answer.delta is not None and answer.lower_bound is not None:
            found.append(Screened(patch, answer.delta, answer.lower_bound))
    return sorted(found, key=lambda s: (-s.lower_bound, s.patch.digest))


def question_of(bench: Bench, patch: Patch) -> str:
    """Digest of the patch and of all that is in force around it: tasks, code, settings, seed."""
    return digest_json([patch.digest, bench.base(patch.module), bench.suite.digest])


def changes_of(patch: Patch) -> dict[str, Change]:
    """A patch as events hold it: settings whole, texts by their digests."""
    settings = {k: Change(old=c.old, new=c.new) for k, c in patch.changes.items()}
    texts = {path: Change(old=None, new=digest_json(t.new)) for path, t in patch.texts.items()}
    return {**settings, **texts}


def patch_of(look: PatchScreened) -> Patch | None:
    """The settings that were looked at; None for a patch of texts, of which a ledger holds digests alone."""
    changes = {name: {"old": c.old, "new": c.new} for name, c in look.changes.items()}
    try:
        patch = Patch.model_validate({"module": look.module, "changes": changes})
    except ValueError:
        return None
    return patch if patch.digest == look.patch_digest else None


def _look(bench: Bench, patch: Patch, question: str) -> PatchScreened:
    began = time.perf_counter()
    trial = _trial(bench, patch)
    bench.emit(trial)
    found = PatchScreened(
        question=question,
        trial_id=trial.trial_id,
        module=patch.module,
        patch_digest=patch.digest,
        changes=changes_of(patch),
        suite_digest=bench.suite.digest,
        outcome="idle",
    )
    try:
        series = _series(bench, patch)
    except ContractError:  # the trace holds the refusal; a patch that breaks a contract is no candidate
        found = found.model_copy(update={"outcome": "refused"})
    else:
        floor = measure(series, SCREEN_LEVEL, bench.suite.seed) if series is not None else None
        if floor is not None:
            numbers = {"outcome": "measured", "delta": floor.delta, "lower_bound": floor.lower_bound}
            found = found.model_copy(update=numbers)
    found = found.model_copy(update={"seconds": time.perf_counter() - began})
    bench.emit(found)
    return found


def _series(bench: Bench, patch: Patch) -> Series | None:
    """Both arms of every task; None for a patch that moves no bit of the first tasks."""
    stage, _, name = patch.module.partition("/")
    objective = load_module(stage, name).contract.objective_series
    tasks = bench.tasks(patch.module)
    arms = bench.baseline(patch.module, objective)
    baseline = [values for values, _ in arms]
    patched = _patched(bench, tasks, patch, objective, baseline)
    return None if patched is None else Series(np.stack(baseline), np.stack(patched), arms[0][1])


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
