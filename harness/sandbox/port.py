"""The sandbox port: a job in, an outcome out, and nothing else crosses.

Inside, every sandbox looks the same: the job's files lie in `/work`, which is the working directory, the home and the
only place that can be written (with `/tmp`, which is on the same quota); `python` is an interpreter with this project's
libraries; folders of `Job.shown` are read-only below `/shown`; there is no network, no other process and no variable
of our environment. Nothing outlives the job.

An outcome is what the program did and says. A program that we did not write can print and return anything, so an
exit code of 0 is its claim; what it left in `Outcome.files` is data, never to be imported or unpickled here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from harness.sandbox.inside.places import TEMPORARY, WORK

__all__ = [
    "MIB", "SHOWN", "TEMPORARY", "WORK", "Job", "JobError", "LeftOut", "Limits", "NoSandboxError", "Outcome", "Reason",
    "Sandbox", "SandboxError", "Usage", "check_path",
]  # fmt: skip

MIB = 1 << 20
SHOWN = "/shown"
LONGEST_PATH = 400
LONGEST_COMMAND = 100_000
DEEPEST_PATH = 24
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LOADER = ("LD_", "GLIBC_", "MALLOC_")


class SandboxError(RuntimeError):
    """The sandbox itself failed: nothing is known of what the program would have done."""


class NoSandboxError(SandboxError):
    """No sandbox works here, so the code is refused. The text says why for each, and what would help."""


class JobError(ValueError):
    """A job that cannot be stated: field, value, rule, remedy."""


class Reason(StrEnum):
    """Why the program ended. Where several hold, the first one listed is given."""

    TIMEOUT = "timeout"  # the wall clock ran out
    MEMORY = "memory"  # all its processes together held more than was allowed
    OUTPUT = "output"  # it printed more than was allowed
    CPU = "cpu"  # one process of it used up its processor time
    KILLED = "killed"  # a signal that no limit explains: a crash, or a call that kills
    EXITED = "exited"  # by itself; `exit_code` is what it returned


@dataclass(frozen=True)
class Limits:
    """What a job may use; all of it together unless the name says otherwise."""

    timeout_s: float = 60.0
    cpu_s: int = 60  # of one process
    cpus: int = 1
    memory_bytes: int = 1024 * MIB
    processes: int = 64  # threads count
    scratch_bytes: int = 64 * MIB
    scratch_files: int = 4096
    file_bytes: int = 32 * MIB  # of one file
    open_files: int = 256  # of one process
    output_bytes: int = MIB  # of standard output, and of standard error
    collected_files: int = 256
    collected_bytes: int = 16 * MIB

    def __post_init__(self) -> None:
        for f in fields(self):
            low, high = _BOUNDS[f.name]
            value = getattr(self, f.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise JobError(f"limits.{f.name} = {value!r}: must lie in {low} to {high}")


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "timeout_s": (0.1, 3600),
    "cpu_s": (1, 3600),
    "cpus": (1, 64),
    "memory_bytes": (64 * MIB, 64 * 1024 * MIB),
    "processes": (1, 512),
    "scratch_bytes": (MIB, 4096 * MIB),
    "scratch_files": (16, 100_000),
    "file_bytes": (4096, 4096 * MIB),
    "open_files": (32, 4096),
    "output_bytes": (1024, 64 * MIB),
    "collected_files": (0, 10_000),
    "collected_bytes": (0, 256 * MIB),
}


@dataclass(frozen=True)
class Job:
    """A program and its files.

    `files` are relative posix paths and bytes; `argv[0]` is found on the sandbox's PATH (`python`) or is a path in it.
    `shown` are folders of this machine, by the name under `/shown` at which the program may read them: name only what
    any stranger may read.
    """

    files: Mapping[str, bytes]
    argv: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    stdin: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.argv or not all(isinstance(a, str) and "\0" not in a for a in self.argv) or not self.argv[0]:
            raise JobError(f"argv = {self.argv!r}: at least a program's name, each a text without NUL")
        words = (*self.argv, *self.environment, *self.environment.values())
        if sum(len(word.encode("utf-8", "replace")) for word in words) > LONGEST_COMMAND:
            raise JobError(f"argv, environment: more than {LONGEST_COMMAND} bytes; give long texts as files or stdin")
        for path in self.files:
            check_path(path)
        folders = {str(p) for path in self.files for p in PurePosixPath(path).parents}
        both = sorted(folders & set(self.files))
        if both:
            raise JobError(f"files: {both[0]!r} is a file and a folder of another; rename one")
        total = sum(len(body) for body in self.files.values()) + len(self.stdin)
        if total > self.limits.scratch_bytes or len(self.files) + len(folders) > self.limits.scratch_files:
            raise JobError(
                f"files, stdin: {len(self.files)} of {total} bytes do not fit limits.scratch_files ="
                f" {self.limits.scratch_files} and limits.scratch_bytes = {self.limits.scratch_bytes}; raise these"
            )
        for name, value in self.environment.items():
            if not _NAME.fullmatch(name) or name.startswith(_LOADER) or "\0" in value:
                raise JobError(f"environment: {name!r} is not a variable's name or belongs to the loader; drop it")
        for name, folder in self.shown.items():
            if not _NAME.fullmatch(name):
                raise JobError(f"shown: {name!r} is not a name of letters, digits and _; it is one folder's name")
            if not folder.is_absolute() or not folder.is_dir():
                raise JobError(f"shown[{name!r}] = {str(folder)!r}: must be an absolute path of a folder that exists")


def check_path(path: str) -> None:
    """Raises JobError unless `path` is relative, stays inside, and is spelt in the one canonical way."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts) and path.isprintable() and "\\" not in path
    if not plain or len(path.encode("utf-8", "replace")) > LONGEST_PATH or len(parts) > DEEPEST_PATH:
        raise JobError(
            f"files: {path[:80]!r} must be a relative path with / between names, without . or .. or what cannot be"
            f" printed, at most {LONGEST_PATH} bytes and {DEEPEST_PATH} folders deep"
        )
    if parts[0] == TEMPORARY:
        raise JobError(
            f"files: {path[:80]!r} lies in {TEMPORARY}, which is the program's folder for temporary files; move it"
        )


@dataclass(frozen=True)
class Usage:
    """What the job took, as far as the sandbox can tell (peaks are sampled)."""

    wall_s: float  # of the program
    start_s: float  # from the call to the program's first instruction, and clearing up
    cpu_s: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class LeftOut:
    """Something in the scratch folder that was not brought back."""

    path: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """`exit_code` is 128 + the signal's number where a signal ended the program.

    `files` are the regular files that are new or whose bytes changed; links, devices, unreadable names and what is
    beyond the limits are named in `left_out` (at most 16, then a count) and never followed or opened.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    files: Mapping[str, bytes]
    left_out: tuple[LeftOut, ...]
    reason: Reason
    usage: Usage

    @property
    def ok(self) -> bool:
        return self.reason is Reason.EXITED and self.exit_code == 0


class Sandbox(Protocol):
    """One way to run a job. Every implementation passes tests/harness/sandbox."""

    @property
    def name(self) -> str: ...

    @property
    def gives(self) -> str:
        """What it isolates and limits here, for people."""
        ...

    def run(self, job: Job) -> Outcome:
        """Raises SandboxError when the sandbox, not the program, failed."""
        ...
