"""Branches of the engine: rejected ones are kept elsewhere, renewed ones stand on today's base."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.repository import Repository, RepositoryError
from tests.harness.repository.checkouts import ADA, git


def test_a_rejected_branch_is_kept_elsewhere(root: Path) -> None:
    repo = Repository(root)
    sha = repo.commit_files("supervisor/1", {"n": b"1"}, "m")
    assert repo.keep_rejected("supervisor/1") == sha
    assert (repo.branches("supervisor/"), repo.rejected()) == ({}, {"supervisor/1": sha})
    with pytest.raises(RepositoryError, match="no branch"):
        repo.keep_rejected("supervisor/1")
    again = repo.commit_files("supervisor/1", {"n": b"2"}, "m")
    assert repo.keep_rejected("supervisor/1") == again == repo.rejected()["supervisor/1"]


def test_a_renewed_branch_stands_on_todays_base(root: Path) -> None:
    repo = Repository(root)
    old = repo.commit_files("research/x", {"x.py": b"uses = 1\n"}, "x", renew=True)
    assert repo.commit_files("research/x", {"x.py": b"uses = 1\n"}, "x", renew=True) == old  # nothing moved
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-q", "--allow-empty", "-m", "b")
    (root / "a.txt").write_text("today\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    new = repo.commit_files("research/x", {"x.py": b"uses = 2\n"}, "x again", renew=True)
    assert repo.show(new).parents == (old, repo.head())
    assert repo.file_at("research/x", "a.txt") == b"today\n"
    assert repo.changed_paths("HEAD", "research/x") == ("x.py",)


def test_a_renewed_branch_keeps_what_a_human_added(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("research/x", {"x.py": b"1\n"}, "x", renew=True)
    repo.commit_files("research/x", {"note.md": b"mine\n"}, "a note", author=ADA)
    (root / "a.txt").write_text("today\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    repo.commit_files("research/x", {"x.py": b"2\n"}, "x again", renew=True)
    assert repo.file_at("research/x", "note.md") == b"mine\n"
    assert repo.file_at("research/x", "a.txt") == b"today\n"


def test_a_renewed_branch_that_conflicts_is_made_of_today(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("research/x", {"a.txt": b"theirs\n"}, "x", renew=True)
    (root / "a.txt").write_text("ours\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    repo.commit_files("research/x", {"x.py": b"2\n"}, "x again", renew=True)
    assert repo.file_at("research/x", "a.txt") == b"ours\n"
    assert repo.file_at("research/x", "x.py") == b"2\n"
