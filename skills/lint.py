"""What a shipped skill must say beyond the format: its metadata, and the sections that a reader relies on.

| metadata | |
|---|---|
| `kind` | `drafting` or `module` |
| `version` | a whole number from 1, raised by whoever changes the skill |
| `phrases` | texts that call for the skill, parted by `;`. Those of a drafting skill are hypotheses that lead to it |
| `provenance` | who wrote it, and the ablation or the run that shipped it as it stands |
| `event`, `module` | of a drafting skill the event of its block; of a module's the module, `stage/name` |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skills.registry import Skill

KINDS = ("drafting", "module")
SECTIONS = ("## What is known", "## Traps")
LEAST_RECIPES = 2


@dataclass(frozen=True)
class Fault:
    """One thing to mend: the skill, the field, and what is wrong with the remedy."""

    skill: str
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.skill}/SKILL.md, {self.field}: {self.problem}"


def faults_of(skill: Skill) -> Iterator[Fault]:
    """The faults of one skill, in the order in which its file has them."""
    meta = skill.metadata
    kind = meta.get("kind")
    if kind not in KINDS:
        yield Fault(skill.name, "metadata.kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    version = meta.get("version", "")
    if not (version.isascii() and version.isdigit() and int(version) >= 1):
        yield Fault(skill.name, "metadata.version", f"{version!r} is no whole number from 1; quote it, as in '2'")
    if not skill.phrases:
        yield Fault(skill.name, "metadata.phrases", "is empty; give texts that call for the skill, parted by ;")
    if not meta.get("provenance", "").strip():
        yield Fault(skill.name, "metadata.provenance", "is empty; say who wrote it and which ablation shipped it")
    if kind == "module" and skill.module is None:
        yield Fault(skill.name, "metadata.module", "is missing; name the module as stage/name")
    if kind == "drafting":
        yield from _drafting_faults(skill)


def _drafting_faults(skill: Skill) -> Iterator[Fault]:
    block = skill.drafting
    if block is None:
        yield Fault(skill.name, "drafting block", "is missing; a skill that drafts has one, fenced as ```yaml drafting")
        return
    if skill.metadata.get("event") != block.event:
        yield Fault(
            skill.name,
            "metadata.event",
            f"is {skill.metadata.get('event')!r}, the block says {block.event!r}; one of both",
        )
    if len(block.recipes) < LEAST_RECIPES:
        yield Fault(skill.name, "recipes", f"are {len(block.recipes)}; give at least {LEAST_RECIPES}")
    for section in SECTIONS:
        if f"\n{section}\n" not in skill.body:
            yield Fault(skill.name, "body", f"has no section {section!r}; say what is published, and what misleads")
