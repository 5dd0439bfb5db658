"""Compare candidates on the mining period, and only there. Each look is counted as a trial of family `screen`.

What a look gave is in the ledger (`patch.screened`), under the digest of all that it depends on: the same question is
answered from there, so that a crash costs one look at most and proposers learn from one another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablations.arms import SECONDS
from ablations.drafted import GUARD, redrafts
from ablations.floor import Series, measure
from ablations.gate import LEAST_DELTA
from ablations.guards import GuardError, GuardReading, read, rules_of
from ablations.patch import Patch
from ablations.paths import PatchError
from modules.canonical import digest_json
from modules.contract import Contract, ContractError
from modules.registry import load_module
from supervisor.bench import Bench, Measured
from supervisor.drafts import DraftError, drafted_arms
from traces.events import Change, PatchScreened, TrialRecorded

SCREEN_LEVEL = 0.05
"""How finely the bootstrap is drawn; nothing is decided at it."""


LEAST_TOLERANCE = 1e-3
"""Below it an excess is not told in tolerances: a guard may tolerate nothing."""

GUARD_ROOM = 0.7
"""Share of a guard's tolerance that a candidate may use up on mining data: on other years it is a fifth more."""

IDLE_TASKS = 2
"""After so many tasks without any effect a candidate is given up."""


@dataclass(frozen=True)
class Screened:
    """A candidate on mining data: mean Sharpe difference over the suite's tasks, with its lower bound.

    `broken` names the guards that it breaks there; `excess` is how far the worst goes beyond, in tolerances.
    """

    patch: Patch
    delta: float
    lower_bound: float
    broken: tuple[str, ...] = ()
    excess: float = 0.0

    @property
    def promising(self) -> bool:
        """Whether it is worth a trial: what does not win by as much as the gate asks for where it was tuned, at
        nobody's cost, wins nowhere."""
        return self.delta >= LEAST_DELTA and self.lower_bound > 0.0 and not self.broken

    @property
    def worth(self) -> float:
        """The lower bound; of a candidate that breaks a guard less than nothing, the more the further it goes."""
        return self.lower_bound if not self.broken else min(0.0, self.lower_bound) - min(1.0, self.excess)


def screen(bench: Bench, patches: Sequence[Patch], deadline_s: float) -> list[Screened]:
    """Candidates of one module, the best first: those that break no guard, by their lower bound over the suite's
    tasks on the mining period.

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
            try:
                known[question] = _look(bench, patch, question)
            except PatchError:
                continue  # a human merged meanwhile: it is no patch of what is in force now
        answer = screened_of(patch, known[question])
        if answer is not None:
            found.append(answer)
    return ranked(found)


def ranked(found: Sequence[Screened]) -> list[Screened]:
    """The best first: those that break no guard before those that do, then by worth."""
    return sorted(found, key=lambda s: (bool(s.broken), -s.worth, s.patch.digest))


def screened_of(patch: Patch, look: PatchScreened) -> Screened | None:
    """What a look says of `patch`; None where it moved no bit or was refused."""
    if look.outcome != "measured" or look.delta is None or look.lower_bound is None:
        return None
    return Screened(patch, look.delta, look.lower_bound, tuple(look.broken), look.excess or 0.0)


def question_of(bench: Bench, patch: Patch) -> str:
    """Digest of the patch and of all that is in force around it: tasks, code, settings, seed."""
    return digest_json([patch.digest, bench.base(patch.module), bench.suite.digest])


def changes_of(patch: Patch) -> dict[str, Change]:
    """A patch as events hold it: settings whole, texts by their digests."""
    settings = {k: Change(old=c.old, new=c.new) for k, c in patch.settings.items()}
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
        arms = _arms(bench, patch)
    except (ContractError, DraftError):  # the trace holds the refusal; a patch that breaks a contract is no candidate
        found = found.model_copy(update={"outcome": "refused"})
    else:
        found = found.model_copy(update=_numbers(bench, patch, *arms) if arms is not None else {})
    found = found.model_copy(update={"seconds": time.perf_counter() - began})
    bench.emit(found)
    return found


def _arms(bench: Bench, patch: Patch) -> tuple[Sequence[Measured], Sequence[Measured]] | None:
    """Both arms of every task; None for a patch that moves no bit of the first tasks."""
    objective = _contract(bench, patch).objective_series
    if patch.texts and not patch.changes:
        return drafted_arms(bench, patch, objective)
    before = bench.baseline(patch.module, objective)
    after: list[Measured] = []
    for task in bench.tasks(patch.module):
        after.append(bench.measure(task, patch, objective))
        if len(after) == IDLE_TASKS and all(
            np.array_equal(a.values, b.values) for a, b in zip(after, before, strict=False)
        ):
            return None
    return before, after


def _numbers(bench: Bench, patch: Patch, before: Sequence[Measured], after: Sequence[Measured]) -> dict[str, object]:
    series = Series(np.stack([a.values for a in before]), np.stack([a.values for a in after]), before[0].bars_per_year)
    floor = measure(series, SCREEN_LEVEL, bench.suite.seed)
    if floor is None:
        return {}
    broken = {
        r.name: (r.loss - GUARD_ROOM * r.tolerance) / max(r.tolerance, LEAST_TOLERANCE)
        for r in _broken(bench, patch, before, after)
    }
    return {
        "outcome": "measured",
        "delta": floor.delta,
        "lower_bound": floor.lower_bound,
        "broken": tuple(broken),
        "excess": max(broken.values(), default=None),
    }


def _broken(bench: Bench, patch: Patch, before: Sequence[Measured], after: Sequence[Measured]) -> list[GuardReading]:
    """The guards of module and suite that do not hold on mining data, or only just. What no task measures there cannot
    be read."""
    found = []
    own = (r for r in rules_of(_contract(bench, patch).guards) if r.metric != SECONDS)
    drafts = (GUARD,) if redrafts(patch, bench.suite) else ()
    for rule in (*own, *drafts, *bench.suite.guards):
        try:
            reading = read(rule, *([a.metrics.get(rule.metric) for a in arm] for arm in (before, after)))
        except GuardError:
            continue
        if reading.loss > GUARD_ROOM * reading.tolerance:
            found.append(reading)
    return found


def _contract(bench: Bench, patch: Patch) -> Contract:
    """Of the patched module; skills serve what is executed in the end."""
    if not patch.changes:
        return load_module("execute", bench.spec.stages["execute"]).contract
    stage, _, name = patch.module.partition("/")
    return load_module(stage, name).contract


def _trial(bench: Bench, patch: Patch) -> TrialRecorded:
    """The same candidate on the same data and suite is the same trial, however often it is looked at."""
    subject = f"{patch.subject} {', '.join(f'{k}={c.new}' for k, c in patch.settings.items())}".strip()
    identity = digest_json([patch.digest, bench.suite.digest, bench.version.digest, "mining"])
    return TrialRecorded(
        trial_id=f"screen-{identity[:16]}", family="screen", subject=subject, data_digest=bench.version.digest
    )
