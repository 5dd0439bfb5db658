"""A patch: values in one module's `settings.yaml`, or texts of skills. Never code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ablations.paths import PatchError, check_path, settings_file
from modules.canonical import digest_json
from modules.contract import STAGES, Module, ModuleSettings
from modules.registry import RegistryError, validate_settings

Scalar = str | int | float | bool | None
SettingValue = Scalar | tuple[Scalar, ...]
"""What a setting may hold: a scalar or a flat list."""

MOST_CHANGES = 16
LONGEST_TEXT = 500
MOST_TEXT_BYTES = 64 * 1024

_LINE = re.compile(r"(?P<head>(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*:[ \t]*)(?P<rest>.*)")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Change(_Frozen):
    """One setting: the value in force and the value proposed."""

    old: SettingValue
    new: SettingValue

    @field_validator("new")
    @classmethod
    def _one_line(cls, new: SettingValue) -> SettingValue:
        for text in new if isinstance(new, tuple) else (new,):
            if isinstance(text, str) and not (text.isprintable() and len(text) <= LONGEST_TEXT):
                raise ValueError(
                    f"text {text[:40]!r} must be printable, on one line, of at most {LONGEST_TEXT} characters"
                )
        return new


class TextChange(_Frozen):
    """One text of a skill, whole: what stands there (null = new file) and what shall."""

    old: str | None
    new: str


class Patch(_Frozen):
    """What is proposed. `module` is `stage/name`, or `skills` for a patch of skills alone.

    `also` holds the changes of a second module, further down the pipeline: two settings that are worth more together.
    What each is worth alone is measured with it (ablations/swap.py).
    """

    module: str
    changes: dict[str, Change] = {}
    texts: dict[str, TextChange] = {}
    also: Annotated[Patch | None, Field(exclude_if=lambda also: also is None)] = None

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        if not self.changes and not self.texts:
            raise ValueError("a patch must change something: give `changes` or `texts`")
        if len(self.changes) + len(self.texts) > MOST_CHANGES:
            raise ValueError(f"a patch may change at most {MOST_CHANGES} values; split it")
        if self.module != "skills":
            settings_file(self.module)
        elif self.changes:
            raise ValueError("module 'skills' has no settings; name the module as stage/name")
        if self.also is not None:
            _check_second(self, self.also)
        for path, text in self.texts.items():
            check_path(path)
            if not path.startswith("skills/"):
                raise ValueError(f"text {path} is not below skills/; settings go into `changes`")
            if len(text.new.encode()) > MOST_TEXT_BYTES:
                raise ValueError(f"text {path} has {len(text.new.encode())} bytes; at most {MOST_TEXT_BYTES}")
        return self

    @property
    def digest(self) -> str:
        """Identity of the patch."""
        return digest_json(self.model_dump(mode="json"))

    @property
    def stage(self) -> str:
        """The stage that the patch touches; `skills` for a patch of skills."""
        return self.module.split("/")[0]

    @property
    def parts(self) -> tuple[Patch, ...]:
        """A patch for each module, upstream first; itself where it touches one."""
        return (self,) if self.also is None else (self.model_copy(update={"also": None}), self.also)

    @property
    def settings(self) -> dict[str, Change]:
        """Every change of a setting; those of the second module under `stage/name:setting`."""
        second = {} if self.also is None else {f"{self.also.module}:{k}": c for k, c in self.also.changes.items()}
        return {**self.changes, **second}

    @property
    def subject(self) -> str:
        """What it is about: its module, or `skills/NAME` where the texts of one skill change."""
        named = {"/".join(path.split("/")[:2]) for path in self.texts}
        return named.pop() if self.module == "skills" and len(named) == 1 else self.module

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that the patch touches."""
        settings = (settings_file(part.module) for part in self.parts if part.changes)
        return (*settings, *sorted(self.texts))

    def part_of(self, path: str) -> Patch:
        """The part whose module's settings lie at `path`. Raises PatchError."""
        for part in self.parts:
            if part.changes and settings_file(part.module) == path:
                return part
        raise PatchError(f"{path} is no settings file of {', '.join(p.module for p in self.parts)}")

    def new_values(self) -> dict[str, SettingValue]:
        """Setting to proposed value."""
        return {name: change.new for name, change in self.changes.items()}


def patch_of(module: str, settings: Mapping[str, Change]) -> Patch:
    """The patch whose `settings` these are."""
    own = {k: c for k, c in settings.items() if ":" not in k}
    second: dict[str, dict[str, Change]] = {}
    for name, change in settings.items():
        if ":" in name:
            second.setdefault(name.partition(":")[0], {})[name.partition(":")[2]] = change
    if len(second) > 1:
        raise PatchError(f"settings of {', '.join((module, *second))}; a patch touches at most two modules")
    also = next((Patch(module=name, changes=changes) for name, changes in second.items()), None)
    return Patch(module=module, changes=own, also=also)


def together(first: Patch, second: Patch) -> Patch:
    """One patch of two modules, whichever was named first. Raises PatchError."""
    if first.stage not in STAGES or second.stage not in STAGES or first.also or second.also:
        raise PatchError("two patches of settings, of one module each, can be put together")
    early, late = sorted((first, second), key=lambda patch: STAGES.index(patch.stage))
    return Patch(module=early.module, changes=early.changes, texts=early.texts, also=late)


def _check_second(first: Patch, second: Patch) -> None:
    if not first.changes or not second.changes or second.texts or second.also is not None:
        raise ValueError("`also` holds the settings of one more module, beside settings of the first, and nothing else")
    order = [stage for stage in STAGES if stage in (first.stage, second.stage)]
    if order != [first.stage, second.stage]:
        raise ValueError(f"`also` is {second.module}; it must lie further down the pipeline than {first.module}")
    if len(first.changes) + len(second.changes) + len(first.texts) > MOST_CHANGES:
        raise ValueError(f"a patch may change at most {MOST_CHANGES} values; split it")


