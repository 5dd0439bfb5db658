"""The artifact store: panels and tables, named by the digest of their canonical bytes."""

from __future__ import annotations

import json
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modules.canonical import Artifact, digest_artifact
from modules.panel import Panel


class ArtifactError(RuntimeError):
    """An artifact that is absent, or whose bytes no longer give its name."""


class ArtifactStore:
    """Content-addressed files below `root`. Writing the same content twice writes nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _stem(self, digest: str) -> Path:
        return self.root / digest[:2] / digest[2:]

    def find(self, digest: str) -> Path | None:
        """The file that holds `digest`, or None."""
        stem = self._stem(digest)
        for suffix in (".npz", ".parquet"):
            path = stem.with_name(stem.name + suffix)
            if path.exists():
                return path
        return None

    def has(self, digest: str) -> bool:
        """Whether the store holds `digest`."""
        return self.find(digest) is not None

    def put(self, artifact: Artifact) -> str:
        """Store and return the digest. Readers see the whole file or none of it."""
        digest = digest_artifact(artifact)
        if self.has(digest):
            return digest
        suffix = ".npz" if isinstance(artifact, Panel) else ".parquet"
        stem = self._stem(digest)
        target = stem.with_name(stem.name + suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            with draft.open("wb") as file:
                if isinstance(artifact, Panel):
                    names = json.dumps({"symbols": artifact.symbols, "fields": sorted(artifact.fields)})
                    arrays: dict[str, Any] = {
                        f"f{i}": artifact.fields[k] for i, k in enumerate(sorted(artifact.fields))
                    }
                    header = np.frombuffer(names.encode(), dtype=np.uint8)
                    np.savez(file, allow_pickle=False, names=header, ts=artifact.ts, **arrays)
                else:
                    artifact.write_parquet(file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return digest

    def get(self, digest: str) -> Artifact:
        """Read and verify. Raises ArtifactError where the file is missing or gives another digest."""
        path = self.find(digest)
        if path is None:
            raise ArtifactError(f"artifact {digest[:12]} is not in {self.root}; re-run what made it")
        artifact: Artifact
        try:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as file:
                    names = json.loads(file["names"].tobytes().decode())
                    fields = {k: file[f"f{i}"] for i, k in enumerate(names["fields"])}
                    artifact = Panel(file["ts"], tuple(names["symbols"]), fields)
            else:
                artifact = pl.read_parquet(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
            raise ArtifactError(f"artifact {digest[:12]} cannot be read ({error}); delete {path} and re-run") from error
        found = digest_artifact(artifact)
        if found != digest:
            raise ArtifactError(
                f"artifact {digest[:12]} now has digest {found[:12]}: its file was changed; delete {path} and re-run"
            )
        return artifact
