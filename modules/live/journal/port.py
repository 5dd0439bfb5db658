"""What a journal of orders is. Two stores: a file (the default) and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from modules.live.messages import AnyMessage


class JournalError(OSError):
    """The journal cannot be opened, read or written; names what, where, and the remedy.

    After a failed `append` or `sync` nothing may be sent: the desk is cancel-only until the journal works again.
    """


@dataclass(frozen=True)
class Entry:
    """One recorded message. `seq` has no gap; `ts_ns` never goes back; `prev` chains to the one before."""

    seq: int
    ts_ns: int
    prev: str
    message: AnyMessage


class Journal(Protocol):
    """Append-only. One writer, and readers; a second writer is refused when it opens."""

    def append(self, *messages: AnyMessage) -> int:
        """Record messages, in order and as a whole; returns the `seq` of the last. Returns before they are durable.

        When it returns the death of this process loses nothing; the loss of power may, until `durable` has reached it.
        Raises JournalError: then none of them counts as recorded, and nothing of it may be sent. Where the store went
        away in the middle they may be found later: news that tell of an order that never arrived.
        """

    def rehearse(self, *messages: AnyMessage) -> None:
        """Do what `append` does up to the writing, for nothing: code that was not run for a while is slow once."""

    @property
    def durable(self) -> int:
        """The highest `seq` that survives a loss of power; -1 = none. Acknowledge to others only what it covers."""

    def sync(self) -> int:
        """Wait until everything appended is durable; returns `durable`. Raises JournalError."""

    def read(self, after: int = -1) -> Iterator[Entry]:
        """Entries with a `seq` above `after`, in order. Raises JournalError where the chain is broken."""

    def close(self) -> None:
        """Make everything durable and let go."""

    def __enter__(self) -> Journal:
        """The journal itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
