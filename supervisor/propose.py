"""The rules proposer: a finding names levers, the module's declared bounds say how far each may go.

Every candidate moves one setting. They are compared on the mining period alone (`supervisor.screen`), and only the
best goes to the judge: each submission costs the stream of trials, and tuning on the judge's data would be cheating.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ablations.patch import Change, Patch
from ablations.paths import PatchError
from modules.contract import STAGES
from modules.registry import RegistryError, read_settings, settings_model, validate_settings
from supervisor.bounds import search_space
from supervisor.finding import Finding, Lever
from supervisor.history import History, Judged

MOST_CANDIDATES = 12


@dataclass(frozen=True)
class Proposal:
    """Candidate patches of one module, with the findings that ask for them, the weightiest first."""

    module: str
    findings: tuple[Finding, ...]
    candidates: tuple[Patch, ...]


@dataclass(frozen=True)
class Sifted:
    """Candidates split by what is known of them: `fresh` were never judged over this suite on this base."""

    fresh: tuple[Patch, ...]
    judged: tuple[Judged, ...]

    @property
    def shipped(self) -> Judged | None:
        """The newest candidate that the gate let through and no human has turned down, if any."""
        standing = [j for j in self.judged if j.shipped and not j.rejected_by_human]
        return standing[-1] if standing else None


def propose(findings: Iterable[Finding]) -> list[Proposal]:
    """One proposal a module, in the order in which the modules were first found at fault.

    Findings without a lever that their module has, or whose levers stand at the bound, propose nothing.
    """
    by_module: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.levers and finding.module.split("/")[0] in STAGES:
            by_module.setdefault(finding.module, []).append(finding)
    proposals = []
    for module, found in by_module.items():
        levers = tuple(dict.fromkeys(lever for finding in found for lever in finding.levers))
        patches = candidates(module, levers)
        if patches:
            proposals.append(Proposal(module, tuple(found), patches))
    return proposals


def candidates(module: str, levers: Sequence[Lever]) -> tuple[Patch, ...]:
    """Single-setting patches of `stage/name` within its declared bounds. Raises RegistryError: no such module."""
    stage, _, name = module.partition("/")
    in_force = read_settings(stage, name).model_dump(mode="json")
    space = search_space(settings_model(stage, name).model_json_schema())
    found = []
    for lever in levers:
        if lever.setting not in space:
            continue
        old = in_force[lever.setting]
        for new in space[lever.setting].towards(old, lever.direction):
            try:
                validate_settings(stage, name, {**in_force, lever.setting: new})
                found.append(Patch(module=module, changes={lever.setting: Change(old=old, new=new)}))
            except (RegistryError, PatchError):
                continue  # settings that bound each other: this value does not go with the others
    return tuple(found[:MOST_CANDIDATES])


def sift(patches: Sequence[Patch], history: History, suite_digest: str) -> Sifted:
    """Set aside what was judged before: a verdict stands, and asking again is no new evidence."""
    known = {patch.digest: history.verdict_on(patch, suite_digest) for patch in patches}
    judged = [verdict for verdict in known.values() if verdict is not None]
    order = {judgement.finished.ablation_id: at for at, judgement in enumerate(history.judged)}
    return Sifted(
        fresh=tuple(p for p in patches if known[p.digest] is None),
        judged=tuple(sorted(judged, key=lambda j: order[j.finished.ablation_id])),
    )
