"""What a run leaves behind: per stage the digests of everything that went in and came out."""

from __future__ import annotations

import functools
import os
import platform
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from modules.canonical import digest_mapping
from modules.contract import Stage
from modules.task import Task

# The libraries whose arithmetic reaches an output.
FINGERPRINTED = ("numpy", "numba", "llvmlite", "polars", "scipy", "pyarrow")


class RunError(LookupError):
    """A run that is not there, or whose manifest cannot be read."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StageRecord(_Record):
    """One stage of one run. `digest` covers the outputs; metrics are read from them."""

    stage: Stage
    module: str
    code_digest: str
    settings: dict[str, JsonValue]
    settings_digest: str
    skills: dict[str, str]
    inputs: dict[str, str]
    outputs: dict[str, str]
    digest: str
    seconds: float
    cached: bool
    metrics: dict[str, float]
    notes: tuple[str, ...]


class Manifest(_Record):
    """One travel of one task through the pipeline."""

    run_id: str
    task: Task
    task_digest: str
    stages: tuple[StageRecord, ...]
    metrics: dict[str, float]
    environment: dict[str, str]
    started_ns: int
    seconds: float

    @property
    def digest(self) -> str:
        """Digest of all outputs of all stages: the bits of the run."""
        return digest_mapping({s.stage: s.digest for s in self.stages})

    def stage(self, name: str) -> StageRecord:
        """The record of one stage. Raises RunError where the run stopped before it."""
        for record in self.stages:
            if record.stage == name:
                return record
        raise RunError(f"run {self.run_id} has no stage {name}; it has {', '.join(s.stage for s in self.stages)}")

    def output(self, artifact: str) -> str:
        """Digest of an output artifact by name. Raises RunError where no stage wrote it."""
        for record in self.stages:
            if artifact in record.outputs:
                return record.outputs[artifact]
        have = sorted(a for s in self.stages for a in s.outputs)
        raise RunError(f"run {self.run_id} has no artifact {artifact}; it has {', '.join(have)}")


@functools.cache
def _installed() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in FINGERPRINTED)


def environment() -> dict[str, str]:
    """What could change bits between machines. Recorded, and shown where two runs differ."""
    found = dict(_installed())
    found["python"] = platform.python_version()
    found["machine"] = platform.machine()
    found["libc"] = "-".join(platform.libc_ver())
    return found


class ManifestStore:
    """Manifests as JSON files, one a run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, manifest: Manifest) -> None:
        """Write whole or not at all."""
        self.root.mkdir(parents=True, exist_ok=True)
        draft = self.root / f".{manifest.run_id}.{uuid.uuid4().hex}"
        with draft.open("w") as file:
            file.write(manifest.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.root / f"{manifest.run_id}.json")

    def load(self, run: str) -> Manifest:
        """By run id, by any unambiguous beginning of one, or `last`. Raises RunError."""
        ids = sorted(p.stem for p in self.root.glob("*.json")) if self.root.is_dir() else []
        if not ids:
            raise RunError("there are no runs yet; make one with `cws run`")
        matches = [ids[-1]] if run == "last" else [i for i in ids if i == run] or [i for i in ids if i.startswith(run)]
        if len(matches) != 1:
            what = "is not a run" if not matches else f"fits {len(matches)} runs: {', '.join(matches[:5])}"
            raise RunError(f"{run!r} {what}; `cws runs` lists them")
        path = self.root / f"{matches[0]}.json"
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise RunError(
                f"manifest {path} cannot be read: {error.error_count()} fields are off; delete it"
            ) from error

    def __iter__(self) -> Iterator[Manifest]:
        """Newest first."""
        for path in sorted(self.root.glob("*.json"), reverse=True):
            yield self.load(path.stem)
