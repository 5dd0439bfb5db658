"""Local git pull requests: list, show, approve, reject. Only a named human's approval merges.

`approve` recomputes everything it relies on: paths from git's own diff, the verdict from the committed record, the
numbers from the ledger, the certificate from what is in force now. It never writes to a working tree that is not
clean, and either the merge commit is there or nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ablations.record import AblationRecord
from harness.repository import Identity, Repository, RepositoryError
from modules.workspace import Workspace
from supervisor.certified import certificate_problem
from supervisor.evidence import Trace, check_patch, check_promotion, check_research
from supervisor.forge.choice import forge_of
from supervisor.forge.port import Forge, NoRequestError, Request, find
from supervisor.promotion.record import PromotionRecord
from supervisor.refusals import Refusal, ReviewError
from traces.events import Event, ModuleWritten, ReviewApproved, ReviewRejected
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
    request = _open_request(forge, branch)
    human = human_of(repo, by)
    into = repo.current_branch
    if into is None:
        raise ReviewError(Refusal.NO_BRANCH_CHECKED_OUT, "HEAD is detached", "git switch BRANCH")
    dirt = repo.dirt()
    if dirt:
        what = f"{len(dirt)} paths are changed or untracked: {', '.join(dirt[:5])}"
        raise ReviewError(Refusal.WORKING_TREE_NOT_CLEAN, what, "commit, ignore or remove them")
    trace = Trace.of(request, [envelope.event for envelope in read(workspace.ledger)])
    if request.kind == "patch":
        record = check_patch(repo, request, trace, partial(certificate_problem, workspace))
        trailers = _patch_trailers(record)
    elif request.kind == "promotion":
        trailers = _promotion_trailers(check_promotion(repo, request, trace))
    else:
        trailers = _research_trailers(check_research(repo, request, trace))
    trailers["Reviewed-by"] = str(human)
    merge_commit = forge.merge(request, _message(request, trailers), human)
    emit(ReviewApproved(branch=branch, by=str(human), merge_commit=merge_commit))
    return Approval(branch, into, merge_commit, human, trailers)


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
    request = _open_request(forge, branch)
    if not reason.strip():
        raise ReviewError(Refusal.NO_REASON, "a rejection without a reason teaches nothing", "give --reason TEXT")
    human = human_of(repo, by)
    # First the ledger: a crash in between leaves an open branch with a reason, and rejecting again ends it.
    emit(ReviewRejected(branch=branch, by=str(human), reason=reason.strip()))
    forge.reject(request, reason.strip(), human)
    return request


def _open_request(forge: Forge, branch: str) -> Request:
    try:
        request = find(forge, branch)
    except NoRequestError as error:
        raise ReviewError(Refusal.NO_REQUEST, str(error).split("; remedy")[0], error.remedy) from error
    if request.state == "merged":
        raise ReviewError(Refusal.ALREADY_MERGED, f"{branch} is in HEAD already", "nothing is left to do")
    if request.state == "rejected":
        raise ReviewError(Refusal.ALREADY_REJECTED, f"{branch} was rejected", "let it be proposed again")
    return request


def human_of(repo: Repository, by: str | None) -> Identity:
    """The human who decides: `by` ("Name <mail>"), else git's user. Raises ReviewError for none, and for the engine."""
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
    if human.is_engine:
        raise ReviewError(Refusal.NOT_A_HUMAN, f"{human} is the engine", "give the name of a human")
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


def _research_trailers(written: ModuleWritten) -> dict[str, str]:
    return {"Research-Id": written.research_id, "Run-Id": written.run_id}


def _message(request: Request, trailers: dict[str, str]) -> str:
    return f"Merge {request.branch}: {request.title}\n\n" + "\n".join(f"{k}: {v}" for k, v in trailers.items())
