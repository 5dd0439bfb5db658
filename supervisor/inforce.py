"""What is in force now, as data: every module's settings with their bounds, and every skill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modules.canonical import digest_json
from modules.registry import code_digest, list_modules, read_settings, settings_model
from skills.registry import skills
from supervisor.bounds import Bound, search_space
from traces.events import Setting


@dataclass(frozen=True)
class InForce:
    """The identity of a module as it would run now; its settings, and which of them may be searched."""

    settings_digest: str
    code_digest: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    bounds: Mapping[str, Bound] = field(default_factory=dict)


def modules_in_force() -> dict[str, InForce]:
    """Every module by `stage/name`."""
    return {f"{stage}/{name}": module_in_force(stage, name) for stage, name in list_modules()}


def module_in_force(stage: str, name: str) -> InForce:
    """One module. Raises RegistryError."""
    settings = read_settings(stage, name).model_dump(mode="json")
    scalars = {k: v for k, v in settings.items() if isinstance(v, str | int | float | bool | None)}
    bounds = search_space(settings_model(stage, name).model_json_schema())
    return InForce(digest_json(settings), code_digest(stage, name), scalars, bounds)


def drafting_skills() -> frozenset[str]:
    """Names of the skills that draft signals."""
    return frozenset(s.name for s in skills() if s.drafting is not None)
