"""What is refused: a bad name, a bad path, a lock, a race, no repository. Every ref and file is left as it was."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from harness.repository import Repository, RepositoryError
from tests.harness.repository.checkouts import git, snapshot, worktree


@pytest.mark.parametrize(
    "path",
    ["", "/etc/x", "../x", "a/../../x", ".git/config", "sub/.GIT/x", "a//b", "a/./b", "a\\b", "a/", "a\0b", "a.txt/b"],
)
def test_bad_paths(root: Path, path: str) -> None:
    before = snapshot(root)
    with pytest.raises(RepositoryError, match=r"choose another path|relative path"):
        Repository(root).commit_files("x", {path: b"1"}, "m")
    assert snapshot(root) == before


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "a.lock", "x~1", "@{-1}", "refs/heads/../x", "HEAD"])
def test_bad_branches(root: Path, branch: str) -> None:
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="no name for a branch"):
        Repository(root).commit_files(branch, {"n": b"1"}, "m")
    assert snapshot(root) == before


def test_a_link_is_not_written_through(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x")
    for path in ("link", "link/passwd"):
        with pytest.raises(RepositoryError, match="something else in git"):
            Repository(root).commit_files("x", {path: b"1"}, "m")
    assert Repository(root).file_at("HEAD", "link") is None


def test_a_folder_is_not_replaced_by_a_file(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"d/e": b"1"}, "m")
    for files in ({"d": b"1"}, {"d/e/f": b"1"}, {"q": b"1", "q/r": b"2"}):
        with pytest.raises(RepositoryError, match="something else in git"):
            repo.commit_files("x", files, "m")


def test_a_checked_out_branch_is_left_alone(root: Path) -> None:
    repo = Repository(root)
    for branch in ("main", "side"):
        if branch == "side":
            worktree(root)
        with pytest.raises(RepositoryError, match="checked out"):
            repo.commit_files(branch, {"n": b"1"}, "m")


def test_locked_ref(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("x", {"n": b"1"}, "m")
    lock = root / ".git" / "refs" / "heads" / "x.lock"
    lock.touch()
    with pytest.raises(RepositoryError, match=r"(?s)locked.*remedy: .*delete the [.]lock"):
        repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.tip("x") == first
    lock.unlink()
    second = repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.show(second).parents == (first,)


def test_the_lock_of_a_dead_process_is_removed_and_a_living_one_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only on branches that nobody but the engine writes: whoever was killed while it moved one left its lock."""
    repo = Repository(root)
    lock = root / ".git" / "refs" / "heads" / "supervisor" / "x.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (time.time() - 11.0,) * 2)
    assert repo.tip("supervisor/x") is None
    first = repo.commit_files("supervisor/x", {"a": b"1"}, "one")
    assert repo.tip("supervisor/x") == first and not lock.exists()

    monkeypatch.setattr("harness.plumbing.DEAD_SECONDS", 1e6)  # only its holder lets this one go
    lock.touch()
    letting_go = threading.Timer(0.3, lock.unlink)
    letting_go.start()
    second = repo.commit_files("supervisor/x", {"a": b"2"}, "two")
    assert repo.tip("supervisor/x") == second

    monkeypatch.setattr("harness.plumbing.DEAD_SECONDS", 0.2)
    lock.touch()
    os.utime(lock, (time.time() + 1e6,) * 2)  # by a clock that is ahead: not known to be dead
    with pytest.raises(RepositoryError, match="locked"):
        repo.commit_files("supervisor/x", {"a": b"3"}, "three")
    assert lock.exists() and repo.tip("supervisor/x") == second


def test_a_branch_that_moves_meanwhile_is_not_overwritten(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    other = Repository(root)
    real = Repository._write_commit

    def slow(self: Repository, *args: object) -> str:
        sha = real(self, *args)  # type: ignore[arg-type]
        monkeypatch.setattr(Repository, "_write_commit", real)
        other.commit_files("x", {"n": b"theirs"}, "m")
        return sha

    monkeypatch.setattr(Repository, "_write_commit", slow)
    with pytest.raises(RepositoryError, match=r"moved in the meantime.*try again"):
        repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.file_at("x", "n") == b"theirs"


def test_a_name_in_the_way(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("supervisor", {"n": b"1"}, "m")
    with pytest.raises(RepositoryError, match="in the way"):
        repo.commit_files("supervisor/1", {"n": b"1"}, "m")


def test_not_a_repository(tmp_path: Path, root: Path) -> None:
    (root / "sub").mkdir()
    for folder in (tmp_path / "home", tmp_path / "absent", root / "sub"):
        with pytest.raises(RepositoryError, match=r"not a git repository.*git init"):
            Repository(folder)
    git(tmp_path, "init", "-q", "--bare", "bare")
    with pytest.raises(RepositoryError, match="bare"):
        Repository(tmp_path / "bare")


def test_no_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "new")
    repo = Repository(tmp_path / "new")
    for act in (repo.head, lambda: repo.commit_files("x", {"n": b"1"}, "m")):
        with pytest.raises(RepositoryError, match=r"no commits.*git commit"):
            act()


def test_a_damaged_repository_is_not_called_empty(root: Path) -> None:
    (root / ".git" / "HEAD").write_text("garbage\n")
    with pytest.raises(RepositoryError) as caught:
        Repository(root).head()
    assert "no commits" not in str(caught.value)


def test_a_crash_before_the_ref_moves_leaves_git_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    before = snapshot(root)
    run = type(repo._git).run
    for dies_at in ("hash-object", "read-tree", "update-index", "write-tree", "commit-tree", "update-ref"):

        def dying(self: object, *args: str, dies_at: str = dies_at, **kwargs: object) -> bytes:
            if args[0] == dies_at:
                raise KeyboardInterrupt
            return run(self, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(type(repo._git), "run", dying)
        with pytest.raises(KeyboardInterrupt):
            repo.commit_files("x", {"n": b"1"}, "m")
        monkeypatch.setattr(type(repo._git), "run", run)
        assert snapshot(root) == before
    git(root, "fsck", "--strict")
