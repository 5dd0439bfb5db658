"""The kill switch: a file that survives everything, and that says "killed" wherever it cannot be read.

`cws kill` writes it whether or not a risk core runs; a running one looks at it before each order. Only a named human's
reset opens it again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from traces.disk import Disk, replace_file

NAME: Final = "latch.json"


class Latched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the latch stands. `flatten`: what is held is to be closed, and stay so until the reset."""

    killed: bool
    by: str
    reason: str
    at_ns: int
    flatten: bool = False

    @property
    def sentence(self) -> str:
        """By whom, and why."""
        return f"{self.by}: {self.reason}" + (" (flatten)" if self.flatten else "")


class LatchError(OSError):
    """The latch could not be written; what it says then is what it said before."""


class Latch:
    """The latch of one account, in its folder."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.path = folder / NAME
        self._disk = disk or Disk()
        self._name = os.fspath(self.path)
        self._seen: tuple[int, int] = (-1, -1)

    def exists(self) -> bool:
        """Whether there is one. A missing latch beside a journal is a killed one."""
        return self.path.exists()

    def changed(self) -> bool:
        """Whether the file is another than at the last `read`, or cannot be seen. One system call."""
        try:
            now = os.stat(self._name)  # noqa: PTH116 - before each order
        except OSError:
            return True
        return (now.st_ino, now.st_mtime_ns) != self._seen

    def read(self) -> Latched:
        """How it stands. A file that is missing or says nothing clear is a killed latch."""
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                state = msgspec.json.decode(file.read(1 << 20), type=Latched)
        except (OSError, msgspec.MsgspecError) as error:
            self._seen = (-1, -1)
            return Latched(True, "the latch", f"{NAME} cannot be read ({error}); reset it to go on", 0)
        self._seen = (found.st_ino, found.st_mtime_ns)
        return state

    def kill(self, by: str, reason: str, at_ns: int, *, flatten: bool) -> Latched:
        """Latch, durably before this returns; what was latched to be flat stays so. Raises LatchError."""
        before = self.read() if self.exists() else None
        keep = before is not None and before.killed and before.flatten
        return self._write(Latched(True, by, reason, at_ns, flatten or keep))

    def open(self, by: str, reason: str, at_ns: int) -> Latched:
        """Open, durably. Raises LatchError."""
        return self._write(Latched(False, by, reason, at_ns))

    def _write(self, state: Latched) -> Latched:
        try:
            self._disk.make_folder(self.path.parent, mode=0o700)
            replace_file(self._disk, self.path, msgspec.json.encode(state) + b"\n", mode=0o600)
        except OSError as error:
            raise LatchError(f"{self.path} was not written: {error.strerror}") from error
        return state
