"""Gaps on disk: one file below a run's folder, believed only if it is whole and of this run's bits.

runs/<run id>/gap.json   the gap, with its digest and the digest of the run it belongs to
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from harness.vector.gap import Gap
from modules.artifacts import StoreError, write_whole
from modules.canonical import digest_json
from modules.manifest import Manifest, RunError

FILE = "gap.json"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class _Entry:
    run_digest: str
    digest: str
    gap: Gap


_ENTRY = TypeAdapter(_Entry)
_GAP = TypeAdapter(Gap)


def _digest(gap: Gap) -> str:
    return digest_json(_GAP.dump_python(gap, mode="json"))


class GapStore:
    """`root` is the folder of the manifests (`Workspace.runs`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, run_id: str) -> Path:
        """Where the gap of a run lies."""
        return self.root / run_id / FILE

    def save(self, manifest: Manifest, gap: Gap) -> Path:
        """Write whole or not at all. Raises StoreError where the disk does not take it."""
        path = self.path(manifest.run_id)
        entry = _Entry(manifest.digest, _digest(gap), gap)
        try:
            write_whole(path, _ENTRY.dump_json(entry, indent=1) + b"\n")
        except OSError as error:
            raise StoreError(f"gap of run {manifest.run_id}", path.parent, error) from error
        return path

    def load(self, manifest: Manifest) -> Gap | None:
        """The last gap of a run, None where there is none. Raises RunError where it was changed or is of other bits."""
        path = self.path(manifest.run_id)
        remedy = f"run `cws gap {manifest.run_id}` again"
        try:
            entry = _ENTRY.validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise RunError(f"gap {path} cannot be read ({type(error).__name__}); {remedy}") from error
        if _digest(entry.gap) != entry.digest:
            raise RunError(f"gap {path} does not give its digest: it was changed; {remedy}")
        if entry.run_digest != manifest.digest:
            raise RunError(f"gap {path} is of other bits ({entry.run_digest[:12]}); {remedy}")
        return entry.gap
