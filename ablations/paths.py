"""Which files a patch may touch. Deny by default; decided by the path alone, before anything runs."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from modules.contract import STAGES

_SETTINGS = re.compile(rf"modules/(?:{'|'.join(STAGES)})/[a-z][a-z0-9_]{{0,63}}/settings\.yaml")
_SKILL = re.compile(
    r"skills/[a-z0-9]+(?:-[a-z0-9]+)*/(?:[a-z0-9_-]+/)*(?:SKILL|[a-z0-9_-]+)\.(?:md|yaml|yml|json|txt|csv)"
)
_LONGEST = 200


class PatchError(ValueError):
    """A patch that is refused before anything runs; names path or setting, value, rule and remedy."""


class ForbiddenPathError(PatchError):
    """A patch reaches for a file that no patch may touch."""


def check_path(path: str, root: Path | None = None) -> str:
    """`path` if a patch may touch it, relative to the checkout with forward slashes.

    Allowed are exactly `modules/<stage>/<name>/settings.yaml` and texts below `skills/<name>/`. With `root`
    the way there must hold no symbolic link. Raises ForbiddenPathError.
    """
    if len(path) > _LONGEST or unicodedata.normalize("NFC", path) != path or not path.isascii():
        raise _forbidden(path[:_LONGEST], "is not plain ASCII of at most 200 characters")
    if not (_SETTINGS.fullmatch(path) or _SKILL.fullmatch(path)):
        raise _forbidden(path, "is neither a module's settings.yaml nor a text of a skill")
    if root is not None:
        step = root
        for part in path.split("/"):
            step = step / part
            if step.is_symlink():
                raise _forbidden(path, f"leads through the symbolic link {step.relative_to(root)}")
    return path


def settings_file(module: str) -> str:
    """Path of the settings of `stage/name`. Raises ForbiddenPathError where the name leads elsewhere."""
    return check_path(f"modules/{module}/settings.yaml")


def _forbidden(path: str, why: str) -> ForbiddenPathError:
    return ForbiddenPathError(
        f"path {path!r} {why}; a patch may touch modules/<stage>/<name>/settings.yaml and texts below "
        "skills/<name>/, and never code, contracts, acceptance, risk, gate, tests or CI"
    )
