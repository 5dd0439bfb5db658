"""Every store of journals, for the one suite in `test_conformance.py`. A new store adds one line to `STORES`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modules.live.journal.file import FileJournal
from modules.live.journal.port import Journal
from modules.live.journal.postgres import PostgresJournal
from tests.modules.live.journal.server import Server, running


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


@dataclass
class PostgresStore:
    server: Server
    account: str
    keys: Path

    def open(self, clock_ns: Callable[[], int] | None = None) -> Journal:
        more = {} if clock_ns is None else {"clock_ns": clock_ns}
        return PostgresJournal(self.server.writer, self.account, self.keys, **more)

    def alter(self, seq: int) -> None:
        self.server.as_owner(
            "ALTER TABLE cws_journal.entries DISABLE TRIGGER entries_never_change",
            "UPDATE cws_journal.entries SET line = convert_to(replace(convert_from(line, 'UTF8'), '\"ts_ns\":',"
            f" '\"ts_ns\": '), 'UTF8') WHERE account = '{self.account}' AND seq = {seq}",
            "ALTER TABLE cws_journal.entries ENABLE ALWAYS TRIGGER entries_never_change",
        )


def _postgres(folder: Path) -> Iterator[Store]:
    yield PostgresStore(running(), f"t-{uuid.uuid4().hex[:12]}", folder)


STORES: dict[str, Callable[[Path], Iterator[Store]]] = {
    "file": lambda folder: iter([FileStore(folder)]),
    "postgres": _postgres,
}
"""By name: a generator that yields a fresh store, and takes it down after."""

SLOW = frozenset({"postgres"})
"""Stores that need a server to be started."""
