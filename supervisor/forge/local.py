"""Local git as a forge: a branch is a request, a merge commit its approval, `refs/cws/rejected/` the turned down."""

from __future__ import annotations

from harness.repository import Identity, Repository
from supervisor.forge.port import (
    KINDS,
    Draft,
    ForgeError,
    Opened,
    Request,
    RequestDetail,
    State,
    ablation_of,
    find,
    kind_of,
    newest_first,
    refuse_engine,
)


class LocalGit:
    """Requests as branches of the checkout."""

    name = "local"

    def __init__(self, repo: Repository) -> None:
        self._repo = repo

    def open(self, draft: Draft, /) -> Opened:
        """A branch that is there stays as it is: it waits for its human, and is not written over."""
        if kind_of(draft.branch) is None:
            raise ForgeError(f"{draft.branch!r} is no branch of a request", f"begin it with {' or '.join(KINDS)}")
        commit = self._repo.tip(draft.branch)
        if commit is None:
            commit = self._repo.commit_files(draft.branch, draft.files, draft.message, author=draft.author)
        return Opened(draft.branch, commit, None)

    def list(self) -> tuple[Request, ...]:
        """Every request, newest first."""
        found = []
        for prefix in KINDS:
            merged = self._repo.merged_branches(prefix)
            for branch, sha in self._repo.branches(prefix).items():
                found.append(self._request(branch, sha, "merged" if branch in merged else "open"))
        for branch, sha in self._repo.rejected().items():
            # Proposed again since: the open branch is what counts.
            if branch.startswith(tuple(KINDS)) and self._repo.tip(branch) is None:
                found.append(self._request(branch, sha, "rejected"))
        return newest_first(found)

    def show(self, branch: str, /) -> RequestDetail:
        """A request with its body and what it changes."""
        request = find(self, branch)
        commit = self._repo.show(request.commit)
        # Once merged, the branch is part of HEAD's history: what it grew from is its first parent.
        merged = request.state == "merged"
        grown_from = commit.parents[0] if merged else self._repo.merge_base("HEAD", request.commit)
        changes = self._repo.tree_changes(grown_from, request.commit) if grown_from else ()
        return RequestDetail(request, commit.message, changes)

    def merge(self, request: Request, message: str, human: Identity, /) -> str:
        """A no-ff merge into the checked-out branch, all or nothing."""
        refuse_engine(human)
        return self._repo.merge(request.commit, message, human)

    def merged_as(self, request: Request, /) -> tuple[str, str] | None:
        """The commit on HEAD's own line whose second parent is the request's commit."""
        return self._repo.merge_of(request.commit)

    def reject(self, request: Request, reason: str, human: Identity, /) -> None:
        """The branch leaves the branches; its commits stay below `refs/cws/rejected/`."""
        refuse_engine(human)
        if self._repo.tip(request.branch) is not None:
            self._repo.keep_rejected(request.branch)

    def _request(self, branch: str, sha: str, state: State) -> Request:
        commit = self._repo.show(sha)
        kind = kind_of(branch)
        assert kind is not None, "only branches of requests are asked for"
        return Request(
            branch=branch,
            kind=kind,
            state=state,
            ablation_id=ablation_of(branch),
            commit=sha,
            title=commit.message.split("\n", 1)[0],
            author=str(commit.author),
            time_s=commit.time_s,
        )
