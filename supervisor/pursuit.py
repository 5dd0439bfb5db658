"""One proposal pursued: the best of its candidates before the judge, and its branch if it ships.

Everything it relies on stands in the ledger, so a crash at any point loses nothing: the next time the verdict is
found, and the branch is opened that was not opened yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ablations.ablate import ablate
from ablations.patch import Patch
from ablations.record import AblationRecord, RecordError, read_record
from harness.repository import RepositoryError
from modules.contract import STAGES
from modules.registry import read_settings
from supervisor.bench import Bench
from supervisor.body import title
from supervisor.finding import Finding
from supervisor.history import History, Judged
from supervisor.proposers.port import Proposal
from supervisor.proposers.sift import sift
from supervisor.refine import refined
from supervisor.result import VerdictLine
from supervisor.screen import Screened, screen
from supervisor.submit import branch_of, kept_record, refuse_uncommitted, submit
from supervisor.workshop import Workshop

Outcome = Literal["ship", "reject", "nothing", "known"]


@dataclass(frozen=True)
class Pursued:
    """What came of it. `verdicts`: one reached now, or those that stand; `seconds` as measured; `why` for nothing."""

    outcome: Outcome
    verdicts: tuple[VerdictLine, ...] = ()
    why: str = ""

    @property
    def fresh(self) -> VerdictLine | None:
        """The verdict that was reached now, if one was."""
        return next((v for v in self.verdicts if not v.standing), None)


Compare = Callable[[Bench, Sequence[Patch], float], Sequence[Screened]]
"""Candidates on the mining period, the best first, until a moment of time.monotonic."""


def pursue(
    shop: Workshop, proposal: Proposal, *, until_s: float, may_judge: bool = True, compare: Compare = screen
) -> Pursued:
    """Bring the best candidate that was not judged before to the judge; say what is known of the others.

    `until_s` (of time.monotonic) bounds the comparison on mining data; an ablation that has begun is finished.
    `may_judge`: whether a trial may still be spent.
    """
    module, bench = proposal.module, shop.bench(proposal.module)
    history, digest = shop.history(), bench.suite.digest
    earlier = [j.patch for j in on_base(history, module) if j.started.suite_digest == digest and j.patch.also is None]
    candidates = tuple({p.digest: p for p in (*proposal.candidates, *earlier)}.values())
    sifted = sift(candidates, history, digest)
    standing = tuple(recall(shop, judged, proposal.findings) for judged in sifted.judged)
    if sifted.shipped is not None:
        return Pursued("known", standing, "a shipped patch awaits review; no other is proposed on this base")
    if not sifted.fresh:
        return Pursued("known", standing)
    if not may_judge:
        return Pursued("nothing", standing, "not pursued, the budget of ablations is spent")
    if time.monotonic() > until_s:
        return Pursued("nothing", standing, "not pursued, the budget of time is spent")
    try:
        refuse_uncommitted(shop.repo, sifted.fresh[0])
    except RepositoryError as error:
        return Pursued("nothing", standing, str(error))
    shop.progress(f"{module}: comparing {len(sifted.fresh)} candidates on the mining period")
    compared = refined(
        compare(bench, sifted.fresh, until_s),
        candidates,
        lambda patches: compare(bench, patches, until_s),
        lambda patch: history.verdict_on(patch, digest) is not None,
    )
    best = next((s for s in compared if s.promising), None)
    if best is None:
        far = f" ({len(compared)} measured before time ran out)" if time.monotonic() > until_s else ""
        why = f"none of {len(sifted.fresh)} candidates is better on the mining period{far}; none is judged"
        return Pursued("nothing", standing, why)
    line = judge(shop, best.patch, proposal.findings)
    return Pursued("ship" if line.verdict == "SHIP" else "reject", (*standing, line))


def judge(shop: Workshop, patch: Patch, findings: Sequence[Finding]) -> VerdictLine:
    """One ablation, and its branch if it ships."""
    bench = shop.bench(patch.subject)
    shop.progress(f"judging {title(patch)}")
    shop.grouped.flush()
    record = ablate(patch, bench.suite, shop.workspace, shop.grouped, executor=shop.executor, spec=bench.spec)
    return VerdictLine.fresh(record, submit(shop.workspace, shop.forge, record, findings, shop.grouped))


def recall(shop: Workshop, judged: Judged, findings: Sequence[Finding]) -> VerdictLine:
    """A verdict that stands. Where a crash came between verdict and branch, the branch is opened now."""
    branch = branch_of(judged.finished.ablation_id)
    wanted = judged.shipped and not judged.rejected_by_human
    if wanted and not (judged.branch == branch and shop.repo.tip(branch) is not None):
        record = kept(shop, judged.finished.ablation_id)
        if record is None and any(name.startswith("skills/") for name in judged.started.patch):
            shop.note(f"{branch}: its record is gone, and the ledger holds no texts of skills; propose it anew")
            return VerdictLine.remembered(judged, None)
        if record is None:
            # Judging again gives the same record, and costs the stream of trials nothing: the trial is known.
            return judge(shop, judged.patch, findings)
        submit(shop.workspace, shop.forge, record, findings, shop.grouped)
    return VerdictLine.remembered(judged, branch if wanted else None)


def kept(shop: Workshop, ablation_id: str) -> AblationRecord | None:
    """The record of a verdict, where it still lies in the runtime state."""
    try:
        return read_record(kept_record(shop.workspace, ablation_id))
    except RecordError:
        return None


def awaiting(history: History, module: str) -> Judged | None:
    """The newest patch of `module` that shipped on the settings in force and that no human has turned down: until it is
    merged, another one would be judged on a base that is about to change."""
    shipped = (j for j in reversed(on_base(history, module)) if j.shipped and not j.rejected_by_human)
    return next(shipped, None)


def on_base(history: History, module: str) -> list[Judged]:
    """Every verdict on a patch of `module` that changes settings as they are in force, newest last. What was found
    between a proposal's steps is among them, though no proposal names it."""
    stage, _, name = module.partition("/")
    if stage not in STAGES:
        return []
    in_force = read_settings(stage, name).model_dump(mode="json")
    found = []
    for judged in history.judged:
        changes = judged.started.patch if judged.started.module == module else {}
        settings = {setting: change for setting, change in changes.items() if "/" not in setting}
        if settings and all(_same(in_force.get(setting), change.old) for setting, change in settings.items()):
            found.append(judged)
    return found


def _same(value: object, old: object) -> bool:
    return (list(value) if isinstance(value, tuple | list) else value) == (
        list(old) if isinstance(old, tuple | list) else old
    )
