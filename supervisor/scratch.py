"""Where a look leaves its artifacts: in memory, over what the workspace's store holds, and gone with the look.

A look's answer is in the ledger; its weights and fills are of no further use, and writing them costs more than they do.
"""

from __future__ import annotations

from pathlib import Path

from modules.artifacts import ArtifactStore, Kind
from modules.canonical import Artifact, digest_artifact
from modules.panel import Panel


class ScratchStore(ArtifactStore):
    """Reads what the store below holds, and what is known of stages there; what is put stays here."""

    lasting = False

    def __init__(self, below: ArtifactStore) -> None:
        super().__init__(below.root)
        self._below = below
        self._held: dict[str, Artifact] = {}

    def find(self, digest: str) -> Path | None:
        """The file below, if there is one."""
        return self._below.find(digest)

    def has(self, digest: str) -> bool:
        """Whether it was put here or lies below."""
        return digest in self._held or self._below.has(digest)

    def kind(self, digest: str) -> Kind | None:
        """Whether `digest` is a panel or a table; None where it is neither here nor below."""
        held = self._held.get(digest)
        if held is None:
            return self._below.kind(digest)
        return "panel" if isinstance(held, Panel) else "table"

    def put(self, artifact: Artifact) -> str:
        """Hold and return the digest."""
        digest = digest_artifact(artifact)
        self._held[digest] = artifact if isinstance(artifact, Panel) else artifact.clone()
        return digest

    def get(self, digest: str) -> Artifact:
        """What was put here, else what lies below. Raises ArtifactError."""
        held = self._held.get(digest)
        if held is None:
            return self._below.get(digest)
        return held if isinstance(held, Panel) else held.clone()
