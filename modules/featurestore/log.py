"""The log of the table: which builds were committed, in which order, and that none of it was changed since.

A commit is one file of Delta's own log. Beside Delta's actions it holds what was built, and the digest of the commit
before. The last one's digest is kept apart, in `head.json`, written after each commit: a chain alone does not miss
its tail. Between the two a process may die, so the log may be one commit ahead of the head, and no more.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from modules.artifacts import write_whole
from modules.canonical import digest_json
from modules.featurestore.errors import DamagedError
from modules.featurestore.piece import Piece

LOG = "_delta_log"
_FILE = re.compile(r"[0-9]{20}\.json")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BuildRecord(_Record):
    """A build as it is written: the first `keep` pieces of an earlier build (`base`), then pieces of its own."""

    feature: str
    computation: str
    expr: str
    base: str | None = None
    keep: int = 0
    pieces: tuple[Piece, ...]


class CommitRecord(_Record):
    """What a commit says beside Delta's actions. All builds of a commit are of one source."""

    previous: str
    data: str = ""
    data_version: str = ""
    bars: str = ""
    builds: tuple[BuildRecord, ...] = ()


class Head(_Record):
    """The last commit that was acknowledged."""

    version: int
    sum: str


@dataclass(frozen=True)
class Key:
    """What a build is of."""

    feature: str
    computation: str
    data: str
    data_version: str
    bars: str

    @property
    def name(self) -> str:
        """The key as one word."""
        return digest_json([self.feature, self.computation, self.data, self.data_version, self.bars])[:32]


@dataclass(frozen=True)
class Build:
    """A feature by one computation of one source, oldest bars first. `commit` is the Delta version that brought it."""

    key: Key
    expr: str
    pieces: tuple[Piece, ...]
    commit: int


@dataclass(frozen=True)
class Commit:
    """One line of the store's history. `files` were written by it; `builds` may stand on earlier files too."""

    version: int
    made_ms: int
    data: str
    data_version: str
    builds: tuple[Key, ...]
    files: int


@dataclass(frozen=True)
class State:
    """The store at one version (-1 = nothing was ever written). `sum` is the digest of the last commit's file;
    `acknowledged` says whether head.json knows of it."""

    version: int = -1
    sum: str = ""
    acknowledged: bool = True
    builds: Mapping[str, Build] = field(default_factory=dict)
    commits: tuple[Commit, ...] = ()

    def pieces(self) -> set[str]:
        """Names of all files that builds stand on."""
        return {p.sum for b in self.builds.values() for p in b.pieces}


@contextlib.contextmanager
def locked(root: Path, *, exclusive: bool = True) -> Iterator[None]:
    """Alone with the log (`exclusive`), or beside other readers. Raises OSError where the store cannot be written."""
    if exclusive:
        root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a" if exclusive else "r") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def load(root: Path, version: int | None = None) -> State:
    """The store at `version`, or as it is. Raises DamagedError where the log is not what was written."""
    try:
        return load_locked(root, version)
    except DamagedError:
        if not (root / ".lock").is_file():
            raise
        # A writer may have moved the log on between two looks; alone with it there is but one truth.
        with locked(root, exclusive=False):
            return load_locked(root, version)


def load_locked(root: Path, version: int | None = None) -> State:
    """As `load`, by who holds the lock."""
    head = _head(root)
    files = sorted(p for p in (root / LOG).glob("*.json") if _FILE.fullmatch(p.name))
    contents = _contents(root, files)
    _check_head(root, head, contents)
    builds: dict[str, Build] = {}
    commits: list[Commit] = []
    previous = ""
    last = len(contents) - 1 if version is None else version
    for number, content in enumerate(contents[: last + 1]):
        record, made_ms = _read(root, number, content)
        if record.previous != previous:
            raise DamagedError(f"commit {number} does not follow the one before it: the log was changed", root)
        for item in record.builds:
            build = _build(root, builds, record, item, number)
            builds[build.key.name] = build
        commits.append(_commit(number, made_ms, record))
        previous = hashlib.sha256(content).hexdigest()
    acknowledged = len(contents) - 1 == (-1 if head is None else head.version)
    return State(last, previous, acknowledged, builds, tuple(commits))


def write_head(root: Path, version: int) -> None:
    """Acknowledge a commit. Raises OSError."""
    content = (root / LOG / f"{version:020d}.json").read_bytes()
    head = Head(version=version, sum=hashlib.sha256(content).hexdigest())
    write_whole(root / "head.json", head.model_dump_json().encode())


def _head(root: Path) -> Head | None:
    path = root / "head.json"
    try:
        return Head.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        raise DamagedError(f"{path} cannot be read", root) from error


def _contents(root: Path, files: Sequence[Path]) -> list[bytes]:
    for number, path in enumerate(files):
        if int(path.stem) != number:
            raise DamagedError(f"{root / LOG / f'{number:020d}.json'} is gone", root)
    try:
        return [p.read_bytes() for p in files]
    except OSError as error:
        raise DamagedError(f"the log in {root / LOG} cannot be read ({error.strerror})", root) from error


def _check_head(root: Path, head: Head | None, contents: Sequence[bytes]) -> None:
    acknowledged = -1 if head is None else head.version
    ahead = len(contents) - 1 - acknowledged
    if ahead < 0:
        raise DamagedError(f"the log ends at commit {len(contents) - 1}, commit {acknowledged} was made", root)
    if ahead > 1:
        raise DamagedError(f"the log has {len(contents)} commits, head.json knows of {acknowledged + 1}", root)
    if head is not None and hashlib.sha256(contents[head.version]).hexdigest() != head.sum:
        raise DamagedError(f"commit {head.version} was changed: it is not what head.json says", root)


def _read(root: Path, number: int, content: bytes) -> tuple[CommitRecord, int]:
    try:
        lines = [json.loads(line) for line in content.splitlines() if line.startswith(b'{"commitInfo"')]
        info = lines[0]["commitInfo"]
        return CommitRecord.model_validate(info["cws"]), int(info["timestamp"])
    except (ValueError, KeyError, IndexError, TypeError, ValidationError) as error:
        raise DamagedError(f"commit {number} was changed, or made by something else than this store", root) from error


def _build(root: Path, known: Mapping[str, Build], record: CommitRecord, item: BuildRecord, number: int) -> Build:
    key = Key(item.feature, item.computation, record.data, record.data_version, record.bars)
    pieces: tuple[Piece, ...] = ()
    if item.base is not None:
        if item.base not in known or len(known[item.base].pieces) < item.keep:
            raise DamagedError(f"commit {number} stands on a build that is not in the log", root)
        pieces = known[item.base].pieces[: item.keep]
    return Build(key, item.expr, pieces + item.pieces, number)


def _commit(number: int, made_ms: int, record: CommitRecord) -> Commit:
    keys = tuple(Key(b.feature, b.computation, record.data, record.data_version, record.bars) for b in record.builds)
    files = sum(len(b.pieces) for b in record.builds)
    return Commit(number, made_ms, record.data, record.data_version, keys, files)
