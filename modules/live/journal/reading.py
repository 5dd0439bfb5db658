"""Reading a file journal, from any process, while another writes it."""

from __future__ import annotations

import io
import os
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
            with self.path.open("rb", buffering=0) as log:
                yield from self._entries(log)
        except FileNotFoundError:
            return
        except OSError as error:
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _entries(self, log: io.FileIO) -> Iterator[Entry]:
        """Whole lines up to the first zero: behind it is what the writer has reserved."""
        block = _BLOCK_BYTES
        while True:
            data = os.pread(log.fileno(), block, self._place.size_bytes).partition(b"\0")[0]
            lines = data.splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                lines.pop()
            for line in lines:
                try:
                    entry, self._place = decode(self._place, line)
                except JournalError as error:
                    raise JournalError(f"{self.path}: {error}; restore it from a backup") from error
                yield entry
            if not lines:
                if len(data) < block:
                    return
                block *= 2  # one line is longer than that


def read_journal(folder: Path, after: int = -1, *, until: int | None = None) -> Iterator[Entry]:
    """Entries with `after` < `seq` <= `until` (None: to the end). Raises JournalError, see `JournalReader.new`.

    Where it ends before `until` that is a JournalError as well.
    """
    last = -1
    for entry in JournalReader(folder).new():
        if until is not None and entry.seq > until:
            return
        last = entry.seq
        if last > after:
            yield entry
    if until is not None and last < until:
        raise JournalError(f"{folder}: entry {last + 1} of {until + 1} is no entry: the chain is broken; see a backup")
