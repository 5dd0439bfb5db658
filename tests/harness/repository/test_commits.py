"""Commits of the engine, on temporary repositories.

Invariants:
1. `commit_files` changes one ref and nothing else: working tree, index, HEAD, status stay as they were.
2. The same files on the same branch give the same commit; other bytes give a new one on top.
3. What is in git is the bytes that were given, whatever the user's configuration says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.repository import ENGINE, Identity, Repository, RepositoryError
from tests.harness.repository.checkouts import ADA, detached, git, snapshot, worktree


def test_a_commit_touches_only_its_branch(root: Path) -> None:
    (root / "a.txt").write_text("half-done work\n")
    (root / "b.txt").write_text("staged\n")
    git(root, "add", "b.txt")
    before = snapshot(root)
    index = (root / ".git" / "index").read_bytes()
    sha = Repository(root).commit_files("research/x", {"modules/x/run.py": b"pass\n", "a.txt": b"other\n"}, "Add x")
    after = snapshot(root)
    assert [line for line in after[0].splitlines() if "research/x" not in line] == before[0].splitlines()
    assert after[1:] == before[1:]
    assert (root / ".git" / "index").read_bytes() == index
    assert git(root, "show", f"{sha}:modules/x/run.py") == "pass"
    assert git(root, "rev-parse", "research/x^") == git(root, "rev-parse", "HEAD")


def test_the_same_files_give_the_same_commit_and_others_a_new_one(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("x", {"n": b"1"}, "one")
    assert repo.commit_files("x", {"n": b"1"}, "said differently") == first
    second = repo.commit_files("x", {"n": b"2"}, "two")
    assert repo.show(second).parents == (first,)
    assert repo.commit_files("same", {"a.txt": repo.file_at("HEAD", "a.txt") or b""}, "nothing") == repo.head()
    assert repo.tip("same") == repo.head()


def test_a_new_branch_starts_at_its_base(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("one", {"n": b"1"}, "one")
    second = repo.commit_files("two", {"m": b"2"}, "two", base="one")
    assert repo.show(second).parents == (first,)
    assert repo.changed_paths("HEAD", "two") == ("m", "n")
    assert repo.changed_paths("one", "two") == ("m",)
    assert repo.merge_base("HEAD", "two") == repo.head()


@pytest.mark.parametrize("data", [b"", b"\x00\xff\n", b"crlf\r\nlf\n", b"$Id$\n", b"no end"])
def test_bytes_come_back_as_given(root: Path, data: bytes) -> None:
    git(root, "config", "core.autocrlf", "true")
    git(root, "config", "core.safecrlf", "true")
    (root / ".gitattributes").write_text("* text=auto eol=lf ident\n")
    repo = Repository(root)
    repo.commit_files("x", {"f.bin": data}, "bytes")
    assert repo.file_at("x", "f.bin") == data
    assert repo.file_at("x", "absent") is None


def test_who_signs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    assert repo.user() is None
    assert repo.show(repo.commit_files("engine", {"n": b"1"}, "m")).author == ENGINE
    git(root, "config", "user.name", ADA.name)
    git(root, "config", "user.email", ADA.mail)
    assert repo.user() == ADA
    assert repo.show(repo.commit_files("human", {"n": b"1"}, "m")).author == ADA
    assert repo.show(repo.commit_files("given", {"n": b"1"}, "m", author=ENGINE)).author == ENGINE
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
    assert repo.user() == Identity("Grace", "grace@example.org")


@pytest.mark.parametrize(
    "name, mail", [("cws engine", "a@b.c"), ("x", "engine@cws.invalid"), ("x", "ENGINE@cws.invalid")]
)
def test_the_engine_is_no_human(root: Path, name: str, mail: str) -> None:
    git(root, "config", "user.name", name)
    git(root, "config", "user.email", mail)
    assert Repository(root).user() is None


@pytest.mark.parametrize("text", ["", "Ada", "ada@x.org", "<ada@x.org>", "Ada <ada>", "Ada\n<a@b>", "A <a@b> <c@d>"])
def test_not_a_person(text: str) -> None:
    with pytest.raises(RepositoryError, match="Name <name@host>"):
        Identity.parse(text)


def _interfere(root: Path) -> None:
    hooks = root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "pre-commit",
        "commit-msg",
        "reference-transaction",
        "pre-merge-commit",
        "post-merge",
        "prepare-commit-msg",
    ):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    for key, value in {
        "commit.gpgsign": "true",
        "gpg.program": "/bin/false",
        "merge.ff": "false",
        "merge.verifySignatures": "true",
        "core.editor": "/bin/false",
        "status.showUntrackedFiles": "no",
        "diff.noprefix": "true",
        "log.showSignature": "true",
        "i18n.commitEncoding": "latin1",
        "core.quotePath": "true",
    }.items():
        git(root, "config", key, value)


def test_a_users_hooks_and_settings_do_not_interfere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    _interfere(root)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    sha = repo.commit_files("x", {"größe.txt": b"1"}, "Größe")
    assert repo.show(sha).message == "Größe"
    assert repo.changed_paths("HEAD", "x") == ("größe.txt",)
    (root / "untracked").write_text("")
    assert repo.dirt() == ("untracked",)
    (root / "untracked").unlink()
    merged = repo.merge("x", "Merge", ADA)
    assert repo.show(merged).author == ADA
    assert (root / "größe.txt").read_bytes() == b"1"


@pytest.mark.parametrize("place", [detached, worktree], ids=["detached", "worktree"])
def test_other_checkouts(root: Path, place: Callable[[Path], Path]) -> None:
    there = place(root)
    repo = Repository(there)
    before = snapshot(there)[1:]
    sha = repo.commit_files("x", {"n": b"1"}, "m")
    assert (repo.tip("x"), snapshot(there)[1:]) == (sha, before)
    assert git(root, "rev-parse", "x") == sha


def test_file_modes_are_kept(root: Path) -> None:
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x")
    repo = Repository(root)
    repo.commit_files("x", {"run.sh": b"#!/bin/sh\nexit\n"}, "m")
    assert [(c.old_mode, c.new_mode, c.status) for c in repo.changes("HEAD", "x")] == [("100755", "100755", "M")]
