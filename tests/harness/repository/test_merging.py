"""Only a merge by a named human moves the checked-out branch; one that is refused leaves all as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.repository import ENGINE, MergeConflictError, Repository, RepositoryError
from tests.harness.repository.checkouts import ADA, detached, git, snapshot


def _advance(root: Path, path: str, text: str) -> None:
    (root / path).write_text(text)
    git(root, "add", path)
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "advance")


def test_a_merge_has_two_parents_and_the_humans_name(root: Path) -> None:
    repo = Repository(root)
    tip = repo.commit_files("x", {"n": b"1"}, "m")
    start = repo.head()
    sha = repo.merge("x", "Merge x\n\nReviewed-by: Ada", ADA)
    commit = repo.show(sha)
    assert (commit.parents, commit.author, repo.head(), repo.current_branch) == ((start, tip), ADA, sha, "main")
    assert git(root, "show", "-s", "--format=%cn <%ce>") == str(ADA)
    assert git(root, "show", "-s", "--format=%(trailers:key=Reviewed-by,valueonly)").strip() == "Ada"
    assert repo.is_clean()
    repo.commit_files("y", {"m": b"1"}, "m")
    assert repo.merged_branches() == {"main", "x"}
    assert repo.merged_branches("x", into="y") == {"x"}
    with pytest.raises(RepositoryError, match="already in"):
        repo.merge("x", "again", ADA)


def test_both_sides_may_change_one_file_in_different_lines(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"a.txt": b"ONE\ntwo\nthree\nfour\nfive\n"}, "m")
    _advance(root, "a.txt", "one\ntwo\nthree\nfour\nFIVE\n")
    repo.merge("x", "m", ADA)
    assert (root / "a.txt").read_text() == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert repo.is_clean()


def test_a_conflict_changes_nothing(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"a.txt": b"ONE\n", "fine": b"1"}, "m")
    _advance(root, "a.txt", "uno\n")
    before = snapshot(root)
    with pytest.raises(MergeConflictError, match=r"a\.txt") as caught:
        repo.merge("x", "m", ADA)
    assert caught.value.paths == ("a.txt",)
    assert snapshot(root) == before
    assert not (root / ".git" / "MERGE_HEAD").exists()


@pytest.mark.parametrize("how", ["changed", "staged", "untracked"])
def test_a_dirty_tree_takes_no_merge(root: Path, how: str) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    (root / ("b.txt" if how == "untracked" else "a.txt")).write_text("mine\n")
    if how == "staged":
        git(root, "add", "-A")
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="not clean"):
        repo.merge("x", "m", ADA)
    assert snapshot(root) == before


def test_an_ignored_file_is_never_overwritten(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {".cws/state": b"theirs"}, "m")
    (root / ".cws").mkdir()
    (root / ".cws" / "state").write_text("mine")
    before = snapshot(root)
    assert repo.is_clean()
    with pytest.raises(RepositoryError, match="in the way"):
        repo.merge("x", "m", ADA)
    assert snapshot(root) == before


def test_the_engine_merges_nothing(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="only a human merges"):
        repo.merge("x", "m", ENGINE)
    assert snapshot(root) == before


def test_unrelated_history(root: Path) -> None:
    repo = Repository(root)
    tree = git(root, "rev-parse", "HEAD^{tree}")
    orphan = git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-m", "orphan")
    git(root, "branch", "orphan", orphan)
    with pytest.raises(RepositoryError, match="no history"):
        repo.merge("orphan", "m", ADA)


def test_a_detached_head_takes_no_merge(root: Path) -> None:
    repo = Repository(detached(root))
    repo.commit_files("x", {"n": b"1"}, "m")
    with pytest.raises(RepositoryError, match="detached"):
        repo.merge("x", "m", ADA)
