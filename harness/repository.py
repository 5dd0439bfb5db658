"""Git as the engine uses it: commits that touch nothing a human has open, and merges by a named human.

Everything goes through plumbing (blobs, a temporary index, trees, a compare-and-swap of one ref), so
the working tree, the real index and HEAD stay as they were, and a crash at any point leaves only
unreachable objects: moving the ref is the last act.
"""

from __future__ import annotations

import bisect
import contextlib
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.plumbing import ENGINE, GitCommand, Identity, RepositoryError

__all__ = ["ENGINE", "Brought", "Change", "Commit", "Identity", "MergeConflictError", "Repository", "RepositoryError"]

REGULAR, EXECUTABLE, FOLDER = "100644", "100755", "040000"
REJECTED = "refs/cws/rejected/"


class MergeConflictError(RepositoryError):
    """Both sides changed the same lines; `paths` names the files."""

    def __init__(self, branch: str, paths: tuple[str, ...]) -> None:
        self.paths = paths
        super().__init__(
            f"merging {branch!r} conflicts in {', '.join(paths)}",
            "nothing was changed; let it be proposed again on the present base",
        )


@dataclass(frozen=True)
class Change:
    """One path that differs between two trees; a mode of `000000` means absent on that side."""

    path: str
    status: str
    old_mode: str
    new_mode: str


@dataclass(frozen=True)
class Commit:
    """A commit as a reader needs it."""

    sha: str
    parents: tuple[str, ...]
    author: Identity
    time_s: int
    message: str


@dataclass(frozen=True)
class Brought:
    """A commit, those of somebody that came in with it, and the files that it added."""

    commit: str
    commits: tuple[str, ...]
    paths: tuple[str, ...]


