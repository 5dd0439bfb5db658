"""What a written diff may become: a patch of one module's settings or of one skill's text, or the reasons why not.

Paths come first: a diff that names any file but those of its module is refused before it is applied to anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import JsonValue

from ablations.patch import Change, Patch, SettingValue, TextChange, patched_settings
from ablations.paths import PatchError, check_path, settings_file
from modules.contract import STAGES
from modules.registry import RegistryError, read_settings
from skills.lint import faults_of
from skills.registry import SkillError, load_skill
from supervisor.proposers.diffs import DiffError, FileDiff, apply, read_diff


class RefusedError(ValueError):
    """A diff that becomes no patch, in words for whoever wrote it."""


@dataclass(frozen=True)
class Sheet:
    """The one file that a diff may change: its module, its path, and what stands there."""

    module: str
    path: str
    text: str

    @classmethod
    def of(cls, module: str, root: Path) -> Sheet | None:
        """The settings of `stage/name`, the text of `skills/name`; None for a module that has neither."""
        stage, _, name = module.partition("/")
        try:
            path = settings_file(module) if stage in STAGES else check_path(f"skills/{name}/SKILL.md", root)
            check_path(path, root)
        except PatchError:
            return None
        file = root / path
        return cls(module, path, file.read_text()) if file.is_file() else None


def patch_of_diff(text: str, sheet: Sheet, root: Path) -> Patch:
    """The patch that a diff makes of `sheet`. Raises RefusedError: a path, a misfit, or a value out of bounds."""
    try:
        diffs = read_diff(text)
    except DiffError as error:
        raise RefusedError(str(error)) from error
    for diff in diffs:  # every path before any text
        _check_path(diff, sheet, root)
    [diff] = diffs
    try:
        new = apply(diff, sheet.text)
        return _settings(sheet, new) if sheet.path.endswith("/settings.yaml") else _skill(sheet, new)
    except (DiffError, PatchError, RegistryError, SkillError, ValueError) as error:
        raise RefusedError(str(error)) from error


def _check_path(diff: FileDiff, sheet: Sheet, root: Path) -> None:
    try:
        check_path(diff.path, root)
    except PatchError as error:
        raise RefusedError(str(error)) from error
    if diff.path != sheet.path or diff.adds:
        raise RefusedError(f"path {diff.path!r} is not {sheet.path!r}, the one file that this patch may change")


def _settings(sheet: Sheet, new: str) -> Patch:
    """Values alone are taken over; comments stay as they are, whatever the diff does to them."""
    stage, _, name = sheet.module.partition("/")
    in_force = read_settings(stage, name, sheet.text)
    before, after = (values.model_dump(mode="json") for values in (in_force, read_settings(stage, name, new)))
    changes = {
        key: Change(old=_plain(before[key]), new=_plain(value)) for key, value in after.items() if value != before[key]
    }
    if not changes:
        raise RefusedError(f"{sheet.path}: no value is changed; change one")
    patch = Patch(module=sheet.module, changes=changes)
    patched_settings(patch, in_force)
    return patch


def _plain(value: JsonValue) -> SettingValue:
    if isinstance(value, list):
        return tuple(v for v in value if v is None or isinstance(v, str | int | float))
    if value is None or isinstance(value, str | int | float):
        return value
    raise RefusedError(f"value {value!r} is neither text, number, switch, nor a list of them")


def _skill(sheet: Sheet, new: str) -> Patch:
    """The new text must still be a skill of that name that the project would ship."""
    name = sheet.module.partition("/")[2]
    with TemporaryDirectory() as folder:
        path = Path(folder) / name / "SKILL.md"
        path.parent.mkdir()
        path.write_text(new)
        skill = load_skill(path)
    faults: Sequence[object] = tuple(faults_of(skill))
    if faults:
        raise RefusedError("; ".join(map(str, faults)))
    return Patch(module="skills", texts={sheet.path: TextChange(old=sheet.text, new=new)})
