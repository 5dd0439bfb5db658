"""Registered data sets: immutable versions, each with its lockbox sealed in a file of its own.

    root/<name>/<version>/raw_open.parquet   raw rows before lockbox_start
    root/<name>/<version>/raw_open.sum       SHA-256 of that file
    root/<name>/<version>/lockbox.parquet    raw rows from lockbox_start on; modules/lockbox.py alone reads it
    root/<name>/<version>/times.parquet      the distinct event times (no values), to place later periods
    root/<name>/<version>/marks.parquet      hashes by which rows of the lockbox are known again (modules/marks.py)
    root/<name>/<version>/spans.parquet      of each symbol the first and last day outside the lockbox
    root/<name>/<version>/meta.json          the DataVersion
    root/<name>/current                      the version that a bare name means

A row whose time cannot be read cannot be shown to lie before the lockbox, so it is sealed too.
"""

from __future__ import annotations

import difflib
import fcntl
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import ValidationError

from modules.canonical import digest_bytes, digest_json, digest_table
from modules.contract import TIME
from modules.dataversion import MISSING_TEXT, DataError, DataVersion, Registration, Scalar
from modules.marks import CELLS, DAY_NS, Marked, Words, mark, open_spans, sealed_marks, seen_in
from modules.panel import iso

__all__ = ["BUNDLED", "MISSING_TEXT", "DataError", "DataStore", "DataVersion", "Registration", "Scalar"]

BUNDLED = ("us20", "us5")
MINING_SHARE = 0.5
OPEN_SHARE = 0.8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# settings that come from the version a vintage builds on, not from its own files
_CHAINED = ("base_known_at",)


