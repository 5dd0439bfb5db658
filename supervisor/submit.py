"""From verdict to pull request: a branch with the diff, the committed record and a report, for what the gate ships."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ablations.patch import Patch, diff
from ablations.record import AblationRecord
from ablations.report import write_report
from harness.repository import Repository, RepositoryError
from modules.pipeline import Emit
from modules.workspace import Workspace
from supervisor.body import body
from supervisor.case import look_back, write_case
from supervisor.evidence import patched_bytes
from supervisor.finding import Finding
from supervisor.forge.port import PATCHES, Draft, Forge
from supervisor.rules import record_folder
from traces.events import ReviewOpened
from traces.reader import read


def branch_of(ablation_id: str) -> str:
    """Where a shipped patch waits for its human."""
    return f"{PATCHES}{ablation_id}"


def kept_record(workspace: Workspace, ablation_id: str) -> Path:
    """Where the record of any verdict lies in the runtime state, shipped or not."""
    return workspace.home / "ablations" / ablation_id


def keep(workspace: Workspace, record: AblationRecord) -> Path:
    """Write the record and its report to the runtime state; the folder."""
    folder = kept_record(workspace, record.ablation_id)
    write_report(record, folder)
    return folder


def submit(
    workspace: Workspace, forge: Forge, record: AblationRecord, findings: Sequence[Finding], emit: Emit
) -> str | None:
    """Open the pull request of a shipped patch and return its branch; None for a refused one.

    Safe to repeat: the same record gives the same commit, and a branch that is there stays. Raises RepositoryError
    where the settings in git are not those that were judged.
    """
    if not record.verdict.ship:
        keep(workspace, record)
        return None
    folder = kept_record(workspace, record.ablation_id)
    # Anew each time: a crash may have left a half of it.
    shutil.rmtree(folder, ignore_errors=True)
    past = look_back((e.event for e in read(workspace.ledger)), record, findings)
    write_case(workspace, record, past, folder)
    branch = branch_of(record.ablation_id)
    repo = Repository(workspace.root)
    tip = repo.tip(branch)
    if tip is not None:
        # It stands as it was opened, whatever was merged since; only the asking may have been cut off.
        said = repo.show(tip).message
        opened = forge.open(Draft(branch, {}, said, said))
    else:
        refuse_uncommitted(repo, record.patch)
        text = body(record, findings, diff(record.patch, workspace.root), past.origin)
        opened = forge.open(Draft(branch, _files(repo, record, folder), text.message, text.page))
    emit(ReviewOpened(branch=branch, ablation_id=record.ablation_id, commit=opened.commit))
    return branch


def _files(repo: Repository, record: AblationRecord, folder: Path) -> dict[str, bytes | None]:
    """The patched files on the checked-out commit, and the case."""
    files: dict[str, bytes | None] = {
        path: patched_bytes(record.patch, path, repo.file_at("HEAD", path), record.ablation_id)
        for path in record.patch.paths
    }
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        files[record_folder(record.ablation_id) + path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def refuse_uncommitted(repo: Repository, patch: Patch) -> None:
    """What is judged is the working tree, what is branched from is HEAD: the patched files must be the same in both.

    Raises RepositoryError naming the file.
    """
    for path in patch.paths:
        file = repo.root / path
        there = file.read_bytes() if file.is_file() else None
        committed = repo.file_at("HEAD", path)
        # Git may check files out with other line ends; that is no change.
        if _lines(there) != _lines(committed):
            raise RepositoryError(f"{path} differs from HEAD", "commit it, or `git restore` it, then try again")


def _lines(data: bytes | None) -> bytes | None:
    return None if data is None else data.replace(b"\r\n", b"\n")
