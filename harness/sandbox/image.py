"""The image that containers run: this interpreter, the packages that modules need, their shared objects. No registry.

Its tag is a digest of what goes into it, so another version of a package is another image. It holds no command of the
system, no shell and no file of this project.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import io
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.sandbox.elf import needed
from harness.sandbox.port import MIB, TEMPORARY, WORK, SandboxError
from harness.sandbox.view import INTERPRETER, PYTHON, VENV, interpreter_view, system_view

if TYPE_CHECKING:
    from docker import DockerClient

NAME = "cws-sandbox"
KEPT = 3
FORMAT = 1  # another layout of the image is another number
# What code of a module and its tests may import; what these need comes with them.
PACKAGES = (
    "cryptography", "dataframely", "duckdb", "exchange-calendars", "hypothesis", "numba", "numpy", "polars", "pyarrow",
    "pydantic", "pytest", "pyyaml", "scipy",
)  # fmt: skip
_OMITTED = ("test", "tests", "idlelib", "ensurepip", "turtledemo", "tkinter", "site-packages", "config-3")
_LIBRARY_FOLDERS = ("/lib/{m}", "/usr/lib/{m}", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


def ensure(client: DockerClient) -> str:
    """The image's tag, built first where the engine does not have it (tens of seconds, once)."""
    wanted = tag()
    if not exists(client):
        with _one_builder():
            if not exists(client):
                _import(client, wanted)
    return wanted


@contextmanager
def _one_builder() -> Iterator[None]:
    """One builder at a time on this machine: a second import of the same would leave the first without a name."""
    path = Path(tempfile.gettempdir()) / f"{NAME}-{os.geteuid()}.lock"
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def exists(client: DockerClient) -> bool:
    return bool(client.api.images(name=tag(), quiet=True))


@cache
def tag() -> str:
    """`cws-sandbox:DIGEST` of the interpreter, the packages with their versions, and this layout."""
    parts = [str(FORMAT), sys.version, *(f"{d.metadata['Name']}=={d.version}" for d in distributions())]
    parts += [f"{path}:{source.stat().st_size}" for source, path in interpreter_view().trees if source.is_file()]
    return f"{NAME}:{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:16]}"


@cache
def distributions() -> tuple[importlib.metadata.Distribution, ...]:
    """PACKAGES and all they need, by name."""
    from packaging.requirements import Requirement

    found: dict[str, importlib.metadata.Distribution] = {}
    todo = list(PACKAGES)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            raise SandboxError(
                f"docker: the package {name} is not installed here; install the project first"
            ) from error
        for text in found[name].requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return tuple(found[name] for name in sorted(found))


def _import(client: DockerClient, wanted: str) -> None:
    repository, _, version = wanted.partition(":")
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _fill(archive)
        file.seek(0)
        # In pieces, so that it is sent as it is read; the client's own way of sending a stream garbles it.
        client.api.import_image_from_data(iter(lambda: file.read(MIB), b""), repository=repository, tag=version)
    _forget_old(client)


def _forget_old(client: DockerClient) -> None:
    """Images of other versions, but for the newest few: another checkout may be at work with one."""
    from docker.errors import APIError

    for old in sorted(client.api.images(name=NAME), key=lambda found: found["Created"], reverse=True)[KEPT:]:
        try:
            client.api.remove_image(old["Id"])
        except APIError:
            continue  # it is in use, or another has just removed it


def _fill(archive: tarfile.TarFile) -> None:
    taken: dict[str, Path] = {}
    for source, path in _files():
        taken.setdefault(path, source)
    folders = {str(parent) for path in taken for parent in PurePosixPath(path).parents} | {WORK, f"{WORK}/{TEMPORARY}"}
    for folder in sorted(folders - {"/"}):
        _folder(archive, folder)
    view = interpreter_view()
    for target, path in (*system_view().links, *view.links, (f"{WORK}/{TEMPORARY}", "/tmp")):
        if path not in taken:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    for path, text in view.texts:
        body = text.encode()
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode = len(body), 0o644
        archive.addfile(entry, io.BytesIO(body))
    for path, source in taken.items():
        entry = archive.gettarinfo(str(source), arcname=path.lstrip("/"))
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.mode & 0o100 else 0o644
        entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", source.stat().st_size
        with source.open("rb") as body_file:
            archive.addfile(entry, body_file)


def _folder(archive: tarfile.TarFile, path: str) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(entry)


def _files() -> Iterator[tuple[Path, str]]:
    """(file here, path in the image): the interpreter, its library, the packages, the shared objects they need."""
    asked: set[str] = set()
    for source, path in (*_interpreter_files(), *_package_files()):
        yield source, path
        if ".so" in source.name or path == INTERPRETER:
            asked |= set(needed(source))
    todo, done = sorted(asked), set(asked)
    folders = [Path(folder.format(m=f"{sys.implementation._multiarch}")) for folder in _LIBRARY_FOLDERS]
    while todo:
        name = todo.pop()
        places = [Path(name)] if name.startswith("/") else [folder / name for folder in folders]
        place = next((p for p in places if p.is_file()), None)
        if place is None:
            continue  # a wheel brings it, beside what asks for it
        yield place.resolve(), _real_place(place)
        fresh = set(needed(place)) - done
        done |= fresh
        todo += sorted(fresh)


def _real_place(place: Path) -> str:
    """The path with its folder's links followed, and its own name kept: what the loader will look for."""
    return str(place.parent.resolve() / place.name)


def _interpreter_files() -> Iterator[tuple[Path, str]]:
    for source, path in interpreter_view().trees:
        if source.is_file():
            yield source, path
        elif path.startswith(PYTHON):
            yield from _below(source, path)


def _below(folder: Path, path: str) -> Iterator[tuple[Path, str]]:
    for child in sorted(folder.iterdir()):
        if child.name.startswith(_OMITTED):
            continue
        if child.is_dir():
            yield from _below(child, f"{path}/{child.name}")
        elif child.is_file():
            yield child, f"{path}/{child.name}"


def _package_files() -> Iterator[tuple[Path, str]]:
    root = next(source for source, path in interpreter_view().trees if path.startswith(VENV))
    for distribution in distributions():
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            inside = ".." not in file.parts and source.is_file()
            if inside and source.resolve().is_relative_to(root):
                yield source, f"{VENV}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/{file}"