class DataStore:
    """The registered data sets below `root`. Safe for concurrent processes."""

    def __init__(self, root: Path) -> None:
        self._root = Path(root)

    # --- reading ---------------------------------------------------------------------------------

    def current(self, name: str) -> DataVersion:
        """The version a bare name means: the one registered last. A bundled set is registered on first use."""
        _check_name(name)
        pointer = self._root / name / "current"
        if pointer.exists():
            return self.get(name, pointer.read_text().strip())
        versions = self._versions(name)
        if versions:
            return versions[-1]
        if name in BUNDLED:
            from modules.bundled import registration  # reads the package files only when they are wanted

            return self.register(registration(name))
        known = sorted({v.name for v in self.list()} | set(BUNDLED))
        near = difflib.get_close_matches(name, known, n=1)
        raise DataError(
            f"data set {name!r} is not registered; known: {', '.join(known)}",
            f"did you mean {near[0]!r}?" if near else f"register it with `cws data add {name} PATH`",
        )

    def get(self, name: str, version: str) -> DataVersion:
        """A version by its name (`v1`) or digest."""
        _check_name(name)
        found = self._versions(name)
        for candidate in found:
            if version in (candidate.version, candidate.digest):
                return candidate
        if name in BUNDLED and not found:
            first = self.current(name)
            if version in (first.version, first.digest):
                return first
            found = (first,)
        have = ", ".join(f"{v.version} ({v.digest[:12]})" for v in found) or "none"
        raise DataError(
            f"data set {name!r} has no version {version!r}; it has {have}",
            "name one of these, or register the file that had it",
        )

    def list(self) -> tuple[DataVersion, ...]:
        """Every registered version, by name then age."""
        if not self._root.is_dir():
            return ()
        names = sorted(p.name for p in self._root.iterdir() if p.is_dir() and _NAME.fullmatch(p.name))
        return tuple(v for name in names for v in self._versions(name))

    @property
    def root(self) -> Path:
        """The folder of all sets."""
        return self._root

    def raw(self, version: DataVersion) -> pl.DataFrame:
        """The raw rows before the lockbox, of this version and the vintages it builds on, oldest vintage first.

        Raises DataError where a stored file no longer has the content that was registered.
        """
        folder = self._root / version.name / version.version
        path = folder / "raw_open.parquet"
        what = f"data set {version.name} {version.version}"
        try:
            content = path.read_bytes()
            # Summed before it is parsed: a flipped byte can make the parser ask for more memory than there is.
            if digest_bytes(content) != path.with_suffix(".sum").read_text():
                raise DataError(f"{what}: {path.name} was changed or cut short", _restore(folder))
            table = pl.read_parquet(io.BytesIO(content))
            found = digest_table(table)
        except (OSError, pl.exceptions.PolarsError, TypeError) as error:
            raise DataError(f"{what}: {path.name} cannot be read ({error})", _restore(folder)) from error
        if found != version.open_digest:
            raise DataError(
                f"{what}: {path.name} has digest {found[:12]}, registered was {version.open_digest[:12]}",
                _restore(folder),
            )
        if version.parent is not None:
            older = self.raw(self.get(version.name, version.parent))
            table = pl.concat([older, table], how="diagonal_relaxed")
        return table.filter(pl.col("source_event_time") < pl.lit(version.lockbox_start_ns).cast(TIME))

    def has(self, name: str) -> bool:
        """Whether any version of `name` is registered (bundled sets count once they were used)."""
        _check_name(name)
        return bool(self._versions(name))

    def holding(self, item: Registration) -> DataVersion | None:
        """The version with exactly this content and these settings, whatever it builds on; it becomes current."""
        _check_name(item.name)
        for version in self._versions(item.name):
            same = _unchained(version.ingest_settings) == _unchained(item.ingest_settings)
            if version.content_digest == item.content and version.ingest == item.ingest and same:
                with self._locked():
                    _write_pointer(self._root / item.name, version.version)
                return version
        return None

    def shown(self, names: Words, but: str) -> tuple[Words, tuple[str, ...]]:
        """Those of the name marks (`modules.marks`) whose rows lie open in sets other than `but`, and these sets."""
        found, by = [np.empty(0, np.uint64)], []
        for other in self.list():
            folder = self._root / other.name / other.version
            if other.name == but or not names.size or not (folder / "spans.parquet").exists():
                continue
            stamps = pl.read_parquet(folder / "times.parquet", glob=False).get_column("source_event_time")
            spans = pl.read_parquet(folder / "spans.parquet", glob=False)
            found.append(seen_in(names, spans, np.unique(stamps.to_physical().to_numpy() // DAY_NS)))
            by += [other.name] if found[-1].size else []
        return np.unique(np.concatenate(found)), tuple(dict.fromkeys(by))

    # --- writing ---------------------------------------------------------------------------------

    def register(self, item: Registration) -> DataVersion:
        """Write a version, or return the one that already holds this content. Atomic; nothing half-written.

        The lockbox of a later version never starts later than that of an earlier one, so adding
        rows to a set and registering it again unlocks nothing.
        """
        _check_name(item.name)
        digest = digest_json(
            {
                "content": item.content,
                "ingest": item.ingest,
                "settings": dict(item.ingest_settings),
                "parent": item.parent.digest if item.parent else None,
            }
        )
        folder = self._root / item.name
        with self._locked():
            for leftover in folder.glob(".new-*"):  # of a process that died: the lock says nobody writes it now
                shutil.rmtree(leftover, ignore_errors=True)
            versions = self._versions(item.name)
            for version in versions:
                if version.digest == digest:
                    _write_pointer(folder, version.version)
                    return version
            number = max((int(v.version[1:]) for v in versions), default=0) + 1
            version = self._write(item, f"v{number}", digest, versions)
            _write_pointer(folder, version.version)
            return version

    def _write(self, item: Registration, label: str, digest: str, earlier: Sequence[DataVersion]) -> DataVersion:
        times = item.raw.get_column("source_event_time").drop_nulls().unique().sort()
        if item.parent is not None:
            older = pl.read_parquet(self._root / item.name / item.parent.version / "times.parquet", glob=False)
            times = pl.concat([times, older.get_column("source_event_time")]).unique().sort()
        mining_end, lockbox_start = _periods(item.name, times, earlier)
        marked = mark(item.cells if item.cells is not None else pl.DataFrame(schema=CELLS))
        found = self._sealed_elsewhere(item.name, marked.before(lockbox_start))
        if found and item.name not in BUNDLED:
            if item.overlap == "refuse":
                raise _overlap(item.name, found)
            if item.overlap == "seal":
                first = min(int(cells.time_ns.min()) for _, cells in found)
                mining_end, lockbox_start = _periods(item.name, times, earlier, first)
                found = ()
        is_open = pl.col("source_event_time") < pl.lit(lockbox_start).cast(TIME)
        opened = item.raw.filter(is_open)
        sealed = item.raw.filter(~is_open.fill_null(False))
        stamps = times.to_physical()
        buffer = io.BytesIO()
        sealed.write_parquet(buffer, compression="zstd")
        lockbox = buffer.getvalue()
        version = DataVersion(
            name=item.name,
            version=label,
            digest=digest,
            ingest=item.ingest,
            ingest_settings=dict(item.ingest_settings),
            rows=item.rows,
            symbols=item.symbols,
            start=iso(int(stamps[0])),
            end=iso(int(stamps[-1])),
            refused=dict(item.refused),
            mining_end_ns=mining_end,
            lockbox_start_ns=lockbox_start,
            first_ns=int(stamps[0]),
            last_ns=int(stamps[-1]),
            parent=item.parent.version if item.parent else None,
            content_digest=item.content,
            open_digest=digest_table(opened),
            sealed_sum=digest_bytes(lockbox),
            exposes={other.name: int(cells.time_ns.size) for other, cells in found},
        )
        folder = self._root / item.name
        folder.mkdir(exist_ok=True)
        _sync(self._root)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            opened.write_parquet(scratch / "raw_open.parquet", compression="zstd")
            (scratch / "raw_open.sum").write_text(digest_bytes((scratch / "raw_open.parquet").read_bytes()))
            (scratch / "lockbox.parquet").write_bytes(lockbox)
            kept = marked.since(lockbox_start)
            sealed_marks(kept, self.shown(kept.name, item.name)[0]).write_parquet(scratch / "marks.parquet")
            open_spans(marked.before(lockbox_start)).write_parquet(scratch / "spans.parquet")
            times.to_frame("source_event_time").write_parquet(scratch / "times.parquet")
            (scratch / "meta.json").write_text(version.model_dump_json(indent=2) + "\n")
            for path in scratch.iterdir():
                _sync(path)
            _sync(scratch)
            scratch.rename(folder / label)
            _sync(folder)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        return version

    # --- inside ----------------------------------------------------------------------------------

    def _sealed_elsewhere(self, name: str, cells: Marked) -> Sequence[tuple[DataVersion, Marked]]:
        """Sets of another name whose lockbox holds some of `cells`, the newest such version of each, with the cells."""
        found: dict[str, tuple[DataVersion, Marked]] = {}
        if cells.time_ns.size == 0:
            return ()
        for other in self.list():
            path = self._root / other.name / other.version / "marks.parquet"
            # Nothing of a lockbox is older than its first time, so most sets need no look.
            if other.name == name or not path.exists() or int(cells.time_ns.max()) < other.lockbox_start_ns:
                continue
            hit = cells.found_in(pl.read_parquet(path, glob=False))
            if hit.time_ns.size:
                found[other.name] = (other, hit)
        return tuple(found.values())

    def _versions(self, name: str) -> tuple[DataVersion, ...]:
        folder = self._root / name
        if not folder.is_dir():
            return ()
        labels = sorted(
            (p for p in folder.iterdir() if re.fullmatch(r"v[0-9]+", p.name)), key=lambda p: int(p.name[1:])
        )
        found = []
        for path in labels:
            try:
                found.append(DataVersion.model_validate_json((path / "meta.json").read_text()))
            except (OSError, ValidationError) as error:
                raise DataError(
                    f"data set {name} {path.name}: meta.json cannot be read ({error})", _restore(path)
                ) from error
        return tuple(found)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is not a name for a data set",
            "use 1 to 64 letters, digits, '_' or '-', starting with a letter or digit",
        )


def _unchained(settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {k: v for k, v in settings.items() if k not in _CHAINED}


def _overlap(name: str, found: Sequence[tuple[DataVersion, Marked]]) -> DataError:
    """Why a file is not registered as it is: it would open rows that another set keeps sealed."""
    other, cells = max(found, key=lambda pair: pair[1].time_ns.size)
    symbols = sorted(set(cells.symbol.astype(str).tolist()))
    first = ", ".join(symbols[:3]) + (", ..." if len(symbols) > 3 else "")
    more = f" (and of {len(found) - 1} other sets)" if len(found) > 1 else ""
    return DataError(
        f"as {name} these files would open {cells.time_ns.size} symbol-days (of {len(symbols)} symbols: {first}) that "
        f"lie in the lockbox of {other.name}{more}, from {iso(int(cells.time_ns.min()))} on",
        f"add them under the name {other.name}; or with --overlap seal, so that the lockbox of {name} begins there; or "
        "with --overlap expose, which is recorded and counts as a look at that lockbox",
    )


def _periods(name: str, times: pl.Series, earlier: Sequence[DataVersion], latest: int | None = None) -> tuple[int, int]:
    """`(mining_end_ns, lockbox_start_ns)` over the distinct sorted event times; the lockbox begins at `latest` at the
    latest."""
    stamps = times.to_physical()
    n = stamps.len()
    if n < 2:
        raise DataError(
            f"data set {name} has {n} distinct times", "give at least 2, so that a part can be held back as lockbox"
        )
    limits = [v.lockbox_start_ns for v in earlier] + ([] if latest is None else [latest])
    lockbox_start = min([int(stamps[int(OPEN_SHARE * n)]), *limits])
    open_count = int((stamps < lockbox_start).sum())
    if open_count == 0:
        raise DataError(
            f"every row of this file lies in the lockbox of {name}, which starts at {iso(lockbox_start)}",
            "register it under a name of its own",
        )
    middle = int(MINING_SHARE * n)
    if middle >= open_count:
        middle = int(MINING_SHARE / OPEN_SHARE * open_count)
    # What an earlier version mined may not judge in a later one.
    mining_end = max([int(stamps[middle]), *(v.mining_end_ns for v in earlier if v.mining_end_ns < lockbox_start)])
    return mining_end, lockbox_start


def _restore(folder: Path) -> str:
    return f"remove {folder} and register the data again"


def _write_pointer(folder: Path, version: str) -> None:
    scratch = folder / f".current-{os.getpid()}"
    scratch.write_text(version + "\n")
    _sync(scratch)
    scratch.replace(folder / "current")
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
