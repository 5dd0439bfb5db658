"""Brings back what a program left in its scratch folder: regular files only, within limits, no link followed.

Runs when nothing of the program lives any more. File names, depth and sizes are the program's, so each is bounded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from harness.sandbox.inside.places import TEMPORARY

DEEPEST = 24
NAMED = 16


class Collected:
    """Files by path; and the first of those left out, with the number of the others."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.left_out: list[tuple[str, str]] = []
        self.uncounted = 0
        self.size = 0

    def leave(self, path: str, why: str) -> None:
        if len(self.left_out) < NAMED:
            self.left_out.append((path, why))
        else:
            self.uncounted += 1

    def report(self) -> tuple[tuple[str, str], ...]:
        more = [("", f"and {self.uncounted} more")] if self.uncounted else []
        return tuple(self.left_out + more)


def collect(folder: int, given: Mapping[str, bytes], most_files: int, most_bytes: int) -> Collected:
    """Files below the open directory `folder` that are not, byte for byte, in `given`."""
    found = Collected()
    for path, parent, name, info in _walk(folder, "", 0, found):
        size = info.st_size
        take(path, size, partial(_read, parent, name, size), given, most_files, most_bytes, found)
    return found


def speakable(path: str) -> bool:
    """Whether the path is text that can be printed, stays below where it starts, and is not too deep."""
    parts = path.split("/")
    climbs = any(part in ("", ".", "..") for part in parts) or "\\" in path
    return (
        path.isprintable() and not climbs and len(parts) <= DEEPEST and not any("\ud800" <= c <= "\udfff" for c in path)
    )


def take(
    path: str,
    size: int,
    read: Callable[[], bytes | None],
    given: Mapping[str, bytes],
    most_files: int,
    most_bytes: int,
    found: Collected,
) -> None:
    """One regular file of `size` bytes: kept if new or changed and within the limits. Not read if it cannot be kept."""
    unchanged = path in given and len(given[path]) == size
    fits = len(found.files) < most_files and found.size + size <= most_bytes
    if not fits and not unchanged:
        found.leave(path, f"{size} bytes; {most_files} files of {most_bytes} bytes together may come back")
        return
    body = read()
    if body is None:
        found.leave(path, "could not be read as a plain file")
    elif given.get(path) == body:
        return
    elif fits:
        found.files[path] = body
        found.size += len(body)
    else:
        found.leave(path, f"{size} bytes; {most_files} files of {most_bytes} bytes together may come back")


def _walk(folder: int, prefix: str, depth: int, found: Collected) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """Regular files in order of name, with their folder still open."""
    for name in sorted(os.listdir(folder), key=os.fsencode):
        path = prefix + name
        if not prefix and name == TEMPORARY:
            continue
        if not speakable(path):
            found.leave(ascii(path)[:200], "a name that cannot be printed")
            continue
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(info.st_mode):
            yield path, folder, name, info
        elif not stat.S_ISDIR(info.st_mode):
            found.leave(path, "a link" if stat.S_ISLNK(info.st_mode) else "not a plain file")
        elif depth + 1 >= DEEPEST:
            found.leave(path, f"more than {DEEPEST} folders deep")
        else:
            yield from _below(folder, name, path + "/", depth + 1, found)


def _below(
    folder: int, name: str, prefix: str, depth: int, found: Collected
) -> Iterator[tuple[str, int, str, os.stat_result]]:
    try:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        found.leave(prefix, "a folder that cannot be opened")
        return
    try:
        yield from _walk(inner, prefix, depth, found)
    finally:
        os.close(inner)


def _read(parent: int, name: str, size: int) -> bytes | None:
    """The file's bytes; None if it is not what it was or cannot be opened."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    except OSError:
        return None
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        return stream.read(size)
