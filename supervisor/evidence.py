"""What must hold of a branch before a human may merge it; the verdict is recomputed, nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from ablations.patch import Patch, render_settings
from ablations.paths import PatchError
from ablations.record import FILE, AblationRecord, recompute
from harness.repository import Change, MergeConflictError, Repository
from skills.provenance import shipped
from supervisor.forge.port import PROMOTIONS, Request
from supervisor.promotion.record import FOLDER as PROMOTION_RECORDS
from supervisor.promotion.record import PromotionRecord, PromotionRecordError, read_record
from supervisor.refusals import Refusal, ReviewError
from supervisor.rollback import ROLLBACK, Rollback, merged_record, rollback_file, rollback_files
from supervisor.rules import (
    patch_path_refusals,
    promotion_path_refusals,
    record_folder,
    research_path_refusals,
    rollback_path_refusals,
)
from traces.events import AblationFinished, Event, ModuleWritten, PromotionDecided, ReviewOpened, RollbackProposed

CertificateCheck = Callable[[AblationRecord], str]
"""Why the certificate behind a record no longer stands; "" = it is current."""

_SUPERVISE = "run `cws supervise` again on the present base"


@dataclass(frozen=True)
class Trace:
    """What the ledger says of one branch. Fields are None where it says nothing."""

    opened: ReviewOpened | None
    finished: AblationFinished | None
    written: ModuleWritten | None
    decided: PromotionDecided | None = None
    rollback: RollbackProposed | None = None

    @property
    def commit(self) -> str | None:
        """The commit at which the request was opened, as the ledger has it."""
        return next((e.commit for e in (self.opened, self.rollback, self.written) if e is not None), None)

    @classmethod
    def of(cls, request: Request, events: Sequence[Event]) -> Trace:
        """The newest of each."""
        opened: ReviewOpened | None = None
        finished: AblationFinished | None = None
        written: ModuleWritten | None = None
        decided: PromotionDecided | None = None
        rollback: RollbackProposed | None = None
        for event in events:
            if isinstance(event, ReviewOpened) and event.branch == request.branch:
                opened = event
            elif isinstance(event, AblationFinished) and event.ablation_id == request.ablation_id:
                finished = event
            elif isinstance(event, ModuleWritten) and event.branch == request.branch:
                written = event
            elif isinstance(event, PromotionDecided) and f"{PROMOTIONS}{event.promotion_id}" == request.branch:
                decided = event
            elif isinstance(event, RollbackProposed) and event.branch == request.branch:
                rollback = event
        return cls(opened, finished, written, decided, rollback)


def check_rollback(repo: Repository, request: Request, trace: Trace) -> Rollback:
    """What a rollback says of itself, once it is found to take back a merged patch and nothing else. Raises
    ReviewError."""
    assert request.ablation_id is not None
    changes = repo.changes("HEAD", request.commit)
    path = rollback_file(request.ablation_id)
    _refuse_paths(rollback_path_refusals(changes, path))
    if trace.rollback is None:
        raise _not_traced(request)
    _refuse_changed(request, trace.rollback.commit)
    raw = repo.file_at(request.commit, path)
    try:
        stated = Rollback.model_validate_json(raw or b"")
    except ValidationError as error:
        raise ReviewError(Refusal.NO_RECORD, f"{path} is no {ROLLBACK}", "ask anew with `cws rollback`") from error
    if stated.ablation_id != request.ablation_id:
        what = f"it is of {stated.ablation_id}, the branch is of {request.ablation_id}"
        raise ReviewError(Refusal.RECORD_CONTRADICTS_ITSELF, what, "ask anew with `cws rollback`")
    expected = rollback_files(repo, merged_record(repo, request.ablation_id), stated)
    touched = {c.path for c in changes}
    if touched != set(expected) or any(repo.file_at(request.commit, p) != expected[p] for p in expected):
        what = f"the branch changes {', '.join(sorted(touched))}, not the patch's values back"
        raise ReviewError(Refusal.NOT_THE_PATCH, what, "ask anew with `cws rollback`")
    _merged_changes_are(repo, request, changes)
    return stated


def check_research(repo: Repository, request: Request, trace: Trace) -> ModuleWritten:
    """The event behind a research branch. Raises ReviewError."""
    changes = repo.changes("HEAD", request.commit)
    present = repo.files_under("HEAD", "modules/feature")
    _refuse_paths(research_path_refusals(changes, present))
    if trace.written is None:
        raise _not_traced(request)
    _refuse_changed(request, trace.written.commit)
    _merged_changes_are(repo, request, changes)
    return trace.written


def check_promotion(repo: Repository, request: Request, trace: Trace) -> PromotionRecord:
    """The record behind a promotion, verified against the ledger. Raises ReviewError."""
    remedy = "run `cws promote` again"
    path = f"{PROMOTION_RECORDS}{request.branch.removeprefix(PROMOTIONS)}.json"
    changes = repo.changes("HEAD", request.commit)
    _refuse_paths(promotion_path_refusals(changes, path))
    if trace.opened is None or trace.decided is None:
        raise _not_traced(request)
    _refuse_changed(request, trace.opened.commit)
    raw = repo.file_at(request.commit, path)
    if raw is None:
        raise ReviewError(Refusal.NO_RECORD, f"{path} is not on {request.branch}", remedy)
    try:
        record = read_record(raw, path)
    except PromotionRecordError as error:
        raise ReviewError(Refusal.RECORD_CONTRADICTS_ITSELF, str(error), remedy) from error
    if (record.digest, record.decision) != (trace.decided.record, trace.decided.decision):
        raise ReviewError(Refusal.RECORD_DIFFERS_FROM_TRACE, "the ledger has another record of it", remedy)
    if record.decision != "PROMOTE":
        raise ReviewError(Refusal.NOT_SHIPPED, f"run {record.run_id} was refused", remedy)
    _merged_changes_are(repo, request, changes)
    return record


def check_patch(repo: Repository, request: Request, trace: Trace, certificate: CertificateCheck) -> AblationRecord:
    """The record behind a patch branch, verified. Raises ReviewError."""
    assert request.ablation_id is not None
    changes = repo.changes("HEAD", request.commit)
    _refuse_paths(patch_path_refusals(changes, request.ablation_id))
    if trace.opened is None or trace.finished is None:
        raise _not_traced(request)
    _refuse_changed(request, trace.opened.commit)
    record = _record(repo, request)
    _refuse_unsound(record, request, trace.finished)
    _refuse_other_patch(repo, request, record.patch, changes)
    stale = certificate(record)
    if stale:
        raise ReviewError(Refusal.CERTIFICATE_IS_STALE, stale, "run `cws certify`, then " + _SUPERVISE[4:])
    _merged_changes_are(repo, request, changes)
    return record


def _refuse_paths(refused: list[str]) -> None:
    if refused:
        raise ReviewError(
            Refusal.PATH_NOT_ALLOWED, "; ".join(refused[:3]), "such changes are a human's, on a branch of their own"
        )


def _not_traced(request: Request) -> ReviewError:
    return ReviewError(
        Refusal.NOT_TRACED,
        f"the ledger of this workspace knows nothing of {request.branch}",
        "review it where it was made (CWS_HOME), or run `cws supervise` here",
    )


def _refuse_changed(request: Request, commit: str) -> None:
    if request.commit != commit:
        raise ReviewError(
            Refusal.CHANGED_AFTER_OPENING,
            f"{request.branch} was opened at {commit[:12]} and is now at {request.commit[:12]}",
            f"git branch -f {request.branch} {commit[:12]}",
        )


def _record(repo: Repository, request: Request) -> AblationRecord:
    path = f"{record_folder(request.ablation_id or '')}{FILE}"
    raw = repo.file_at(request.commit, path)
    if raw is None:
        raise ReviewError(Refusal.NO_RECORD, f"{path} is not on {request.branch}", _SUPERVISE)
    try:
        return AblationRecord.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise ReviewError(Refusal.NO_RECORD, f"{path}: {where}: {first['msg']}", _SUPERVISE) from error


def _refuse_unsound(record: AblationRecord, request: Request, finished: AblationFinished) -> None:
    verdict, problems = recompute(record)
    if record.ablation_id != request.ablation_id:
        problems.insert(0, f"it is the record of {record.ablation_id}, the branch is of {request.ablation_id}")
    if problems:
        raise ReviewError(Refusal.RECORD_CONTRADICTS_ITSELF, "; ".join(problems[:3]), _SUPERVISE)
    floor = record.floor
    said = [verdict.word, verdict.label, record.level]
    heard = [finished.verdict, finished.reason, finished.level]
    if floor is not None:
        said += [floor.delta, floor.lower_bound, floor.p_value]
        heard += [finished.delta, finished.lower_bound, finished.p_value]
    if said != heard:
        what = f"the record says {said}, the ledger says {heard}"
        raise ReviewError(Refusal.RECORD_DIFFERS_FROM_TRACE, what, _SUPERVISE)
    if not verdict.ship:
        raise ReviewError(Refusal.NOT_SHIPPED, f"the verdict is REJECT({verdict.label}): {verdict.message}", _SUPERVISE)


def _refuse_other_patch(repo: Repository, request: Request, patch: Patch, changes: Sequence[Change]) -> None:
    """The branch must hold the patch that was judged, on the base that it was judged on."""
    base = repo.merge_base("HEAD", request.commit) or ""
    for path in patch.paths:
        if repo.file_at(base, path) != repo.file_at("HEAD", path):
            raise ReviewError(Refusal.BASE_IS_STALE, f"{path} changed since the ablation", _SUPERVISE)
    touched = {c.path for c in changes if not c.path.startswith(record_folder(request.ablation_id or ""))}
    if touched != set(patch.paths):
        raise ReviewError(
            Refusal.NOT_THE_PATCH,
            f"the branch changes {', '.join(sorted(touched))}, the record judged {', '.join(patch.paths)}",
            _SUPERVISE,
        )
    for path in patch.paths:
        there = repo.file_at("HEAD", path)
        try:
            expected = patched_bytes(patch, path, there, request.ablation_id or "")
        except PatchError as error:
            raise ReviewError(Refusal.BASE_IS_STALE, str(error), _SUPERVISE) from error
        if repo.file_at(request.commit, path) != expected:
            raise ReviewError(Refusal.NOT_THE_PATCH, f"{path} on the branch is not what the record judged", _SUPERVISE)


def patched_bytes(patch: Patch, path: str, there: bytes | None, ablation_id: str) -> bytes:
    """What `path` holds once the patch is applied to `there` (None = no such file); a skill says which ablation shipped
    it. Raises PatchError."""
    if path in patch.texts:
        change = patch.texts[path]
        if (None if there is None else there.decode()) != change.old:
            raise PatchError(f"{path} is not what the patch expects; propose it anew")
        named = path.endswith("/SKILL.md")
        return (shipped(change.new, change.old, ablation_id) if named else change.new).encode()
    if there is None:
        raise PatchError(f"{path} does not exist; name an existing module as stage/name")
    return render_settings(there.decode(), patch.part_of(path)).encode()


def _merged_changes_are(repo: Repository, request: Request, changes: Sequence[Change]) -> None:
    """Merging must bring what the branch changed and nothing else, whatever HEAD did in the meantime."""
    try:
        merged = repo.tree_changes("HEAD", repo.preview_merge(request.commit))
    except MergeConflictError as error:
        raise ReviewError(Refusal.CONFLICT, str(error), _SUPERVISE) from error
    if [(c.path, c.new_mode) for c in merged] != [(c.path, c.new_mode) for c in changes]:
        paths = ", ".join(c.path for c in merged) or "nothing"
        raise ReviewError(Refusal.CONFLICT, f"merging would change {paths}", _SUPERVISE)