def propose(module: Module, changes: Mapping[str, SettingValue]) -> Patch:
    """The patch that sets `changes` on `module` as it is loaded. Raises PatchError."""
    values = module.settings.model_dump(mode="json")
    unknown = sorted(set(changes) - set(values))
    if unknown:
        raise PatchError(
            f"{module.stage}/{module.name} has no setting {', '.join(unknown)}; it has {', '.join(sorted(values))}"
        )
    return Patch(
        module=f"{module.stage}/{module.name}",
        changes={k: Change(old=_plain(values[k]), new=_plain(v)) for k, v in changes.items()},
    )


def patched_settings(patch: Patch, in_force: ModuleSettings) -> ModuleSettings:
    """The settings with the patch applied, inside the module's declared bounds. Raises PatchError."""
    values = in_force.model_dump(mode="json")
    for name, change in patch.changes.items():
        if name not in values:
            raise PatchError(f"{patch.module} has no setting {name}; it has {', '.join(sorted(values))}")
        extra = type(in_force).model_fields[name].json_schema_extra
        if isinstance(extra, dict) and extra.get("assumption"):
            raise PatchError(
                f"{patch.module}: {name} is an assumption about the world; a better result from a kinder world is no "
                "improvement. A human changes it by hand"
            )
        if _differs(_plain(values[name]), change.old):
            raise PatchError(
                f"{patch.module}: {name} is {values[name]!r}, the patch expects {change.old!r}; propose it anew"
            )
        if not _differs(change.new, change.old):
            raise PatchError(f"{patch.module}: {name} stays {change.old!r}; leave it out of the patch")
        values[name] = list(change.new) if isinstance(change.new, tuple) else change.new
    stage, _, name = patch.module.partition("/")
    try:
        return validate_settings(stage, name, values)
    except RegistryError as error:
        raise PatchError(f"out of bounds: {error}") from error


def render_settings(text: str, patch: Patch) -> str:
    """`settings.yaml` with the patch's values; comments and all other lines stay as they are.

    Each value is edited on its own line and the result is parsed again: it must hold exactly the old
    values and the patched ones, or PatchError is raised.
    """
    before = _values(text, patch.module)
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    for name, change in patch.changes.items():
        found = [i for i, line in enumerate(lines) if (m := _LINE.match(line)) and m["key"] == name]
        if len(found) > 1:
            raise PatchError(f"{patch.module}: settings.yaml sets {name} {len(found)} times; leave one")
        if found:
            lines[found[0]] = _edit(lines[found[0]], change.new)
        else:
            lines[-1] += "\n" if lines[-1] else ""
            lines.append(f"{name}: {_yaml(change.new)}\n")
    rendered = "".join(lines)
    wanted = {**before, **{k: list(v) if isinstance(v, tuple) else v for k, v in patch.new_values().items()}}
    after = _values(rendered, patch.module)
    if digest_json(after) != digest_json(wanted):
        raise PatchError(
            f"{patch.module}: settings.yaml cannot be edited line by line (a value spans several lines?); "
            "write every setting as `name: value` on one line"
        )
    return rendered


def rendered_files(patch: Patch, root: Path) -> dict[str, str]:
    """Path to new content for every file of the patch, against the checkout at `root`. Raises PatchError."""
    files = {}
    for path in patch.paths:
        check_path(path, root)
        there = (root / path).read_text() if (root / path).exists() else None
        if path in patch.texts:
            if there != patch.texts[path].old:
                raise PatchError(f"{path} is not what the patch expects; propose it anew")
            files[path] = patch.texts[path].new
        elif there is None:
            raise PatchError(f"{path} does not exist; name an existing module as stage/name")
        else:
            files[path] = render_settings(there, patch.part_of(path))
    return files


def diff(patch: Patch, root: Path) -> str:
    """The patch as a unified diff against the checkout at `root`."""
    out: list[str] = []
    for path, new in rendered_files(patch, root).items():
        old = (root / path).read_text() if (root / path).exists() else ""
        out += difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    return "".join(line if line.endswith("\n") else line + "\n" for line in out)


def _plain(value: object) -> SettingValue:
    if isinstance(value, list | tuple):
        return tuple(_scalar(v) for v in value)
    return _scalar(value)


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, str | int | float):
        return value
    raise PatchError(f"value {value!r} is neither text, number, bool nor null; a patch sets plain values")


def _differs(a: SettingValue, b: SettingValue) -> bool:
    return a != b or isinstance(a, bool) != isinstance(b, bool)


def _values(text: str, module: str) -> dict[str, object]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise PatchError(f"{module}: settings.yaml is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise PatchError(f"{module}: settings.yaml must hold `setting: value` lines")
    return {str(k): v for k, v in values.items()}


def _edit(line: str, value: SettingValue) -> str:
    matched = _LINE.match(line)
    assert matched is not None
    rest = matched["rest"]
    comment = re.search(r"\s+#.*$", _blank_quotes(rest))
    tail = rest[comment.start() :] if comment else ""
    end = line[len(line.rstrip("\r\n")) :]
    return f"{matched['head'].rstrip(' ')} {_yaml(value)}{tail.rstrip()}{end}"


def _blank_quotes(text: str) -> str:
    """The same length with quoted spans blanked, so that a # inside quotes starts no comment."""
    return re.sub(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"", lambda m: "x" * len(m.group()), text)


def _yaml(value: SettingValue) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()
