"""GitHub as a forge: the same commit, made locally and carried over object by object, and a pull request.

Objects in git are named by their content, so what GitHub answers is checked: a tree or commit of another name is
not what was sent. A merge is asked for at exactly the commit that was reviewed, onto the commit that is checked out
here, and read back: its parents and its tree must be those that were judged.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from harness.repository import Change, Identity, Repository, RepositoryError
from supervisor.forge.local import LocalGit
from supervisor.forge.port import (
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
from supervisor.forge.rest import Address, Missing, Unprocessable, asking, connect

if TYPE_CHECKING:
    from github.GitCommit import GitCommit
    from github.InputGitTreeElement import InputGitTreeElement
    from github.PullRequest import PullRequest
    from github.Repository import Repository as Remote

MOST_REQUESTS = 2_000
"""Pull requests that are looked through, newest first."""

LONGEST_PAGE = 60_000
"""Characters of a pull request's text; GitHub takes 65,536."""

_MODES = {"added": ("000000", "100644", "A"), "removed": ("100644", "000000", "D")}


class GitHub:
    """Requests as pull requests of one repository on GitHub."""

    def __init__(self, repo: Repository, address: Address) -> None:
        self._repo = repo
        self._local = LocalGit(repo)
        self._address = address

    @property
    def name(self) -> str:
        """`github:owner/name`."""
        return f"github:{self._address.slug}"

    @cached_property
    def _remote(self) -> Remote:
        return connect(self._address)

    # --- opening ------------------------------------------------------------------------------------

    def open(self, draft: Draft, /) -> Opened:
        """The branch here, then its objects, its branch there, its pull request: each step finds what the one before
        left, so that it may be cut off anywhere."""
        into = self._into()
        commit = self._local.open(draft).commit
        self._carry_over(draft.branch, commit)
        pull = self._pull_for(draft, into, commit)
        with asking("opening a pull request"):
            return Opened(draft.branch, commit, pull.html_url)

    def _into(self) -> str:
        into = self._repo.current_branch
        if into is None:
            raise ForgeError("HEAD is detached, a pull request would ask for no branch", "git switch BRANCH")
        return into

    def _carry_over(self, branch: str, sha: str) -> None:
        """The commit and its branch, where GitHub has them not."""
        there = self._tip_there(branch)
        if there == sha:
            return
        if there is not None:
            remedy = "delete that branch on GitHub, if nobody needs it"
            raise ForgeError(f"branch {branch!r} on GitHub is at {there[:12]}, not {sha[:12]}", remedy)
        self._upload(sha)
        try:
            with asking(f"making branch {branch}"):
                self._remote.create_git_ref(f"refs/heads/{branch}", sha)
        except Unprocessable:
            if self._tip_there(branch) != sha:  # not ours, made in the meantime
                raise

    def _tip_there(self, branch: str) -> str | None:
        try:
            with asking(f"reading branch {branch}"):
                return self._remote.get_git_ref(f"heads/{branch}").object.sha
        except Missing:
            return None

    def _upload(self, sha: str) -> None:
        from github import InputGitAuthor

        commit = self._repo.show(sha)
        parent = commit.parents[0]
        try:
            with asking(f"reading commit {parent[:12]}"):
                above = self._remote.get_git_commit(parent)
        except Missing as error:
            remedy = f"git push {self._address.slug} first: a pull request grows from what is there"
            raise ForgeError(f"GitHub does not have {parent[:12]}, which is checked out here", remedy) from error
        elements = [self._element(sha, change) for change in self._repo.tree_changes(parent, sha)]
        when = datetime.fromtimestamp(commit.time_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        who = InputGitAuthor(commit.author.name, commit.author.mail, when)
        with asking("carrying a commit over"):
            tree = self._remote.create_git_tree(elements, above.tree)
            made = self._remote.create_git_commit(f"{commit.message}\n", tree, [above], who, who)
            found = (tree.sha, made.sha)
        wanted = (self._repo.tree_of(sha), sha)
        if found != wanted:
            what = f"GitHub made tree {found[0][:12]} and commit {found[1][:12]} of {wanted[0][:12]} and {sha[:12]}"
            raise ForgeError(what, "what was sent is not what is there; nothing was opened")

    def _element(self, sha: str, change: Change) -> InputGitTreeElement:
        from github import InputGitTreeElement

        content = self._repo.file_at(sha, change.path)
        if content is None:
            return InputGitTreeElement(change.path, change.old_mode, "blob", sha=None)
        try:
            return InputGitTreeElement(change.path, change.new_mode, "blob", content=content.decode())
        except UnicodeDecodeError:
            with asking(f"carrying {change.path} over"):
                blob = self._remote.create_git_blob(base64.b64encode(content).decode(), "base64")
                return InputGitTreeElement(change.path, change.new_mode, "blob", sha=blob.sha)

    def _pull_for(self, draft: Draft, into: str, commit: str) -> PullRequest:
        """The pull request of this very commit, made where there is none. One that was closed unmerged stays closed,
        and another is opened."""
        found = self._standing(draft.branch, commit)
        if found is not None:
            return found
        cut = "" if len(draft.page) <= LONGEST_PAGE else "\n\n(cut; see the record)"
        page = draft.page[:LONGEST_PAGE] + cut
        try:
            with asking("opening a pull request"):
                return self._remote.create_pull(
                    base=into, head=draft.branch, title=draft.title, body=page, maintainer_can_modify=False
                )
        except Unprocessable:
            # A first try may have come through although its answer was lost.
            found = self._standing(draft.branch, commit)
            if found is None:
                raise
            return found

    def _standing(self, branch: str, commit: str) -> PullRequest | None:
        with asking("looking for the pull request"):
            asked = self._remote.get_pulls(state="all", head=f"{self._address.owner}:{branch}")
            for pull in islice(asked, 100):
                if pull.head.ref == branch and pull.head.sha == commit and (pull.state == "open" or pull.merged_at):
                    return pull
        return None

    # --- reading ------------------------------------------------------------------------------------

    def list(self) -> tuple[Request, ...]:
        """Every pull request from a branch of the engine, newest first; of several of one branch the newest."""
        found: dict[str, Request] = {}
        for pull in self._pulls():
            request = _request(pull)
            # Newest first; one that is open counts before any other of its branch.
            if request.branch not in found or (request.state == "open" != found[request.branch].state):
                found[request.branch] = request
        return newest_first([*found.values()])

    def _pulls(self) -> tuple[PullRequest, ...]:
        kept = []
        with asking("listing pull requests"):
            asked = self._remote.get_pulls(state="all", sort="created", direction="desc")
            for pull in islice(asked, MOST_REQUESTS):
                # A fork may name its branch as it likes; only branches of the repository itself are the engine's.
                own = pull.head.repo is not None and pull.head.repo.full_name.lower() == self._address.slug.lower()
                if own and kind_of(pull.head.ref) is not None:
                    kept.append(pull)
        return tuple(kept)

    def show(self, branch: str, /) -> RequestDetail:
        """A request with its body and what it changes."""
        request = find(self, branch)
        pull = self._pull(request)
        with asking(f"reading {branch}"):
            body = f"{pull.title}\n\n{pull.body or ''}" if not (pull.body or "").startswith(pull.title) else pull.body
            changes = [
                Change(f.filename, found[2], found[0], found[1])
                for f in pull.get_files()
                for found in [_MODES.get(f.status, ("100644", "100644", "M"))]
            ]
        return RequestDetail(request, body, tuple(sorted(changes, key=lambda c: c.path)))

    def _pull(self, request: Request) -> PullRequest:
        for pull in self._pulls():
            if _request(pull) == request:
                return pull
        raise ForgeError(f"{request.branch} is not what it was a moment ago", "look again with `cws review list`")

    # --- deciding -----------------------------------------------------------------------------------

    def merge(self, request: Request, message: str, human: Identity, /) -> str:
        """Ask for the merge of exactly this commit onto exactly the commit checked out here, and read it back."""
        refuse_engine(human)
        into, ours = self._into(), self._repo.head()
        wanted = self._repo.preview_merge(request.commit)
        pull = self._pull(request)
        with asking(f"merging {request.branch}"):
            base, automatic = pull.base.ref, pull.raw_data.get("auto_merge") is not None
        if automatic:
            raise ForgeError(
                f"{request.branch} is set to merge by itself", "switch auto-merge off on GitHub: a human merges"
            )
        if base != into:
            raise ForgeError(f"{request.branch} asks for {base!r}, checked out is {into!r}", f"git switch {base}")
        if self._tip_there(into) != ours:
            raise ForgeError(
                f"{into!r} on GitHub is not at {ours[:12]}, which is checked out", "git pull or push, then try again"
            )
        title, _, text = message.partition("\n\n")
        try:
            with asking(f"merging {request.branch}"):
                pull.merge(commit_title=title, commit_message=text, merge_method="merge", sha=request.commit)
        except (Unprocessable, ForgeError):
            # The answer may be lost where the deed was done: what counts is what is there.
            if self.merged_as(request) is None:
                raise
        return self._read_back(request, ours, wanted)

    def _read_back(self, request: Request, ours: str, wanted: str) -> str:
        found = self._merge_commit(request)
        if found is None:
            raise ForgeError(f"GitHub says that {request.branch} is not merged", "look at it on GitHub")
        with asking("reading the merge"):
            parents, tree, sha = [p.sha for p in found.parents], found.tree.sha, found.sha
        if parents != [ours, request.commit] or tree != wanted:
            raise ForgeError(
                f"merge {sha[:12]} of {request.branch} is not what was reviewed: its parents are "
                f"{', '.join(p[:12] for p in parents)}, its tree {tree[:12]} instead of {wanted[:12]}",
                f"revert it on GitHub: git revert -m 1 {sha[:12]}",
            )
        return sha

    def merged_as(self, request: Request, /) -> tuple[str, str] | None:
        """The merge commit that GitHub made, and its message."""
        found = self._merge_commit(request)
        if found is None:
            return None
        with asking("reading the merge"):
            if [p.sha for p in found.parents][1:] != [request.commit]:
                return None  # squashed, or rebased: not this commit
            return found.sha, found.message

    def _merge_commit(self, request: Request) -> GitCommit | None:
        for pull in self._pulls():
            with asking(f"reading {request.branch}"):
                if (pull.head.ref, pull.head.sha) == (request.branch, request.commit) and pull.merged_at:
                    return self._remote.get_git_commit(pull.merge_commit_sha)
        return None

    def reject(self, request: Request, reason: str, human: Identity, /) -> None:
        """The reason as a comment, the pull request closed; the branch here below `refs/cws/rejected/`."""
        refuse_engine(human)
        if request.state == "open":
            pull = self._pull(request)
            with asking(f"closing {request.branch}"):
                pull.create_issue_comment(f"Rejected by {human.name}:\n\n{_quoted(reason)}")
                pull.edit(state="closed")
        try:
            self._local.reject(request, reason, human)
        except RepositoryError as error:
            raise ForgeError(f"{request.branch} is closed on GitHub, and stays here: {error}", error.remedy) from error


def _request(pull: PullRequest) -> Request:
    with asking("reading a pull request"):
        branch = pull.head.ref
    kind = kind_of(branch)
    assert kind is not None, "only branches of requests are asked for"
    with asking("reading a pull request"):
        state: State = "open" if pull.state == "open" else "merged" if pull.merged_at else "rejected"
        return Request(
            branch=branch,
            kind=kind,
            state=state,
            ablation_id=ablation_of(branch),
            commit=pull.head.sha,
            title=pull.title,
            author=pull.user.login,
            time_s=int(pull.created_at.timestamp()),
            page=pull.html_url,
        )


def _quoted(reason: str) -> str:
    """Data, not markup: a reason that names somebody calls nobody."""
    return "\n".join(f"    {line}" for line in reason.splitlines())
