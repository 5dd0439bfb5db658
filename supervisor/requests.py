"""Local pull requests as git shows them: a branch each, open, merged or rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.repository import Change, Commit, Repository, RepositoryError
from supervisor.promotion.record import BRANCHES as PROMOTIONS

PATCHES = "supervisor/"
RESEARCH = "research/"

State = Literal["open", "merged", "rejected"]
Kind = Literal["patch", "research", "promotion"]

_KINDS: dict[str, Kind] = {PATCHES: "patch", RESEARCH: "research", PROMOTIONS: "promotion"}


@dataclass(frozen=True)
class Request:
    """One branch that asks to be merged. `ablation_id` is None for what no ablation judged."""

    branch: str
    kind: Kind
    state: State
    ablation_id: str | None
    commit: str
    title: str
    author: str
    time_s: int


@dataclass(frozen=True)
class RequestDetail:
    """A request with its body and the paths it changes."""

    request: Request
    body: str
    changes: tuple[Change, ...]


def list_requests(repo: Repository) -> list[Request]:
    """Every request, newest first: open, merged, rejected."""
    found = []
    for prefix in _KINDS:
        merged = repo.merged_branches(prefix)
        for branch, sha in repo.branches(prefix).items():
            found.append(_request(repo, branch, sha, "merged" if branch in merged else "open"))
    for branch, sha in repo.rejected().items():
        # Proposed again since: the open branch is what counts.
        if branch.startswith(tuple(_KINDS)) and repo.tip(branch) is None:
            found.append(_request(repo, branch, sha, "rejected"))
    return sorted(found, key=lambda r: (-r.time_s, r.branch))


def find_request(repo: Repository, branch: str) -> Request:
    """The request of this branch. RepositoryError where there is none."""
    known = list_requests(repo)
    for request in known:
        if request.branch == branch:
            return request
    names = ", ".join(r.branch for r in known[:5]) or "none"
    raise RepositoryError(f"there is no request {branch!r}; there are: {names}", "see `cws review list`")


def show(repo: Repository, branch: str) -> RequestDetail:
    """A request with its body and what it changes."""
    request = find_request(repo, branch)
    commit = repo.show(request.commit)
    # Once merged, the branch is part of HEAD's history: what it grew from is its first parent.
    grown_from = commit.parents[0] if request.state == "merged" else repo.merge_base("HEAD", request.commit)
    changes = repo.tree_changes(grown_from, request.commit) if grown_from else ()
    return RequestDetail(request, commit.message, changes)


def _request(repo: Repository, branch: str, sha: str, state: State) -> Request:
    commit: Commit = repo.show(sha)
    kind = next(kind for prefix, kind in _KINDS.items() if branch.startswith(prefix))
    return Request(
        branch=branch,
        kind=kind,
        state=state,
        ablation_id=branch.removeprefix(PATCHES) if kind == "patch" else None,
        commit=sha,
        title=commit.message.split("\n", 1)[0],
        author=str(commit.author),
        time_s=commit.time_s,
    )
