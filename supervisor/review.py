"""Approve or reject a request. Only a named human's approval merges.

`approve` recomputes everything it relies on: paths from git's own diff, the verdict from the committed record, the
numbers from the ledger, the certificate from what is in force now. It never writes to a working tree that is not
clean, and either the merge commit is there or nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ablations.record import AblationRecord
from harness.repository import Identity, Repository, RepositoryError
from modules.workspace import Workspace
from supervisor.certified import certificate_problem
from supervisor.evidence import Trace, check_patch, check_promotion, check_research, check_rollback
from supervisor.forge.choice import forge_of
from supervisor.forge.port import PATCHES, Forge, NoRequestError, Request, find
from supervisor.promotion.record import PromotionRecord
from supervisor.refusals import Refusal, ReviewError
from supervisor.rollback import Rollback, rollback_file
from traces.events import Event, MergeBegun, ModuleWritten, PatchRolledBack, ReviewApproved, ReviewRejected
from traces.reader import read

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Approval:
    """A merge that happened."""

    branch: str
    into: str
    merge_commit: str
    by: Identity
    trailers: dict[str, str]


def approve(
    workspace: Workspace, branch: str, emit: Emit, *, by: str | None = None, forge: Forge | None = None
) -> Approval:
    """Merge `branch` into the checked-out branch in a human's name: `by` ("Name <mail>"), else git's user.

    Raises ReviewError with the first rule that refuses; then nothing has changed. RepositoryError: git failed.
    """
    repo = Repository(workspace.root)
    forge = forge or forge_of(workspace)
    request = _found(forge, branch)
    events = [envelope.event for envelope in read(workspace.ledger)]
    cut_off = _cut_off(forge, request, events) if request.state == "merged" else None
    if cut_off is not None:
        human_of(repo, by)
        return _finish(request, *cut_off, repo, emit)
    _refuse_closed(request)
    human = human_of(repo, by)
    into = repo.current_branch
    if into is None:
        raise ReviewError(Refusal.NO_BRANCH_CHECKED_OUT, "HEAD is detached", "git switch BRANCH")
    if any(_is_begun(event, request) for event in events):
        repo.undo_cut_off(request.commit)
    dirt = repo.dirt()
    if dirt:
        what = f"{len(dirt)} paths are changed or untracked: {', '.join(dirt[:5])}"
        raise ReviewError(Refusal.WORKING_TREE_NOT_CLEAN, what, "commit, ignore or remove them")
    trace = Trace.of(request, events)
    _refuse_unknown(repo, request, trace)
    rollback: Rollback | None = None
    if request.kind == "patch":
        record = check_patch(repo, request, trace, partial(certificate_problem, workspace))
        trailers = _patch_trailers(record)
    elif request.kind == "promotion":
        trailers = _promotion_trailers(check_promotion(repo, request, trace))
    elif request.kind == "rollback":
        rollback = check_rollback(repo, request, trace)
        trailers = _rollback_trailers(rollback)
    else:
        trailers = _research_trailers(check_research(repo, request, trace))
    trailers["Reviewed-by"] = str(human)
    emit(MergeBegun(branch=branch, by=str(human), commit=request.commit, base=repo.head()))
    merge_commit = forge.merge(request, _message(request, trailers), human)
    _record_merge(request, human, merge_commit, rollback, emit)
    return Approval(branch, into, merge_commit, human, trailers)


def _record_merge(request: Request, human: Identity, merge_commit: str, rollback: Rollback | None, emit: Emit) -> None:
    if rollback is not None:
        emit(
            PatchRolledBack(
                ablation_id=rollback.ablation_id,
                branch=f"{PATCHES}{rollback.ablation_id}",
                by=str(human),
                reason=rollback.reason,
                merge_commit=merge_commit,
            )
        )
    emit(ReviewApproved(branch=request.branch, by=str(human), merge_commit=merge_commit))


def _refuse_unknown(repo: Repository, request: Request, trace: Trace) -> None:
    """A forge may name a commit that is not in this checkout: whatever it is, it is not what was opened here."""
    if repo.resolve(request.commit) is not None:
        return
    what = f"{request.branch} is at {request.commit[:12]}, which this checkout does not have"
    if trace.commit is None:
        raise ReviewError(Refusal.NOT_TRACED, what, "review it where it was made (CWS_HOME)")
    remedy = f"it was opened at {trace.commit[:12]}; close it, and let it be proposed again"
    raise ReviewError(Refusal.CHANGED_AFTER_OPENING, what, remedy)


def reject(
    workspace: Workspace,
    branch: str,
    reason: str,
    emit: Emit,
    *,
    by: str | None = None,
    forge: Forge | None = None,
) -> Request:
    """Turn `branch` down: the reason goes to the ledger, where later mining reads it, and the branch to
    refs/cws/rejected/. Raises ReviewError (no request, no reason, no name), RepositoryError."""
    repo = Repository(workspace.root)
    forge = forge or forge_of(workspace)
    request = _found(forge, branch)
    _refuse_closed(request)
    if not reason.strip():
        raise ReviewError(Refusal.NO_REASON, "a rejection without a reason teaches nothing", "give --reason TEXT")
    human = human_of(repo, by)
    # First the ledger: a crash in between leaves an open branch with a reason, and rejecting again ends it.
    emit(ReviewRejected(branch=branch, by=str(human), reason=reason.strip()))
    forge.reject(request, reason.strip(), human)
    return request


def _cut_off(forge: Forge, request: Request, events: Sequence[Event]) -> tuple[MergeBegun, str, str] | None:
    """The merge that was begun here and that a crash kept from the ledger: what was begun, its commit, its message."""
    begun: MergeBegun | None = None
    for event in events:
        if isinstance(event, MergeBegun) and _is_begun(event, request):
            begun = event
        elif isinstance(event, ReviewApproved) and event.branch == request.branch:
            begun = None
    found = forge.merged_as(request) if begun is not None else None
    if begun is None or found is None or f"Reviewed-by: {begun.by}" not in found[1].splitlines():
        return None
    return begun, *found


def _is_begun(event: Event, request: Request) -> bool:
    return isinstance(event, MergeBegun) and (event.branch, event.commit) == (request.branch, request.commit)


def _finish(
    request: Request, begun: MergeBegun, merge_commit: str, message: str, repo: Repository, emit: Emit
) -> Approval:
    """Say in the ledger what git holds already."""
    rollback: Rollback | None = None
    if request.kind == "rollback":
        raw = repo.file_at(request.commit, rollback_file(request.ablation_id or ""))
        rollback = Rollback.model_validate_json(raw or b"")
    human = Identity.parse(begun.by)
    _record_merge(request, human, merge_commit, rollback, emit)
    trailers = dict(line.split(": ", 1) for line in message.split("\n\n")[-1].splitlines() if ": " in line)
    return Approval(request.branch, repo.current_branch or "HEAD", merge_commit, human, trailers)


def _found(forge: Forge, branch: str) -> Request:
    try:
        return find(forge, branch)
    except NoRequestError as error:
        raise ReviewError(Refusal.NO_REQUEST, str(error).split("; remedy")[0], error.remedy) from error


def _refuse_closed(request: Request) -> None:
    branch = request.branch
    if request.state == "merged":
        raise ReviewError(Refusal.ALREADY_MERGED, f"{branch} is in HEAD already", "nothing is left to do")
    if request.state == "rejected":
        raise ReviewError(Refusal.ALREADY_REJECTED, f"{branch} was rejected", "let it be proposed again")


def human_of(repo: Repository, by: str | None) -> Identity:
    """The human who decides: `by` ("Name <mail>"), else git's user. ReviewError for none, the engine, a robot."""
    if by is None:
        human = repo.user()
        if human is None:
            what = "git knows no human here, and only a human decides"
            raise ReviewError(
                Refusal.NO_NAME, what, "give --by 'Name <name@host>', or set git's user.name and user.email"
            )
        return human
    try:
        human = Identity.parse(by)
    except RepositoryError as error:
        raise ReviewError(Refusal.NO_NAME, f"--by {by!r} is not a person", error.remedy) from error
    if not human.is_human:
        what = f"{human} is {'the engine' if human.is_engine else 'no name of a person'}"
        raise ReviewError(Refusal.NOT_A_HUMAN, what, "give the name of a human")
    return human


def _patch_trailers(record: AblationRecord) -> dict[str, str]:
    assert record.floor is not None  # a verdict of SHIP has one
    return {
        "Ablation-Id": record.ablation_id,
        "Delta": f"{record.floor.delta:+.4f}",
        "Lower-Bound": f"{record.floor.lower_bound:+.4f}",
        "P-Value": f"{record.floor.p_value:.3g}",
        "Certificate": str(record.certificate.certificate_id),
    }


def _promotion_trailers(record: PromotionRecord) -> dict[str, str]:
    return {"Promotion-Id": record.promotion_id, "Promoted-To": record.to, "Run-Id": record.run_id}


def _rollback_trailers(rollback: Rollback) -> dict[str, str]:
    return {"Rolls-Back": rollback.ablation_id, "Asked-By": rollback.by}


def _research_trailers(written: ModuleWritten) -> dict[str, str]:
    return {"Research-Id": written.research_id, "Run-Id": written.run_id}


def _message(request: Request, trailers: dict[str, str]) -> str:
    return f"Merge {request.branch}: {request.title}\n\n" + "\n".join(f"{k}: {v}" for k, v in trailers.items())
