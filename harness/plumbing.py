"""One way to call git: with the user's interference switched off, and its refusals turned into remedies.

A user's hooks, signing, line-ending filters and replace refs are meant for a human's commits; here they
would make the same files give different commits, or run code in the middle of a commit.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from git.exc import GitCommandError

ENGINE_MAIL = "engine@cws.invalid"

_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.fsync=committed",
    "commit.gpgsign=false",
    "gc.auto=0",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
)
_IDENTITY = re.compile(r"[ \t]*(?P<name>[^<>\r\n\0]*[^<>\s\0])[ \t]*<(?P<mail>[^<>@\s\0]+@[^<>@\s\0]+)>[ \t]*")

_OWN = re.compile(r"(?:the )?(?:cws|engine|supervisor)(?:[ _-]+(?:cws|engine|supervisor|bot))*")
"""Names of the engine and its parts."""
_ROBOT = re.compile(r"\[bot\]|(?:^|[^a-z])bot(?:$|[^a-z])|^github-actions\b|^dependabot\b|^renovate\b", re.IGNORECASE)
"""As robot accounts are written; a person whose name is so gives another mail or a fuller name."""

# What git says, what we say, and the remedy; the first pattern that is found counts.
_REFUSALS = (
    (r"is at \w+ but expected", "the branch moved in the meantime", "try again"),
    (r"reference already exists", "the branch was made in the meantime", "try again"),
    (
        r"exists; cannot create",
        "another branch's name is in the way (git keeps branches as files and folders)",
        "rename or delete that branch",
    ),
    (
        r"\.lock'?: File exists",
        "git is locked",
        "let the other git command end; if none runs, delete the .lock file named",
    ),
    (r"dubious ownership", "the checkout belongs to another user", "run as its owner, or set git's safe.directory"),
    (
        r"would be overwritten|not uptodate",
        "files in the working tree are in the way",
        "move them away, then try again",
    ),
    (r"[Pp]ermission denied|[Rr]ead-only file system", "the checkout cannot be written", "give this user write access"),
    (r"No space left", "the disk is full", "free some space, then try again"),
    (r"bad object|unable to read|corrupt|not a valid object", "an object is missing or damaged", "run `git fsck`"),
)


DEAD_SECONDS = 10.0
"""Git holds the lock of a branch for milliseconds. One that stood for so long belongs to a process that was killed."""

_LOCKED = re.compile(r"Unable to create '(?P<lock>[^'\n]+\.lock)': File exists")
_OURS = ("supervisor", "research", "promotion", "rollback", "module")
"""Branches that only the engine writes: nobody else's lock is ever removed."""


class RepositoryError(RuntimeError):
    """Git could not do it; the message says what, why and the remedy. `status`: git's exit code, if it ran."""

    def __init__(self, what: str, remedy: str, status: int | None = None) -> None:
        self.remedy = remedy
        self.status = status
        super().__init__(f"{what}; remedy: {remedy}")


@dataclass(frozen=True)
class Identity:
    """A name and a mail address, as git writes them."""

    name: str
    mail: str

    def __str__(self) -> str:
        return f"{self.name} <{self.mail}>"

    @property
    def is_human(self) -> bool:
        """Whether this may be a person's name: not the engine's, not a robot account's, and something to read."""
        robot = _ROBOT.search(self.name) or _ROBOT.search(self.mail.partition("@")[0])
        plain = all(c.isprintable() and not unicodedata.category(c).startswith("C") for c in self.name + self.mail)
        readable = any(c.isalpha() for c in self.name)
        reserved = self.mail.lower().endswith(".invalid")
        return plain and readable and not (self.is_engine or reserved or robot)

    @property
    def is_engine(self) -> bool:
        """Whether this is the engine's own name, which never stands for a human."""
        name = unicodedata.normalize("NFKC", self.name).strip().lower()
        return self.mail.lower() == ENGINE_MAIL or bool(_OWN.fullmatch(name))

    @classmethod
    def parse(cls, text: str) -> Identity:
        """From `Name <mail>`; RepositoryError where it is not that."""
        found = _IDENTITY.fullmatch(text)
        if found is None:
            raise RepositoryError(f"{text!r} is not a person", "write it as 'Name <name@host>'")
        return cls(found["name"].strip(), found["mail"])


ENGINE = Identity("cws engine", ENGINE_MAIL)


