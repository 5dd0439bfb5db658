"""The file layer: every call by which the ledger changes the disk, so that a test can put a failing one there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path


class Disk:
    """The operating system's files. All methods raise OSError."""

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        """A file descriptor, closed on exec."""
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def close(self, fd: int) -> None:
        """Close a descriptor (and drop its lock)."""
        os.close(fd)

    def write(self, fd: int, data: bytes) -> int:
        """Bytes taken, which may be fewer than given."""
        return os.write(fd, data)

    def datasync(self, fd: int) -> None:
        """Return when the file's data, and the length needed to read it, survive a power cut."""
        os.fdatasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(fd, size)

    def reserve(self, fd: int, start: int, size_bytes: int) -> None:
        """Make the file at least `start + size_bytes` long, with zeros, so that writes into it need no new blocks."""
        os.posix_fallocate(fd, start, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over the target, atomically."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the file if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's entries (new files, renames) survive a power cut."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_folder(self, folder: Path, mode: int = 0o755) -> None:
        """Create the folder and its missing parents, each durable in its parent."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(mode=mode, exist_ok=True)
        self.sync_folder(folder.parent)


def write_all(disk: Disk, fd: int, data: bytes) -> None:
    """Write everything, however the system splits it."""
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, bytes(view)) :]


def staged_path(path: Path) -> Path:
    """Where the next content of `path` is written before it is renamed over it."""
    return path.with_name(f".{path.name}.new")


def stage_file(disk: Disk, path: Path, data: bytes, mode: int = 0o644) -> Path:
    """A durable temporary file beside `path`, ready to be renamed over it. The caller holds the ledger's lock."""
    staged = staged_path(path)
    fd = disk.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(disk, fd, data)
        disk.datasync(fd)
    finally:
        disk.close(fd)
    return staged


def replace_file(disk: Disk, path: Path, data: bytes, mode: int = 0o644) -> None:
    """The file holds either its old or its new content at every moment, and the new one once this returns."""
    disk.replace(stage_file(disk, path, data, mode), path)
    disk.sync_folder(path.parent)


@contextlib.contextmanager
def locked(fd: int, how: int, timeout_seconds: float) -> Iterator[None]:
    """Hold `flock(fd, how)` (LOCK_EX or LOCK_SH). Raises TimeoutError when another process does not let go in time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"locked by another process for {timeout_seconds:g} s") from None
            time.sleep(0.0005)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
