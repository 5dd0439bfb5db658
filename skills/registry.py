"""Loads skills: folders in the Agent Skills format, checked as they are read.

A skill is `skills/<name>/SKILL.md`: YAML frontmatter (`name` and `description` required; `license`,
`compatibility`, `metadata`, `allowed-tools` optional; any other key is an error) and a body under
500 lines. Skills are data: nothing in them is executed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from skills.drafting import Drafting, read_drafting
from skills.plainyaml import plain_yaml

FOLDER = Path(__file__).resolve().parent
MAX_BODY_LINES = 499
MAX_BYTES = 131_072
_REQUIRED = ("name", "description")
_ALLOWED = frozenset({*_REQUIRED, "license", "compatibility", "metadata", "allowed-tools"})
_NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


class SkillError(ValueError):
    """A skill that breaks the format. Names the file, the field, the value and the remedy."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path.parent.name}/{path.name}: {problem}")


@dataclass(frozen=True)
class Skill:
    """One skill. `digest` is the SHA-256 of SKILL.md; `drafting` is None for a skill that drafts no signal."""

    name: str
    description: str
    metadata: Mapping[str, str]
    body: str
    digest: str
    drafting: Drafting | None

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def module(self) -> str | None:
        """The pipeline module this skill is about, `stage/name`, if any."""
        return self.metadata.get("module")

    @property
    def phrases(self) -> tuple[str, ...]:
        """The texts of `metadata.phrases` that call for the skill."""
        return tuple(p for part in self.metadata.get("phrases", "").split(";") if (p := part.strip()))

    @property
    def title(self) -> str:
        """The first heading of the body, or the name."""
        return next((line[2:].strip() for line in self.body.splitlines() if line.startswith("# ")), self.name)


def load_skill(path: Path) -> Skill:
    """The skill in a SKILL.md. Raises SkillError."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise SkillError(path, f"has more than {MAX_BYTES:,} bytes; move detail to references/")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SkillError(path, f"byte {error.start} is not UTF-8; save the file as UTF-8") from None
    front, body = _split(path, text)
    name, description = _required(path, front)
    metadata = _metadata(path, front.get("metadata", {}))
    lines = body.count("\n") + 1
    if lines > MAX_BODY_LINES:
        raise SkillError(
            path, f"the body has {lines} lines; the format allows fewer than 500, move detail to references/"
        )
    try:
        drafting = read_drafting(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "block"
        raise SkillError(path, f"drafting block, {where}: {first['msg']}") from None
    except ValueError as error:
        raise SkillError(path, str(error)) from None
    return Skill(name, description, MappingProxyType(metadata), body, hashlib.sha256(raw).hexdigest(), drafting)


def _split(path: Path, text: str) -> tuple[dict[str, object], str]:
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0] != "":
        raise SkillError(path, "no frontmatter; begin with a line ---, YAML, and a line ---")
    try:
        front = plain_yaml(parts[1])
    except ValueError as error:
        raise SkillError(path, f"the frontmatter {error}") from None
    if not isinstance(front, dict):
        raise SkillError(path, "the frontmatter is not a mapping of keys to values")
    unknown = sorted(str(key) for key in front if key not in _ALLOWED)
    if unknown:
        raise SkillError(
            path,
            f"unknown key {unknown[0]}; only {', '.join(sorted(_ALLOWED))} are allowed (put others under metadata)",
        )
    return {str(key): value for key, value in front.items()}, parts[2].lstrip("\n")


def _required(path: Path, front: Mapping[str, object]) -> tuple[str, str]:
    for key in _REQUIRED:
        value = front.get(key)
        if not isinstance(value, str) or not value.strip():
            raise SkillError(path, f"{key} is {value!r}; it must be a non-empty text")
    name, description = str(front["name"]).strip(), str(front["description"]).strip()
    if len(name) > 64 or not _NAME.match(name):
        raise SkillError(path, f"name {name!r} must be 1 to 64 of a-z, 0-9 and single hyphens inside")
    if name != path.parent.name:
        raise SkillError(path, f"name {name!r} differs from the folder {path.parent.name!r}; make them equal")
    if len(description) > 1_024:
        raise SkillError(path, f"description has {len(description)} characters; at most 1024 are allowed")
    for key, limit in (("license", 500), ("compatibility", 500), ("allowed-tools", 1_024)):
        value = front.get(key)
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= limit):
            raise SkillError(path, f"{key} is {value!r}; it must be a text of at most {limit} characters")
    return name, description


def _metadata(path: Path, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SkillError(path, f"metadata is {value!r}; it must map texts to texts")
    for key, entry in value.items():
        if not isinstance(key, str) or not isinstance(entry, str):
            raise SkillError(path, f"metadata {key!r} is {entry!r}; quote it, metadata maps texts to texts")
    return dict(sorted(value.items()))


def load_skills(folder: Path = FOLDER) -> tuple[Skill, ...]:
    """Every skill below `folder`, by name. Raises SkillError for the first broken one."""
    return tuple(load_skill(path) for path in sorted(folder.glob("*/SKILL.md")))


@cache
def skills() -> tuple[Skill, ...]:
    """The skills of this checkout, read once a process."""
    return load_skills(FOLDER)


def drafting_skills(among: tuple[Skill, ...]) -> tuple[tuple[Skill, Drafting], ...]:
    """Those that draft signals, with their blocks."""
    return tuple((skill, skill.drafting) for skill in among if skill.drafting is not None)


def skills_of_module(module: str, among: tuple[Skill, ...]) -> tuple[Skill, ...]:
    """The skills about one pipeline module, `stage/name`."""
    return tuple(skill for skill in among if skill.module == module)
