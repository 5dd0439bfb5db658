"""Disks that fail as disks do."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from traces.disk import Disk


@dataclass
class FullDisk(Disk):
    """Takes `room` bytes into files that are open for append; then writes are cut short, and the next one fails.

    `stuck`: nothing can be taken back either.
    """

    room: int = 10**9
    stuck: bool = False
    _appends: set[int] = field(default_factory=set)

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        fd = super().open(path, flags, mode)
        self._appends.discard(fd)
        if flags & os.O_APPEND:
            self._appends.add(fd)
        return fd

    def write(self, fd: int, data: bytes) -> int:
        if fd not in self._appends:
            return super().write(fd, data)
        if self.room <= 0 and data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(fd, data[: self.room])
        self.room -= taken
        return taken

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
