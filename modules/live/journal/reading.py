"""Reading a file journal, from any process, while another writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modules.live.journal.lines import Place, decode
from modules.live.journal.port import Entry, JournalError

LOG_NAME: Final = "orders.jsonl"
_BLOCK_BYTES: Final = 1 << 20


class JournalReader:
    """Entries as they come: each call of `new` goes on where the last one ended."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG_NAME
        self._place = Place()

    def new(self) -> Iterator[Entry]:
        """Entries that were not given yet; a line that is being written is left for the next call.

        Raises JournalError where the chain is broken, or the file cannot be read. Nothing there yet: no entries.
        """
        try:
            with self.path.open("rb", buffering=_BLOCK_BYTES) as log:
                log.seek(self._place.size_bytes)
                for line in log:
                    if not line.endswith(b"\n"):
                        return
                    try:
                        entry, self._place = decode(self._place, line)
                    except JournalError as error:
                        raise JournalError(f"{self.path}: {error}; restore it from a backup") from error
                    yield entry
        except FileNotFoundError:
            return
        except OSError as error:
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"{self.path}: cannot be read: {error.strerror}") from error


def read_journal(folder: Path, after: int = -1, *, until: int | None = None) -> Iterator[Entry]:
    """Entries with `after` < `seq` <= `until` (None: to the end). Raises JournalError, see `JournalReader.new`."""
    for entry in JournalReader(folder).new():
        if until is not None and entry.seq > until:
            return
        if entry.seq > after:
            yield entry
