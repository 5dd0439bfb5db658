"""A patch of skills on mining data: the suite's sentences researched on the first half, their signals traded on the
second. What was drafted on a bar may not be praised on it, and neither half is the judge's."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.arms import Job, Outcome
from ablations.drafted import draft_jobs, redrafts, run_drafted
from ablations.patch import Patch
from supervisor.bench import Bench, Measured

IDLE_SENTENCES = 3
"""After so many sentences that come to the same a patch is given up."""


class DraftError(ValueError):
    """An arm that was refused: a skill that cannot be read, or a draft that breaks a contract."""


def drafted_arms(bench: Bench, patch: Patch, objective: str) -> tuple[Sequence[Measured], Sequence[Measured]] | None:
    """Both arms of every sentence; None for a patch of texts that changes nothing that is drafted first.

    Raises DraftError.
    """
    if not redrafts(patch, bench.suite):
        return None
    middle = bench.version.first_ns + (bench.version.mining_end_ns - bench.version.first_ns) // 2
    tasks = [task.model_copy(update={"start_ns": middle}) for task in bench.tasks(patch.module)]
    jobs = [
        Job(named.name, task, patch, objective, bench.data.root, bench.store.root)
        for named, task in zip(bench.suite.tasks, tasks, strict=True)
    ]
    found: list[Outcome] = []
    for job in draft_jobs(jobs, bench.suite, bench.skills, middle):
        found.append(run_drafted(job))
        for event in found[-1].events:
            bench.emit(event)
        if len(found) == IDLE_SENTENCES and not any(outcome.diverges or outcome.failed for outcome in found):
            return None
    failed = [outcome.failed for outcome in found if outcome.failed]
    if failed:
        raise DraftError(failed[0])
    return [_measured(outcome, 0) for outcome in found], [_measured(outcome, 1) for outcome in found]


def _measured(outcome: Outcome, side: int) -> Measured:
    arm = (outcome.baseline, outcome.patched)[side]
    assert outcome.series is not None and arm is not None, "an outcome that did not fail has both"
    return Measured(outcome.series[side], outcome.bars_per_year, arm.metrics)