class GitCommand:
    """Runs git on one checkout, whatever `GIT_*` the caller's environment holds (a hook's, for one).

    `root` must be the top of a working tree; RepositoryError where it is not, or git is not installed.
    """

    def __init__(self, root: Path) -> None:
        try:
            import git  # imported here: it takes 0.2 s, and fails where there is no git
        except ImportError as error:
            raise RepositoryError("git is not installed", "install git and put it on the PATH") from error
        try:
            self._repo = git.Repo(root, search_parent_directories=False)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
            remedy = 'clone it, or run `git init && git add -A && git commit -m "start"` there'
            raise RepositoryError(f"{root} is not a git repository", remedy) from error
        if self._repo.bare or self._repo.working_tree_dir is None:
            raise RepositoryError(f"{root} is a bare repository", "use a clone that has a working tree")
        self.root = Path(self._repo.working_tree_dir)
        self._git_dir = Path(self._repo.git_dir).resolve()
        self._common = Path(self._repo.common_dir).resolve()  # of all work trees: where branches are

    def run(
        self, *args: str, stdin: bytes = b"", index: Path | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Standard output of `git args`. `index` replaces the real index. RepositoryError on any refusal."""
        settings = {
            "GIT_DIR": str(self._git_dir),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(index or self._git_dir / "index"),
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            **(env or {}),
        }
        command = ["git", *(part for setting in _CONFIG for part in ("-c", setting)), *args]
        try:
            return self._execute(command, args, stdin, settings)
        except RepositoryError as error:
            if args[0] != "update-ref" or not self._cleared(str(error)):
                raise
            return self._execute(command, args, stdin, settings)

    def _execute(self, command: list[str], args: tuple[str, ...], stdin: bytes, settings: Mapping[str, str]) -> bytes:
        from git.exc import GitCommandError

        with tempfile.TemporaryFile() as feed:
            feed.write(stdin)
            feed.seek(0)
            try:
                out = self._repo.git.execute(
                    command, istream=feed, stdout_as_string=False, strip_newline_in_stdout=False, env=dict(settings)
                )
            except GitCommandError as error:
                raise _explain(args, error) from error
        assert isinstance(out, bytes)
        return out

    def _cleared(self, said: str) -> bool:
        """Whether the lock that git complains of is gone: let go by whoever held it, or removed because its holder is
        dead. Only locks of the engine's own branches are removed."""
        found = _LOCKED.search(said)
        lock = Path(found["lock"]) if found else None
        ours = [*(self._common / "refs" / "heads" / name for name in _OURS), self._common / "refs" / "cws"]
        if lock is None or not any(lock.resolve().is_relative_to(folder) for folder in ours):
            return False
        patience = time.monotonic() + 2 * DEAD_SECONDS
        while time.monotonic() < patience:
            try:
                age = time.time() - lock.stat().st_mtime
            except FileNotFoundError:
                return True
            if age >= DEAD_SECONDS:
                lock.unlink(missing_ok=True)
                return True
            time.sleep(0.05)
        return False

    def clear_dead(self, *names: str) -> None:
        """Remove git's locks of these files, where they have stood for so long that their holder must be dead."""
        for name in names:
            for folder in (self._git_dir, self._common):
                lock = folder / f"{name}.lock"
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - lock.stat().st_mtime >= DEAD_SECONDS:
                        lock.unlink()

    def text(self, *args: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """Standard output as text without the last line end."""
        return self.run(*args, stdin=stdin, index=index).decode("utf-8", "replace").rstrip("\n")

    def entries(self, *args: str, index: Path | None = None) -> list[str]:
        """Standard output of a `-z` command, split at its zero bytes."""
        return [e for e in self.run(*args, index=index).decode("utf-8", "surrogateescape").split("\0") if e]

    def ask(self, *args: str) -> str | None:
        """Standard output, or None where git has no answer (it exits 1 without a word)."""
        try:
            return self.text(*args) or None
        except RepositoryError as error:
            if error.status != 1:
                raise
            return None


def _explain(args: tuple[str, ...], error: GitCommandError) -> RepositoryError:
    said = str(error.stderr or "").strip().removeprefix("stderr: ").strip("' \n")
    status = error.status if isinstance(error.status, int) else None
    for pattern, what, remedy in _REFUSALS:
        if re.search(pattern, said):
            return RepositoryError(f"{what} (git {args[0]}: {said})", remedy, status)
    what = f"git {args[0]} failed: {said or 'no reason given'}"
    return RepositoryError(what, "run `git status` and `git fsck`", status)