class Repository:
    """A git checkout, addressed by the folder at its top.

    Raises RepositoryError (with the remedy) where `root` is no checkout, git is not installed, or git refuses it.
    """

    def __init__(self, root: Path) -> None:
        self._git = GitCommand(root)
        self.root = self._git.root

    # --- reading --------------------------------------------------------------------------------

    def user(self) -> Identity | None:
        """The human git knows (environment before configuration), or None; never the engine, never a robot."""
        name = os.environ.get("GIT_AUTHOR_NAME") or self._git.ask("config", "--get", "user.name")
        mail = os.environ.get("GIT_AUTHOR_EMAIL") or self._git.ask("config", "--get", "user.email")
        try:
            who = Identity.parse(f"{name or ''} <{mail or ''}>")
        except RepositoryError:
            return None
        return who if who.is_human else None

    def resolve(self, rev: str) -> str | None:
        """The commit that `rev` names, or None. A branch of that name comes before a tag."""
        names = (f"refs/heads/{rev}", rev)
        asked = (
            self._git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{n}^{{commit}}") for n in names
        )
        return next((sha for sha in asked if sha), None)

    def tip(self, branch: str) -> str | None:
        """The commit of a local branch, or None."""
        return self._git.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")

    def head(self) -> str:
        """The commit that is checked out. RepositoryError where there is none yet."""
        return self._commit("HEAD")

    @property
    def current_branch(self) -> str | None:
        """The checked-out branch, or None on a detached HEAD."""
        return self._git.ask("symbolic-ref", "--quiet", "--short", "HEAD")

    def branches(self, prefix: str = "") -> dict[str, str]:
        """Local branches whose name starts with `prefix`, with their commits, sorted by name."""
        return {name: sha for name, sha in self._refs("refs/heads/").items() if name.startswith(prefix)}

    def merged_branches(self, prefix: str = "", into: str = "HEAD") -> frozenset[str]:
        """Local branches whose name starts with `prefix` and that `into` already contains."""
        inside = f"--merged={self._commit(into)}"
        names = self._git.text("for-each-ref", "--format=%(refname)", inside, "refs/heads/").splitlines()
        short = (name.removeprefix("refs/heads/") for name in names)
        return frozenset(name for name in short if name.startswith(prefix))

    def rejected(self) -> dict[str, str]:
        """Rejected branches, kept where nobody checks them out by accident."""
        return self._refs(REJECTED)

    def dirt(self) -> tuple[str, ...]:
        """Paths that are changed, staged or untracked; ignored ones do not count."""
        found = self._git.entries(
            "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames", "--ignore-submodules=none"
        )
        return tuple(sorted(entry[3:] for entry in found))

    def is_clean(self) -> bool:
        """Whether nothing is changed, staged or untracked (ignored files may be there)."""
        return not self.dirt()

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest common ancestor, or None for unrelated histories."""
        return self._git.ask("merge-base", self._commit(one), self._commit(other))

    def is_merged(self, branch: str, into: str = "HEAD") -> bool:
        """Whether `into` already contains `branch`."""
        return self.merge_base(branch, into) == self._commit(branch)

    def changes(self, base: str, branch: str) -> tuple[Change, ...]:
        """What `branch` changed since it left `base` (git's three-dot diff), with file modes."""
        return self.tree_changes(self._shared(base, branch), self._commit(branch))

    def changed_paths(self, base: str, branch: str) -> tuple[str, ...]:
        """The paths of `changes`, sorted."""
        return tuple(c.path for c in self.changes(base, branch))

    def tree_changes(self, old: str, new: str) -> tuple[Change, ...]:
        """Differences between two trees or commits, by path; a rename is a deletion and an addition."""
        fields = self._git.entries("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", old, new)
        found = []
        for head, path in zip(fields[0::2], fields[1::2], strict=True):
            old_mode, new_mode, _, _, status = head.removeprefix(":").split(" ")
            found.append(Change(path, status[0], old_mode, new_mode))
        return tuple(sorted(found, key=lambda c: c.path))

    def file_at(self, rev: str, path: str) -> bytes | None:
        """The bytes of a regular file at `rev` (a commit or tree), or None where it is not there."""
        mode, sha = self._modes(rev, [path]).get(path, ("", ""))
        return self._git.run("cat-file", "blob", sha) if mode in (REGULAR, EXECUTABLE) else None

    def files_under(self, rev: str, folder: str) -> tuple[str, ...]:
        """Every path below `folder` at `rev`."""
        below = f"{folder.rstrip('/')}/"
        return tuple(self._git.entries("ls-tree", "-r", "-z", "--name-only", "--full-tree", rev, "--", below))

    def show(self, rev: str) -> Commit:
        """The commit that `rev` names."""
        out = self._git.text("show", "-s", "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%B", self._commit(rev))
        sha, parents, name, mail, time_s, message = out.split("\0", 5)
        return Commit(sha, tuple(parents.split()), Identity(name, mail), int(time_s), message.strip("\n"))

    def added_by(self, rev: str, path: str) -> str | None:
        """The commit in the history of `rev` that added `path`, the newest if it was added more than once."""
        found = self._git.text(
            "log", "-1", "--diff-filter=A", "--no-renames", "--format=%H", self._commit(rev), "--", path
        )
        return found or None

    def export(self, rev: str, folder: Path) -> None:
        """The files of `rev` below `folder`, with nothing of git beside them. Links that lead out are refused."""
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(self._git.run("archive", "--format=tar", self._commit(rev)))) as archive:
            archive.extractall(folder, filter="data")

    def tree_of(self, rev: str) -> str:
        """The tree of the commit that `rev` names."""
        return self._git.text("rev-parse", "--verify", f"{self._commit(rev)}^{{tree}}")

    def merge_of(self, branch: str, into: str = "HEAD") -> tuple[str, str] | None:
        """The merge commit on the first-parent line of `into` that brought `branch` in as its second parent, and its
        message; None where it came in otherwise, or not at all."""
        sha = self._commit(branch)
        base = f"^{sha}"
        out = self._git.text("rev-list", "--first-parent", "--merges", "--parents", self._commit(into), base)
        for line in reversed(out.splitlines()):
            merge, *parents = line.split(" ")
            if parents[1:] == [sha]:
                return merge, self.show(merge).message
        return None

    def brought(self, author: str, folder: str, rev: str = "HEAD") -> tuple[Brought, ...]:
        """Commits on the first-parent line of `rev`, oldest first, that brought a commit of `author` (a mail address)
        or added a file below `folder`."""
        tip = self._commit(rev)
        line = self._git.text("rev-list", "--first-parent", "--reverse", tip).splitlines()
        commits: dict[str, list[str]] = {}
        paths: dict[str, list[str]] = {}
        for who in ("--author", "--committer"):
            theirs = self._git.text("log", "--fixed-strings", f"{who}=<{author}>", "--format=%H", tip).splitlines()
            for sha in theirs:
                commits.setdefault(self._brought_in(sha, line), []).append(sha)
        added = (
            "log",
            "--first-parent",
            "-m",
            "--diff-filter=A",
            "--name-only",
            "--no-renames",
            "--format=%x00%H",
            "-z",
        )
        known, at = set(line), ""
        # Each commit is told as an empty field, its name, then its paths; the first begins with a line end.
        for entry in self._git.entries(*added, tip, "--", folder):
            if entry in known:
                at = entry
            elif path := entry.lstrip("\n"):
                paths.setdefault(at, []).append(path)
        return tuple(
            Brought(sha, tuple(dict.fromkeys(commits.get(sha, ()))), tuple(sorted(paths.get(sha, ()))))
            for sha in line
            if sha in commits or sha in paths
        )

    def _brought_in(self, sha: str, line: Sequence[str]) -> str:
        """The first commit of the first-parent `line` that holds `sha`."""
        # Once it is in, it stays in: the first that has it is found by halving.
        return line[bisect.bisect_left(line, True, key=lambda at: self.merge_base(sha, at) == sha)]

    # --- writing --------------------------------------------------------------------------------

    def commit_files(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        message: str,
        *,
        base: str = "HEAD",
        author: Identity | None = None,
        renew: bool = False,
    ) -> str:
        """Write `files` (path to bytes, None = the file goes) as one commit on `branch`, and return its sha.

        A new branch starts at `base`; an existing one is continued, and with `renew` first brought up to `base`, so
        that files made by today's code do not stand among yesterday's. Where the branch already holds exactly
        these bytes nothing is written and its tip is returned. Author: `author`, else git's user, else the engine.
        Raises RepositoryError: bad branch or path, a branch somebody has checked out, a locked or moved ref.
        """
        self._check_branch(branch)
        if not files:
            raise RepositoryError(f"no files to commit on {branch!r}", "pass at least one path")
        old, start = self.tip(branch), self._commit(base)
        parents: tuple[str, ...] = (old or start,)
        if renew and old is not None and self.merge_base(old, start) != start:
            parents = (start,) if self.merge_base(old, start) == old else (old, start)
        tree = self._write_tree(parents[-1] if len(parents) == 1 else self._brought_up(branch, start), files)
        same = len(parents) == 1 and tree == self.tree_of(parents[0])
        sha = parents[0] if same else self._write_commit(tree, parents, message, author or self.user() or ENGINE)
        if sha != old:
            # The old value makes it a compare-and-swap; empty: the branch must not exist yet.
            about = message.strip().splitlines()[0] if message.strip() else "commit"
            self._git.run("update-ref", "-m", f"cws: {about}", f"refs/heads/{branch}", sha, old or "")
        return sha

    def _brought_up(self, branch: str, start: str) -> str:
        """The tree of `branch` merged with `start`; that of `start` where they conflict: the files come from today."""
        try:
            return self.preview_merge(branch) if start == self.head() else start
        except MergeConflictError:
            return start

    def preview_merge(self, branch: str) -> str:
        """The tree that merging `branch` into HEAD gives; nothing is changed. Raises MergeConflictError."""
        base, ours, theirs = self._shared("HEAD", branch), self.head(), self._commit(branch)
        with _scratch() as folder:
            index = folder / "index"
            self._git.run("read-tree", "-i", "-m", "--aggressive", base, ours, theirs, index=index)
            self._merge_contents(branch, folder, index)
            return self._git.text("write-tree", index=index)

    def merge(self, branch: str, message: str, human: Identity) -> str:
        """Merge `branch` into the checked-out branch as `human`'s no-ff commit; returns its sha.

        All or nothing: the merge commit is built beside the working tree, then taken by fast-forward.
        Raises RepositoryError: no human, detached HEAD, dirty tree, nothing to merge; MergeConflictError.
        """
        if not human.is_human:
            raise RepositoryError(f"{human} is no human, and only a human merges", "pass --by 'Name <name@host>'")
        target = self.current_branch
        if target is None:
            raise RepositoryError("HEAD is detached, the merge would belong to no branch", "git switch BRANCH")
        dirt = self.dirt()
        if dirt:
            raise RepositoryError(f"the working tree is not clean: {', '.join(dirt[:5])}", "commit or remove these")
        if self.is_merged(branch):
            raise RepositoryError(f"{branch!r} is already in {target!r}", "nothing is left to do")
        ours = self.head()
        sha = self._write_commit(self.preview_merge(branch), (ours, self._commit(branch)), message, human)
        self._git.run("merge", "--ff-only", "--no-verify-signatures", "--no-overwrite-ignore", "--no-stat", "-q", sha)
        return sha

    def undo_cut_off(self, branch: str) -> bool:
        """Take back what a merge of `branch` had written when it was killed: git's own locks, and files that hold what
        HEAD or the merge holds, or the beginning of it. Whether the working tree is clean now; where anything else is
        changed nothing is touched."""
        self._git.clear_dead("index", "HEAD", "ORIG_HEAD", *([f"refs/heads/{b}"] if (b := self.current_branch) else []))
        target = self.preview_merge(branch)
        merged = {c.path for c in self.tree_changes("HEAD", target)}
        entries = self._git.entries("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
        dirt = sorted({entry[3:] for entry in entries})
        if not set(dirt) <= merged:
            return False
        ours = {path: self.file_at("HEAD", path) for path in dirt}
        for path in dirt:
            there = (self.root / path).read_bytes() if (self.root / path).is_file() else None
            if there not in (None, ours[path]) and not (self.file_at(target, path) or b"").startswith(there or b""):
                return False
        if dirt:
            self._git.run("read-tree", "--reset", "HEAD")
        for path in dirt:
            content = ours[path]
            if content is not None:
                self._git.run("checkout-index", "--force", "--", path)
                continue
            (self.root / path).unlink(missing_ok=True)
            for folder in (f for f in (self.root / path).parents if f.is_relative_to(self.root) and f != self.root):
                with contextlib.suppress(OSError):  # not empty: others live there
                    folder.rmdir()
        return self.is_clean()

    def keep_rejected(self, branch: str) -> str:
        """Move `branch` out of the branches into refs/cws/rejected/, in one transaction; returns its commit."""
        sha = self.tip(branch)
        if sha is None:
            raise RepositoryError(f"there is no branch {branch!r}", "see `cws review list`")
        self._check_branch(branch)
        lines = f"start\nupdate {REJECTED}{branch} {sha}\ndelete refs/heads/{branch} {sha}\nprepare\ncommit\n"
        self._git.run("update-ref", "--stdin", stdin=lines.encode())
        return sha

    # --- parts ----------------------------------------------------------------------------------

    def _commit(self, rev: str) -> str:
        sha = self.resolve(rev)
        if sha is None and rev == "HEAD":
            raise RepositoryError(f"{self.root} has no commits", 'run `git add -A && git commit -m "start"` first')
        if sha is None:
            raise RepositoryError(f"there is no revision {rev!r}", "see `git branch --list`")
        return sha

    def _shared(self, one: str, other: str) -> str:
        base = self.merge_base(one, other)
        if base is None:
            raise RepositoryError(f"{other!r} shares no history with {one!r}", "branch from the checked-out branch")
        return base

    def _refs(self, prefix: str) -> dict[str, str]:
        lines = self._git.text("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {name.removeprefix(prefix): sha for sha, name in (line.split(" ", 1) for line in lines)}

    def _modes(self, rev: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
        """(mode, object) of those `paths` that are in the tree of `rev`."""
        found = {}
        for entry in self._git.entries("ls-tree", "-z", "--full-tree", rev, "--", *paths):
            head, path = entry.split("\t", 1)
            mode, _, sha = head.split(" ")
            found[path] = (mode, sha)
        return found

    def _check_branch(self, branch: str) -> None:
        try:
            self._git.run("check-ref-format", "--branch", branch)
        except RepositoryError as error:
            raise RepositoryError(f"{branch!r} is no name for a branch", "use letters, digits, - and /") from error
        if f"branch refs/heads/{branch}" in self._git.text("worktree", "list", "--porcelain").splitlines():
            raise RepositoryError(f"branch {branch!r} is checked out", "git switch to another branch first")

    def _write_tree(self, parent: str, files: Mapping[str, bytes | None]) -> str:
        """`parent`'s tree with `files` put in, by way of an index of its own. File modes are kept."""
        for path in files:
            _check_path(path)
        above = {str(folder) for path in files for folder in PurePosixPath(path).parents if str(folder) != "."}
        known = self._modes(parent, sorted({*files, *above}))
        for path in sorted({*files, *above}):
            expected = (FOLDER,) if path in above else (REGULAR, EXECUTABLE)
            if (path in above and path in files) or known.get(path, expected)[0] not in expected:
                raise RepositoryError(f"{path} is something else in git (folder, file, link)", "choose another path")
        lines = []
        for path in sorted(files):
            content = files[path]
            if content is None:
                lines.append(f"0 {'0' * len(parent)}\t{path}\0")
                continue
            blob = self._git.text("hash-object", "-w", "--stdin", "--no-filters", stdin=content)
            lines.append(f"{known.get(path, (REGULAR,))[0]} {blob}\t{path}\0")
        with _scratch() as folder:
            index = folder / "index"
            self._git.run("read-tree", parent, index=index)
            self._git.run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), index=index)
            return self._git.text("write-tree", index=index)

    def _write_commit(self, tree: str, parents: tuple[str, ...], message: str, who: Identity) -> str:
        # One moment, told as UTC: a forge that makes the commit again makes the same. Git's own variable may name it.
        when = os.environ.get("GIT_COMMITTER_DATE") or f"{int(time.time())} +0000"
        env = {
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
            "GIT_AUTHOR_NAME": who.name,
            "GIT_AUTHOR_EMAIL": who.mail,
            "GIT_COMMITTER_NAME": who.name,
            "GIT_COMMITTER_EMAIL": who.mail,
        }
        args = ("commit-tree", tree, *(a for p in parents for a in ("-p", p)), "--no-gpg-sign")
        return self._git.run(*args, stdin=f"{message.rstrip()}\n".encode(), env=env).decode().strip()

    def _merge_contents(self, branch: str, folder: Path, index: Path) -> None:
        """Settle the paths that both sides changed, line by line; MergeConflictError where they meet."""
        stages: dict[str, dict[str, tuple[str, str]]] = {}
        for entry in self._git.entries("ls-files", "--unmerged", "-z", index=index):
            head, path = entry.split("\t", 1)
            mode, sha, stage = head.split(" ")
            stages.setdefault(path, {})[stage] = (mode, sha)
        lines, conflicts = [], []
        for path, sides in sorted(stages.items()):
            merged = self._merge_file(folder, sides)
            if merged is None:
                conflicts.append(path)
                continue
            base_mode, our_mode, their_mode = (sides[s][0] for s in "123")
            lines.append(f"0 {'0' * len(sides['2'][1])}\t{path}\0")
            lines.append(f"{their_mode if our_mode == base_mode else our_mode} {merged}\t{path}\0")
        if conflicts:
            raise MergeConflictError(branch, tuple(conflicts))
        if lines:
            self._git.run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), index=index)

    def _merge_file(self, folder: Path, sides: Mapping[str, tuple[str, str]]) -> str | None:
        """The blob of a three-way merge, or None for a conflict (also: deleted or no text on a side)."""
        if set(sides) != set("123") or any(mode not in (REGULAR, EXECUTABLE) for mode, _ in sides.values()):
            return None
        for stage, (_, sha) in sides.items():
            (folder / stage).write_bytes(self._git.run("cat-file", "blob", sha))
        try:
            merged = self._git.run("merge-file", "-p", *(str(folder / stage) for stage in "213"))
        except RepositoryError:
            return None
        return self._git.text("hash-object", "-w", "--stdin", "--no-filters", stdin=merged)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cws-git-") as folder:
        yield Path(folder)


def _check_path(path: str) -> None:
    parts = path.split("/")
    bad = any(p in ("", ".", "..") or p.lower() == ".git" for p in parts) or "\0" in path or "\\" in path
    if bad:
        raise RepositoryError(f"{path!r} is no path inside the checkout", "use a relative path")
