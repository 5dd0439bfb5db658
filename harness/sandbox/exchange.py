"""Files to and from a container, as archives. What comes out was named by a stranger: it is read, never unpacked."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from harness.sandbox.inside.collect import Collected, speakable, take
from harness.sandbox.port import MIB, TEMPORARY, WORK, Limits


def pack(files: Mapping[str, bytes], owner: int) -> bytes:
    """An archive of the files and their folders, all of `owner`."""
    out = io.BytesIO()
    folders = {TEMPORARY} | {str(p) for path in files for p in PurePosixPath(path).parents} - {"."}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in sorted(folders):
            entry = _entry(folder, owner, 0o755)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for path, body in files.items():
            entry = _entry(path, owner, 0o644)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return out.getvalue()


def _entry(path: str, owner: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.uid = entry.gid = owner
    entry.mode = mode
    return entry


def unpack(chunks: Iterable[bytes], given: Mapping[str, bytes], limits: Limits) -> Collected:
    """The regular files of an archive of the scratch folder that are new or changed, as `collect` does on a folder.

    A file with holes is small where it lies and large in an archive, so the bytes read are bounded too.
    """
    found = Collected()
    most = limits.scratch_bytes + limits.scratch_files * 2048 + limits.collected_bytes + MIB
    try:
        with tarfile.open(fileobj=_Stream(chunks, most), mode="r|") as archive:  # type: ignore[call-overload]
            for entry in archive:
                _consider(archive, entry, given, limits, found)
    except (tarfile.TarError, EOFError) as error:
        found.leave("", f"the rest: {error}")
    return found


def _consider(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, given: Mapping[str, bytes], limits: Limits, found: Collected
) -> None:
    top, _, path = entry.name.partition("/")
    if f"/{top}" != WORK:
        found.leave(ascii(entry.name)[:200], "not in the scratch folder")
        return
    if not path or path == TEMPORARY or path.startswith(f"{TEMPORARY}/") or entry.isdir():
        return
    if not speakable(path):
        found.leave(ascii(path)[:200], "a name that cannot be printed, climbs, or is too deep")
    elif entry.issym() or entry.islnk():
        found.leave(path, "a link")
    elif not entry.isreg():
        found.leave(path, "not a plain file")
    else:
        take(
            path,
            entry.size,
            lambda: _body(archive, entry),
            given,
            limits.collected_files,
            limits.collected_bytes,
            found,
        )


def _body(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes | None:
    stream = archive.extractfile(entry)
    return None if stream is None else stream.read(entry.size)


class _Stream:
    """Chunks as a file that can only be read on; ends the reading after `most` bytes."""

    def __init__(self, chunks: Iterable[bytes], most: int) -> None:
        self._chunks = iter(chunks)
        self._held = b""
        self._left = most

    def read(self, size: int) -> bytes:
        while len(self._held) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._left -= len(chunk)
            if self._left < 0:
                raise EOFError("it is more than the folder can hold, so there are files with holes")
            self._held += chunk
        body, self._held = self._held[:size], self._held[size:]
        return body
