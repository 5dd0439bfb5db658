"""The build that risk core and runner must share: the digest of the committed tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """`name` names the committed tree; `dirt` are paths that differ from it."""

    name: str
    dirt: tuple[str, ...]


def build_of(root: Path) -> Build:
    """The build of a checkout. Raises RepositoryError where it is none."""
    from harness.repository import Repository

    repo = Repository(root)
    dirt = repo.dirt()
    return Build(repo.tree_of("HEAD") + ("+changed" if dirt else ""), dirt)
