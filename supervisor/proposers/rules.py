"""The rules proposer: a finding names levers, the module's declared bounds say how far each may go.

Every candidate moves one setting. They are compared on the mining period alone (`supervisor.screen`), and only the
best goes to the judge: each submission costs the stream of trials, and tuning on the judge's data would be cheating.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ablations.patch import Change, Patch
from ablations.paths import PatchError
from modules.registry import RegistryError, read_settings, settings_model, validate_settings
from supervisor.bounds import search_space
from supervisor.finding import Finding, Lever
from supervisor.proposers.port import MOST_CANDIDATES, MOVABLE, Desk, Proposal


@dataclass(frozen=True)
class Rules:
    """Single-setting steps from the value in force towards a bound, in the order of the findings' levers."""

    name: str = "rules"

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        """See `Proposer.propose`. None where no lever moves a setting that `module` has."""
        if module.split("/")[0] not in MOVABLE:
            return None
        asking = tuple(f for f in findings if f.module == module and f.levers)
        levers = tuple(dict.fromkeys(lever for finding in asking for lever in finding.levers))
        patches = candidates(module, levers)
        if not patches:
            return None
        settings = ", ".join(dict.fromkeys(name for patch in patches for name in patch.changes))
        return Proposal(
            module, asking, patches, self.name, f"steps of {settings} towards the bound that the findings name"
        )


def by_module(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """Findings by the module at fault, in the order in which modules were first found."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.module, []).append(finding)
    return {module: tuple(of) for module, of in found.items()}


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
