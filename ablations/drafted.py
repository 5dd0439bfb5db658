"""The arms of a patch of skills: one sentence, researched anew with the skills in force and with the patched ones.

Each arm drafts, checks and screens on bars before `draft_end_ns` alone, and trades what it ended in over the task's
period, which begins no earlier. Apart from the signal both arms are one pipeline, so they are compared as a change of
the feature module's expression would be, by the code that compares any patch. An arm that ends in no signal earns
nothing and holds nothing: its series and its metrics are zero, and guards on exposure see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from ablations.arms import Arm, Job, Outcome, run_arms
from ablations.executors.port import Needs
from ablations.guards import GuardRule
from ablations.patch import Change, Patch
from ablations.suite import Suite
from harness.redraft import Redrafted, redraft, skills_with
from modules.artifacts import ArtifactStore
from modules.canonical import digest_bytes, digest_json, digest_mapping
from modules.contract import ContractError
from modules.datastore import DataStore
from modules.groups import with_groups
from modules.panel import FloatArray, Panel
from modules.pipeline import execute
from modules.sources import source_of
from modules.task import load_modules
from modules.workspace import CHECKOUT
from skills.registry import SkillError
from traces.events import Event, TrialRecorded

SIGNAL = "feature/expression"
"""Where what a sentence ends in is put."""

DRAFTED, PASSED = "drafts", "drafts_accepted"
"""Metrics of an arm, beside the run's: candidates, and those that passed their checks."""

GUARD = GuardRule(metric=PASSED, better="higher", tolerance=0.5, over="ratio")
"""A skill may not win by drafting less: at least half of what passed before still does."""


@dataclass(frozen=True)
class DraftJob:
    """One sentence in both arms. `job` is the trade: its task holds the recorded signal, from which the bars are known
    where neither arm has one of its own. Drafts see what was known before `draft_end_ns`."""

    job: Job
    sentence: str
    skills: Path
    draft_end_ns: int

    @property
    def name(self) -> str:
        """The task's."""
        return self.job.name

    @property
    def needs(self) -> Needs:
        """Of the machine."""
        return self.job.needs


def redrafts(patch: Patch, suite: Suite) -> bool:
    """Whether `patch` is judged by researching the suite's sentences anew."""
    return bool(patch.texts) and not patch.changes and suite.researches


def draft_jobs(jobs: Sequence[Job], suite: Suite, skills: Path, draft_end_ns: int) -> list[DraftJob]:
    """The jobs of a suite with their sentences, drafted on what was known before `draft_end_ns`."""
    return [
        DraftJob(job, named.sentence or "", skills, draft_end_ns) for named, job in zip(suite.tasks, jobs, strict=True)
    ]


def drafting_code() -> str:
    """Digest of what turns a sentence into a signal, but the skills: reading, drafting, checking, screening, the
    language."""
    files = [CHECKOUT / "harness" / f"{name}.py" for name in ("redraft", "check", "screen", "forward")]
    for folder in ("harness/drafters", "modules/signal"):
        files += (p for p in (CHECKOUT / folder).rglob("*") if p.suffix in (".py", ".yaml", ".json"))
    return digest_mapping({p.relative_to(CHECKOUT).as_posix(): digest_bytes(p.read_bytes()) for p in files})


def skills_digest(folder: Path) -> str:
    """Digest of the skills in force: each of them decides what a sentence becomes."""
    return digest_json({skill.name: skill.digest for skill in skills_with(folder, {})})


def run_drafted(draft: DraftJob) -> Outcome:
    """Both arms of one sentence. A skill that cannot be read, or a draft that the pipeline refuses, is an outcome."""
    job = draft.job
    assert draft.draft_end_ns <= job.task.start_ns, "an arm trades no bar that it was drafted on"
    events: list[Event] = []
    try:
        bars = _bars(draft, events)
        texts = {path: text.new for path, text in job.patch.texts.items()}
        before = redraft(draft.sentence, bars, skills_with(draft.skills, {}), seed=job.task.seed)
        after = redraft(draft.sentence, bars, skills_with(draft.skills, texts), seed=job.task.seed)
    except (ContractError, SkillError) as error:
        return _refused(job, events, str(error))
    events += [_look(expr, draft) for expr in dict.fromkeys((*before.looks, *after.looks))]
    found = run_arms(_traded(job, before.signal, after.signal))
    found = replace(found, events=(*events, *found.events))
    return _counted(found, before, after)


def _traded(job: Job, before: str | None, after: str | None) -> Job:
    """The patch of the expression that both drafts come to; where they are equal or one is missing, no patch."""
    task = job.task.model_copy(update={"signal": before or after or job.task.signal})
    if before is None or after is None or before == after:
        return replace(job, task=task)
    return replace(job, task=task, patch=Patch(module=SIGNAL, changes={"expr": Change(old=before, new=after)}))


def _counted(found: Outcome, before: Redrafted, after: Redrafted) -> Outcome:
    """The outcome with each arm's drafts among its metrics; an arm without a signal is flat."""
    if found.baseline is None or found.patched is None or found.series is None:
        return found
    return replace(
        found,
        baseline=_arm(found.baseline, before),
        patched=_arm(found.patched, after),
        series=(_earned(found.series[0], before), _earned(found.series[1], after)),
        diverges=found.diverges or _words(before, after),
    )


def _words(before: Redrafted, after: Redrafted) -> str:
    return "" if before.signal == after.signal else f"drafts {after.signal} instead of {before.signal}"


def _arm(arm: Arm, drafted: Redrafted) -> Arm:
    counts = {DRAFTED: float(drafted.drafted), PASSED: float(drafted.passed)}
    if drafted.signal is None:
        return replace(arm, outputs={}, metrics={**dict.fromkeys(arm.metrics, 0.0), **counts})
    return replace(arm, metrics={**arm.metrics, **counts})


def _earned(values: FloatArray, drafted: Redrafted) -> FloatArray:
    return np.zeros_like(values) if drafted.signal is None else values


def _bars(draft: DraftJob, events: list[Event]) -> Panel:
    """The cleaned bars that drafts may see, with their groups."""
    job = draft.job
    data, store = DataStore(job.data_root), ArtifactStore(job.artifact_root)
    version = data.get(job.task.data, job.task.data_digest)
    task = job.task.model_copy(update={"start_ns": version.first_ns, "end_ns": draft.draft_end_ns})
    source, modules = source_of(data, task), load_modules(task, version)
    manifest = execute(task, modules, source, store, events.append, purpose="ablation", until="clean")
    bars, instruments = (store.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "what clean hands on, by contract"
    return with_groups(bars, instruments)


def _look(expr: str, draft: DraftJob) -> TrialRecorded:
    """A candidate that was screened: the same one on the same bars is the same trial."""
    data = draft.job.task.data_digest
    identity = digest_json([expr, data, draft.draft_end_ns])
    return TrialRecorded(trial_id=f"draft-{identity[:16]}", family="screen", subject=expr, data_digest=data)


def _refused(job: Job, events: list[Event], why: str) -> Outcome:
    return Outcome(
        name=job.name,
        task=job.task,
        baseline=None,
        patched=None,
        not_reproduced="",
        not_contained="",
        failed=f"{job.name}: {why}"[:1000],
        diverges="",
        ts=np.empty(0, dtype=np.int64),
        series=None,
        bars_per_year=252.0,
        events=tuple(events),
    )
