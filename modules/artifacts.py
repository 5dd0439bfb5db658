"""The artifact store: panels and tables, named by the digest of their canonical bytes.

    root/ab/cdef….npz | .parquet   a panel | a table
    root/ab/cdef….sum              SHA-256 of that file, written after it

The sum is checked before the file is parsed: a parquet file with one byte turned can end the whole
process in its reader, where no handler helps. A file without its sum is not there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from modules.canonical import Artifact, digest_artifact
from modules.panel import Panel

Kind = Literal["panel", "table"]

_KINDS: dict[str, Kind] = {".npz": "panel", ".parquet": "table"}
_SUM_LENGTH = 64


class ArtifactError(RuntimeError):
    """An artifact that is absent, or whose bytes no longer give its name."""


class StoreError(ArtifactError):
    """The store cannot be written: full, read-only, or not a folder. Nothing was left half-written."""

    remedy = "free space on its disk or mend its permissions, or set CWS_HOME to a folder you may write, and re-run"

    def __init__(self, what: str, root: Path, error: OSError) -> None:
        super().__init__(f"{what} cannot be written below {root} ({error.strerror or error}); {self.remedy}")


class ArtifactStore:
    """Content-addressed files below `root`. Writing the same content twice writes nothing."""

    lasting = True
    """Whether what is stored outlives the process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, digest: str) -> Path | None:
        """The file that holds `digest`, or None."""
        for suffix in _KINDS:
            path = self.root / digest[:2] / f"{digest[2:]}{suffix}"
            if path.exists() and _recorded_sum(path):
                return path
        return None

    def has(self, digest: str) -> bool:
        """Whether the store holds `digest`."""
        return self.find(digest) is not None

    def kind(self, digest: str) -> Kind | None:
        """Whether `digest` is a panel or a table; None where the store does not hold it."""
        path = self.find(digest)
        return None if path is None else _KINDS[path.suffix]

    def put(self, artifact: Artifact) -> str:
        """Store and return the digest. Readers see the whole file or none of it; a spoiled file is replaced.

        Raises StoreError where the disk does not take it.
        """
        digest = digest_artifact(artifact)
        self.write(artifact, digest)
        return digest

    def write(self, artifact: Artifact, digest: str) -> None:
        """Store `artifact`, whose digest is `digest`. Raises StoreError."""
        path = self.find(digest)
        if path is not None and _sum(path.read_bytes()) == _recorded_sum(path):
            return
        content = _panel_bytes(artifact) if isinstance(artifact, Panel) else _table_bytes(artifact)
        suffix = ".npz" if isinstance(artifact, Panel) else ".parquet"
        target = self.root / digest[:2] / f"{digest[2:]}{suffix}"
        try:
            write_whole(target, content)
            write_whole(target.with_suffix(".sum"), _sum(content).encode())
        except OSError as error:
            raise StoreError(f"artifact {digest[:12]}", self.root, error) from error

    def get(self, digest: str) -> Artifact:
        """Read and verify. Raises ArtifactError where the file is missing or gives another digest."""
        path = self.find(digest)
        if path is None:
            raise ArtifactError(f"artifact {digest[:12]} is not in {self.root}; re-run what made it")
        remedy = f"delete {path} and re-run"
        try:
            content = path.read_bytes()
            if _sum(content) != _recorded_sum(path):
                raise ArtifactError(f"artifact {digest[:12]}: its file was changed or cut short; {remedy}")
            artifact = _read_panel(content) if path.suffix == ".npz" else pl.read_parquet(io.BytesIO(content))
            found = digest_artifact(artifact)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, pl.exceptions.PolarsError) as e:
            raise ArtifactError(f"artifact {digest[:12]} cannot be read ({e}); {remedy}") from e
        if found != digest:
            raise ArtifactError(f"artifact {digest[:12]} now has digest {found[:12]}: its file was changed; {remedy}")
        return artifact


class PassingStore(ArtifactStore):
    """Artifacts in memory, gone with the process: for what must leave no file behind."""

    lasting = False

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))
        self._held: dict[str, Artifact] = {}

    def has(self, digest: str) -> bool:
        """Whether it was put here."""
        return digest in self._held

    def find(self, digest: str) -> Path | None:
        """No file: nothing here has one."""
        return None

    def kind(self, digest: str) -> Kind | None:
        """Whether `digest` is a panel or a table; None where it was not put here."""
        held = self._held.get(digest)
        return None if held is None else "panel" if isinstance(held, Panel) else "table"

    def put(self, artifact: Artifact) -> str:
        """Hold and return the digest."""
        digest = digest_artifact(artifact)
        self._held[digest] = artifact
        return digest

    def get(self, digest: str) -> Artifact:
        """What was put here. Raises ArtifactError for anything else."""
        if digest not in self._held:
            raise ArtifactError(f"artifact {digest[:12]} was never put into this store")
        return self._held[digest]


class HoldingStore(ArtifactStore):
    """A store that keeps what it read or wrote last in memory, up to `most_bytes`: runs that share stages share their
    artifacts. Nobody can change one: panels are read-only, and each reader gets a table of its own over the same
    columns."""

    def __init__(self, root: Path, most_bytes: int = 256 * 2**20) -> None:
        super().__init__(root)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._held: dict[str, Artifact] = {}

    def put(self, artifact: Artifact) -> str:
        """See ArtifactStore. What is held was written, or found whole, by this store."""
        digest = digest_artifact(artifact)
        if digest in self._held and self.find(digest) is not None:
            return digest
        self.write(artifact, digest)
        self._hold(digest, artifact)
        return digest

    def get(self, digest: str) -> Artifact:
        """See ArtifactStore."""
        held = self._held.get(digest)
        if held is None:
            held = super().get(digest)
            self._hold(digest, held)
        return held if isinstance(held, Panel) else held.clone()

    def _hold(self, digest: str, artifact: Artifact) -> None:
        size = _size(artifact)
        if digest in self._held or size > self._most_bytes:
            return
        while self._bytes + size > self._most_bytes:
            oldest = next(iter(self._held))
            self._bytes -= _size(self._held.pop(oldest))
        self._held[digest] = artifact if isinstance(artifact, Panel) else artifact.clone()
        self._bytes += size


def _size(artifact: Artifact) -> int:
    if isinstance(artifact, Panel):
        return artifact.ts.nbytes + sum(field.nbytes for field in artifact.fields.values())
    return int(artifact.estimated_size())


def write_whole(target: Path, content: bytes) -> None:
    """Make `target` hold `content` on disk, whole or not at all. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _recorded_sum(path: Path) -> str:
    """The sum beside `path`; empty where it is not there or not whole."""
    try:
        text = path.with_suffix(".sum").read_text("ascii")
    except (OSError, ValueError):
        return ""
    return text if len(text) == _SUM_LENGTH else ""


def _panel_bytes(panel: Panel) -> bytes:
    names = sorted(panel.fields)
    header = json.dumps({"symbols": panel.symbols, "fields": names})
    arrays: dict[str, Any] = {f"f{i}": panel.fields[k] for i, k in enumerate(names)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, names=np.frombuffer(header.encode(), dtype=np.uint8), ts=panel.ts, **arrays)
    return buffer.getvalue()


def _read_panel(content: bytes) -> Panel:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        names = json.loads(file["names"].tobytes().decode())
        fields = {k: file[f"f{i}"] for i, k in enumerate(names["fields"])}
        return Panel(file["ts"], tuple(names["symbols"]), fields)


def _table_bytes(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()
