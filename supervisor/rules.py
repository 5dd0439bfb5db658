"""Which paths a request may change: decided from git's own list of changes, never from what a branch says.

A patch may change the paths that `ablations.paths` allows, and add its record. Research may add a module folder
below `modules/feature/` and skills. Neither may touch code that is there, and neither may carry links,
submodules or executable bits. Deny by default: a path that no rule names is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ablations.paths import ForbiddenPathError, check_path
from harness.repository import Change

RECORDS = "ablations/records/"
PLAIN, ABSENT = "100644", "000000"

_FEATURE = re.compile(r"modules/feature/([a-z][a-z0-9_]{0,63})/[^/].*")
_SKILL = re.compile(r"skills/[a-z0-9]+(-[a-z0-9]+)*/([^/]+/)*[^/]+\.(md|txt|yaml|json|csv)")


def record_folder(ablation_id: str) -> str:
    """Where the record of an ablation is committed."""
    return f"{RECORDS}{ablation_id}/"


def patch_path_refusals(changes: Sequence[Change], ablation_id: str) -> list[str]:
    """Why each path of a patch is refused; empty = all are allowed."""
    refused = []
    patched = [c for c in changes if not c.path.startswith(record_folder(ablation_id))]
    for change in changes:
        if change not in patched:
            refused += _must(change, "A", "a record is added once and never edited")
            continue
        try:
            check_path(change.path)
        except ForbiddenPathError as error:
            refused.append(str(error))
        new_text = change.path.startswith("skills/") and change.status == "A"
        refused += _must(change, "A" if new_text else "M", "a patch changes what is there")
    if not patched:
        refused.append("no setting and no skill is changed: this is no patch")
    return refused


def research_path_refusals(changes: Sequence[Change], present: Collection[str]) -> list[str]:
    """Why each path of a research branch is refused; empty = all are allowed. `present`: paths that HEAD holds."""
    refused = []
    folders = set()
    for change in changes:
        module = _FEATURE.fullmatch(change.path)
        if module is not None:
            folders.add(module[1])
        if module is not None or _SKILL.fullmatch(change.path):
            refused += _must(change, "A", "research adds, it never changes or removes what is there")
        else:
            refused.append(f"{change.path}: research adds modules/feature/NAME/ and skills/, nothing else")
    if len(folders) > 1:
        refused.append(f"{', '.join(sorted(folders))}: research adds one module at a time")
    for folder in sorted(folders):
        if any(path.startswith(f"modules/feature/{folder}/") for path in present):
            refused.append(f"modules/feature/{folder}/ is there already: research adds modules, it changes none")
    if not folders and not refused:
        refused.append("no module is added")
    return refused


def promotion_path_refusals(changes: Sequence[Change], record: str) -> list[str]:
    """Why each path of a promotion is refused; empty = it adds its record and nothing else."""
    refused = [f"{c.path}: a promotion adds {record}, nothing else" for c in changes if c.path != record]
    for change in changes:
        refused += _must(change, "A", "a record is added once and never edited") if change.path == record else []
    return refused if changes else ["no record is added"]


def rollback_path_refusals(changes: Sequence[Change], record: str) -> list[str]:
    """Why each path of a rollback is refused; empty = it adds its reason beside the record, and changes back only what
    a patch may change."""
    refused = []
    for change in changes:
        if change.path == record:
            refused += _must(change, "A", "a rollback is added once and never edited")
            continue
        try:
            check_path(change.path)
        except ForbiddenPathError as error:
            refused.append(str(error))
        gone = change.status == "D" and change.path.startswith("skills/")
        if not gone:
            refused += _must(change, "M", "a rollback changes back what a patch changed")
    if all(change.path == record for change in changes):
        refused.append("nothing is changed back: this is no rollback")
    return refused


def _must(change: Change, status: str, why: str) -> list[str]:
    refused = []
    if change.status != status:
        refused.append(f"{change.path}: {why}")
    if change.new_mode != PLAIN or change.old_mode not in (PLAIN, ABSENT):
        modes = f"{change.old_mode} before and {change.new_mode} after"
        refused.append(f"{change.path}: must be a plain file (mode {PLAIN}), is {modes}")
    return refused
