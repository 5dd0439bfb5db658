"""Git as a user runs it, and everything of a checkout that a foreign operation must not change."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.repository import Identity

ADA = Identity("Ada Byron", "ada@example.org")


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def snapshot(root: Path) -> tuple[str, ...]:
    """Everything that a failed or foreign operation must not change."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and ".git/" not in str(p))
    return (
        git(root, "for-each-ref"),
        git(root, "status", "--porcelain"),
        git(root, "rev-parse", "HEAD"),
        git(root, "ls-files", "--stage"),
        *(f"{p}:{p.read_bytes()!r}" for p in files),
    )


def detached(root: Path) -> Path:
    git(root, "checkout", "-q", "--detach")
    return root


def worktree(root: Path) -> Path:
    git(root, "worktree", "add", "-q", "-b", "side", str(root.parent / "side"))
    return root.parent / "side"
