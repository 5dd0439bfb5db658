"""Disks that fail as disks do."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from traces.disk import Disk


@dataclass
class FullDisk(Disk):
    """Has `room` bytes for a journal's log.

    `reserves`: the room goes when it is reserved; else the file system cannot reserve, and writes are cut short.
    `stuck`: nothing can be taken back either.
    """

    room: int = 10**9
    stuck: bool = False
    reserves: bool = False
    _logs: set[int] = field(default_factory=set)

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        fd = super().open(path, flags, mode)
        self._logs.discard(fd)
        if path.name == "orders.jsonl":
            self._logs.add(fd)
        return fd

    def write(self, fd: int, data: bytes) -> int:
        if self.reserves or fd not in self._logs:
            return super().write(fd, data)
        if self.room <= 0 and data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(fd, data[: self.room])
        self.room -= taken
        return taken

    def reserve(self, fd: int, start: int, size_bytes: int) -> None:
        if not self.reserves:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        if size_bytes > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= size_bytes
        super().reserve(fd, start, size_bytes)

    def truncate(self, fd: int, size: int) -> None:
        if self.stuck:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        super().truncate(fd, size)


@dataclass
class ForgetfulDisk(Disk):
    """A sync that fails loses what it was to keep, and the next one succeeds as if nothing had been: as kernels do."""

    path: Path
    fails: int = 0
    synced: bytes = b""

    def datasync(self, fd: int) -> None:
        if Path(f"/proc/self/fd/{fd}").readlink() != self.path:
            return super().datasync(fd)
        now = self.path.read_bytes()
        if self.fails > 0:
            self.fails -= 1
            with self.path.open("r+b") as file:
                file.seek(len(self.synced))
                file.write(bytes(len(now) - len(self.synced)))
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().datasync(fd)
        self.synced = now
