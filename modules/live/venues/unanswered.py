"""Orders that were sent and not heard of: whoever sends keeps them here, so that none ends in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Unanswered:
    """Client ids that wait for the venue's first word. For any thread.

    `late` gives those that waited longer than `answer_s`, `all` every one, and each is given once: `Lost` is said once.
    """

    def __init__(self, answer_s: float, clock: Callable[[], float]) -> None:
        self._answer_s, self._clock = answer_s, clock
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()

    def sent(self, client_id: str) -> None:
        """An order is about to be sent."""
        with self._lock:
            self._since[client_id] = self._clock()

    def answered(self, client_id: str) -> None:
        """Something was heard of it."""
        if client_id in self._since:
            with self._lock:
                self._since.pop(client_id, None)

    def __contains__(self, client_id: str) -> bool:
        """Whether it waits: sent, not answered, and not given as late either."""
        return client_id in self._since

    def late(self) -> list[str]:
        """Those that nobody answered in time."""
        with self._lock:
            before = self._clock() - self._answer_s
            found = [i for i, since in self._since.items() if since < before]
            for client_id in found:
                del self._since[client_id]
        return found

    def all(self) -> list[str]:
        """Every one: the connection is gone."""
        with self._lock:
            found = list(self._since)
            self._since.clear()
        return found
