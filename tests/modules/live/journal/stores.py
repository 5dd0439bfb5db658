"""Every store of journals, for the one suite in `test_conformance.py`. A new store adds one line to `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modules.live.journal.file import FileJournal
from modules.live.journal.port import Journal


class Store(Protocol):
    """A place where one journal is; `open` opens it, again after it was closed."""

    def open(self, clock_ns: Callable[[], int] | None = None) -> Journal:
        """The journal, for writing."""

    def alter(self, seq: int) -> None:
        """Change what was recorded as `seq` behind the journal's back."""


@dataclass
class FileStore:
    folder: Path

    def open(self, clock_ns: Callable[[], int] | None = None) -> Journal:
        return FileJournal(self.folder, **({} if clock_ns is None else {"clock_ns": clock_ns}))

    def alter(self, seq: int) -> None:
        path = self.folder / "orders.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        lines[seq] = lines[seq].replace(b'"ts_ns":', b'"ts_ns": ', 1)
        path.write_bytes(b"".join(lines))


STORES: dict[str, Callable[[Path], Iterator[Store]]] = {"file": lambda folder: iter([FileStore(folder)])}
"""By name: a generator that yields a fresh store, and takes it down after."""
