"""The house's own signals: those of merged feature modules, and of research that waits on branches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from harness.novelty.known import Known, Origin, known
from harness.repository import Repository, RepositoryError
from modules.registry import list_modules, module_folder

PREFIX = "research/"
SAMPLES = ("expression", "facts_expression")
"""Modules whose setting is a sample that any run replaces."""
MOST_BRANCHES = 500
MOST_BYTES = 65_536


def of_house(root: Path, own: str) -> list[Known]:
    """Every signal that stands in settings of a merged module or of one of the first 500 research branches, by name.

    Left out are those of the module `own`, and settings that cannot be read or hold no signal: a broken branch is
    nobody's neighbour.
    """
    found = [*_merged(root, own), *_drafted(root, own)]
    return [k for where, text, origin in found if (expr := expr_of(text)) and (k := known(where, expr, origin))]


def expr_of(settings: bytes) -> str | None:
    """`expr` of a settings.yaml; None where there is none, or the file is none."""
    if len(settings) > MOST_BYTES:
        return None
    try:
        values = yaml.safe_load(settings)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    expr = values.get("expr") if isinstance(values, dict) else None
    return expr if isinstance(expr, str) else None


def _merged(root: Path, own: str) -> Iterator[tuple[str, bytes, Origin]]:
    for stage, name in list_modules(root):
        file = module_folder(stage, name, root) / "settings.yaml"
        if stage == "feature" and name not in (own, *SAMPLES) and file.is_file():
            yield f"feature/{name}", file.read_bytes(), "module"


def _drafted(root: Path, own: str) -> Iterator[tuple[str, bytes, Origin]]:
    try:
        repository = Repository(root)
        branches = sorted(repository.branches(PREFIX))[:MOST_BRANCHES]
    except RepositoryError:
        return  # no git, no branches; writing will say so
    for branch in branches:
        name = branch.removeprefix(PREFIX).replace("-", "_")
        text = repository.file_at(branch, f"modules/feature/{name}/settings.yaml") if name != own else None
        if text is not None:
            yield branch, text, "branch"
