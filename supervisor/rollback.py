"""Taking a merged patch back: the old values on the settings of today, as a request that a human merges.

It is the inverse of the patch and not git's revert: what else was merged since stays, the record stays, and beside it
stands who took it back and why. Where a value is no longer the one that the patch set, nothing is guessed.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from ablations.patch import Change, Patch, render_settings
from ablations.paths import PatchError
from ablations.record import FILE, AblationRecord
from harness.repository import ENGINE, Identity, Repository
from modules.pipeline import Emit
from modules.workspace import Workspace
from supervisor.body import title, written
from supervisor.forge.port import PATCHES, ROLLBACKS, Draft, Forge, Opened
from supervisor.refusals import Refusal, ReviewError
from supervisor.rules import record_folder
from traces.events import RollbackProposed

ROLLBACK = "rollback.json"
LONGEST_REASON = 2_000


class Rollback(BaseModel):
    """Beside the record of what is taken back: by whom, why, and on which measurement ("" = a human's own wish)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ablation_id: str
    by: str
    reason: str
    question: str = ""


def rollback_file(ablation_id: str) -> str:
    """Where a rollback is committed."""
    return f"{record_folder(ablation_id)}{ROLLBACK}"


def merged_record(repo: Repository, ablation_id: str, rev: str = "HEAD") -> AblationRecord:
    """The record of a patch that `rev` holds. Raises ReviewError where it holds none."""
    ablation_id = ablation_id.removeprefix(PATCHES)
    path = f"{record_folder(ablation_id)}{FILE}"
    raw = repo.file_at(rev, path) if ablation_id.isalnum() else None
    if raw is None:
        what = f"the checked-out commit holds no {path}"
        raise ReviewError(Refusal.NOT_MERGED, what, "name an ablation that was merged; see `cws review list --all`")
    try:
        return AblationRecord.model_validate_json(raw)
    except ValidationError as error:
        raise ReviewError(Refusal.NO_RECORD, f"{path}: {error.errors()[0]['msg']}", "see `git log`") from error


def inverse(patch: Patch) -> Patch:
    """The settings of `patch`, old for new."""
    changes = {name: Change(old=change.new, new=change.old) for name, change in patch.changes.items()}
    also = None if patch.also is None else inverse(patch.also)
    return patch.model_copy(update={"changes": changes, "texts": {}, "also": also})


def rollback_files(repo: Repository, record: AblationRecord, rollback: Rollback) -> dict[str, bytes | None]:
    """What every file holds once the patch is taken back, on the checked-out commit. Raises ReviewError."""
    from supervisor.evidence import patched_bytes

    patch = record.patch
    files: dict[str, bytes | None] = {rollback_file(record.ablation_id): (rollback.model_dump_json() + "\n").encode()}
    for path in patch.paths:
        there = repo.file_at("HEAD", path)
        moved = ReviewError(
            Refusal.BASE_IS_STALE, f"{path} is not what the patch made of it any more", "change it by hand, in git"
        )
        if path in patch.texts:
            old = patch.texts[path].old
            before = None if old is None else old.encode()
            if there != patched_bytes(patch, path, before, record.ablation_id):
                raise moved
            files[path] = before
            continue
        if there is None:
            raise moved
        try:
            part = patch.part_of(path)
            _refuse_moved(there.decode(), part, moved)
            files[path] = render_settings(there.decode(), inverse(part)).encode()
        except (PatchError, UnicodeDecodeError) as error:
            raise moved from error
    return files


def _refuse_moved(text: str, patch: Patch, moved: ReviewError) -> None:
    """Each setting must hold the patch's new value now."""
    import yaml

    values = yaml.safe_load(text) or {}
    for name, change in patch.changes.items():
        new = list(change.new) if isinstance(change.new, tuple) else change.new
        there = values.get(name)
        if there != new or isinstance(there, bool) != isinstance(new, bool):
            raise moved


def propose_rollback(
    workspace: Workspace,
    forge: Forge,
    ablation_id: str,
    reason: str,
    emit: Emit,
    *,
    by: Identity = ENGINE,
    question: str = "",
    evidence: tuple[str, ...] = (),
) -> Opened:
    """Ask for a merged patch to be taken back. `evidence`: lines for the request. Raises ReviewError."""
    repo = Repository(workspace.root)
    record = merged_record(repo, ablation_id)
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise ReviewError(Refusal.NO_REASON, "a rollback without a reason teaches nothing", "give --reason TEXT")
    if repo.file_at("HEAD", rollback_file(record.ablation_id)) is not None:
        what = f"{record.ablation_id} was rolled back already"
        raise ReviewError(Refusal.ALREADY_ROLLED_BACK, what, "nothing is left to do")
    branch = f"{ROLLBACKS}{record.ablation_id}"
    standing = repo.tip(branch)
    if standing is not None and not repo.is_merged(branch):
        # It waits already: the first reason stands, and only the asking may have been cut off.
        said = repo.show(standing).message
        opened = forge.open(Draft(branch, {}, said, said))
        stated = _stated(repo, standing, record.ablation_id)
    else:
        stated = Rollback(ablation_id=record.ablation_id, by=str(by), reason=reason, question=question)
        files = rollback_files(repo, record, stated)
        floor = record.floor
        text = written(
            f"Roll back {title(record.patch)}",
            [
                ("Reason", [reason, f"asked by {by}"]),
                ("Measured", list(evidence) or ["nothing new; see the reason"]),
                ("Shipped on", [] if floor is None else [f"{floor.delta:+.3f}, lower bound {floor.lower_bound:+.3f}"]),
                ("What goes back", [f"{k}: {c.new} -> {c.old}" for k, c in record.patch.settings.items()]),
                ("What stays", [f"the record in {record_folder(record.ablation_id)}, and all that was merged since"]),
            ],
        )
        opened = forge.open(Draft(branch, files, text.message, text.page, author=by))
    emit(
        RollbackProposed(
            ablation_id=record.ablation_id,
            branch=branch,
            commit=opened.commit,
            by=stated.by,
            reason=stated.reason,
            question=stated.question,
        )
    )
    return opened


def _stated(repo: Repository, commit: str, ablation_id: str) -> Rollback:
    raw = repo.file_at(commit, rollback_file(ablation_id)) or b"{}"
    try:
        return Rollback.model_validate_json(raw)
    except ValidationError as error:
        what = f"{ROLLBACKS}{ablation_id} holds no {ROLLBACK}"
        raise ReviewError(Refusal.NO_RECORD, what, "delete that branch, then ask again") from error
