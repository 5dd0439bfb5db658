"""The journal as the desk uses it: what it cannot take now waits in memory, and comes first when it takes again."""

from __future__ import annotations

from typing import Final

from modules.live.journal.port import Journal, JournalError
from modules.live.messages import AnyMessage, Ask

MOST_UNRECORDED: Final = 200_000
"""Messages kept in memory while the journal takes none; beyond it the oldest go."""


class Record:
    """`fault`: why the journal took nothing the last time, None = it did. `seq`: the number of the last entry."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[AnyMessage] = []
        self.fault: str | None = None
        self.seq = -1

    def holds(self, ask: Ask) -> bool:
        """Whether an asking was recorded; where not it is forgotten, and must not leave."""
        try:
            self.seq = self._journal.append(ask)
        except JournalError as error:
            self.fault = str(error)
            return False
        return True

    def take(self, *messages: AnyMessage) -> bool:
        """Record what happened, behind what waits. False: so much waits that the oldest went."""
        try:
            self.seq = (
                self._journal.append(*self._waiting, *messages) if self._waiting else self._journal.append(*messages)
            )
        except JournalError as error:
            self.fault = str(error)
            self._waiting += messages
            if len(self._waiting) <= MOST_UNRECORDED:
                return True
            del self._waiting[: len(self._waiting) - MOST_UNRECORDED]
            return False
        self._waiting.clear()
        self.fault = None
        return True

    def retry(self) -> None:
        """Record what waits, where the journal takes again."""
        if self._waiting or self.fault is not None:
            self.take()
