"""What a run leaves behind: per stage the digests of everything that went in and came out."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import zoneinfo
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from modules.artifacts import StoreError, write_whole
from modules.canonical import digest_mapping
from modules.contract import Stage
from modules.task import Task

# The libraries whose arithmetic, sorting, calendars or reading reaches an output.
FINGERPRINTED = ("numpy", "numba", "llvmlite", "polars", "polars-runtime-32", "scipy", "pyarrow", "exchange-calendars")
# Switches that choose other machine code for the same source. Recorded where they are set.
SWITCHES = (
    "GLIBC_TUNABLES",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_DISABLE_JIT",
    "NUMBA_OPT",
    "PYTHONTZPATH",
)
_PROCESSOR_FLAGS = ("fma", "avx2", "avx512f", "asimd")


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
def _fixed() -> dict[str, str]:
    found = {}
    for name in FINGERPRINTED:
        with contextlib.suppress(PackageNotFoundError):  # a library that is not there computes nothing
            found[name] = version(name)
    found["python"] = platform.python_version()
    found["machine"] = platform.machine()
    found["processor"] = _processor()
    found["libc"] = "-".join(platform.libc_ver())
    found["tzdata"] = _time_zones()
    return found


def _processor() -> str:
    """What the processor can do that mathematics libraries choose their code by."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    flags = next((set(line.split()) for line in lines if line.lower().startswith(("flags", "features"))), set())
    return " ".join(f for f in _PROCESSOR_FLAGS if f in flags)


def _time_zones() -> str:
    """Release of the time zone database that `zoneinfo` reads."""
    for folder in zoneinfo.TZPATH:
        with contextlib.suppress(OSError, IndexError), (Path(folder) / "tzdata.zi").open() as file:
            return file.readline().split()[-1]
    with contextlib.suppress(PackageNotFoundError):
        return version("tzdata")
    return ""


def environment() -> dict[str, str]:
    """What could change bits between machines. Recorded, shown where two runs differ, and part of what a stage
    is remembered under: what one library computed is not taken for what another would."""
    return _fixed() | {name: os.environ[name] for name in SWITCHES if os.environ.get(name)}


class ManifestStore:
    """Manifests as JSON files, one a run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, manifest: Manifest) -> None:
        """Write whole or not at all; on disk when this returns. Raises StoreError where the disk does not take it."""
        try:
            write_whole(self.root / f"{manifest.run_id}.json", manifest.model_dump_json(indent=1).encode())
            _sync(self.root)
        except OSError as error:
            raise StoreError(f"manifest of run {manifest.run_id}", self.root, error) from error

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
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise RunError(
                f"manifest {path} cannot be read: {error.error_count()} fields are off, first {where}: {first['msg']}; "
                "it was cut short or changed; delete it"
            ) from error

    def __iter__(self) -> Iterator[Manifest]:
        """Newest first."""
        for path in sorted(self.root.glob("*.json"), reverse=True):
            yield self.load(path.stem)


def _sync(folder: Path) -> None:
    """Make the names in `folder` durable: a rename alone may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
