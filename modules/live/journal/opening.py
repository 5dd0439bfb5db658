"""Which store an account's journals are in: the file by default, PostgreSQL where the account's file says so.

The signed checkpoint lies in the journal's folder whatever the store, so that an account whose store was changed does
not begin to forget: the new one has fewer entries than were signed for, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from modules.live.journal.groups import GroupedJournal
from modules.live.journal.port import Entry

CHECKPOINT = "checkpoint"


class Store(BaseModel):
    """Where journals are. `dsn`: how libpq reaches the server, without a password (that is for `~/.pgpass`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Literal["file", "postgres"] = "file"
    dsn: str | None = Field(default=None, max_length=1000)

    @model_validator(mode="after")
    def _fits(self) -> Store:
        if (self.store == "postgres") != (self.dsn is not None):
            raise ValueError(
                f"store = {self.store} with dsn {'given' if self.dsn is not None else 'not given'}: postgres needs one "
                "(host=... user=... dbname=...), file has none"
            )
        if self.dsn is not None and ("password" in self.dsn or "://" in self.dsn):
            raise ValueError("dsn: write it as name=value pairs, and the password into ~/.pgpass")
        return self


class Reader(Protocol):
    """Entries as they come, from any process: each call of `new` goes on where the last one ended."""

    def new(self) -> Iterator[Entry]:
        """Entries that were not given yet. Raises JournalError."""


def open_journal(folder: Path, name: str, store: Store) -> GroupedJournal:
    """The journal for its one writer. name: of the journal among all of a server. Raises JournalError."""
    if store.dsn is None:
        from modules.live.journal.file import FileJournal

        return FileJournal(folder, checkpoint_dir=folder / CHECKPOINT)
    from modules.live.journal.postgres import PostgresJournal

    return PostgresJournal(store.dsn, name, folder / CHECKPOINT)


def read_along(folder: Path, name: str, store: Store) -> Reader:
    """The journal for whoever only reads."""
    if store.dsn is None:
        from modules.live.journal.reading import JournalReader

        return JournalReader(folder)
    from modules.live.journal.postgres import PostgresReader

    return PostgresReader(store.dsn, name)
