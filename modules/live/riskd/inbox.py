"""Where a venue's threads leave their news for the one thread that rules."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque

from modules.live.messages import VenueNews


class Inbox:
    """News in the order in which they were said. `hear` may be called from any thread; the rest from the owner's."""

    def __init__(self) -> None:
        self._news: deque[VenueNews] = deque()
        self._reads, self._writes = socket.socketpair()
        self._reads.setblocking(False)
        self._writes.setblocking(False)
        self._is_woken = False
        self._owner = threading.get_ident()

    def hear(self, news: VenueNews) -> None:
        """Take news; wakes the owner where another thread says them."""
        self._news.append(news)
        if not self._is_woken and threading.get_ident() != self._owner:
            self._is_woken = True
            with contextlib.suppress(OSError):  # full: the owner is awake anyway
                self._writes.send(b"!")

    def fileno(self) -> int:
        """Readable when there may be news."""
        return self._reads.fileno()

    def woken(self) -> None:
        """The owner is awake: the next news wakes it again."""
        with contextlib.suppress(BlockingIOError):
            self._reads.recv(4096)
        self._is_woken = False

    def take(self) -> VenueNews | None:
        """The oldest news; None = there are none."""
        return self._news.popleft() if self._news else None

    def __len__(self) -> int:
        return len(self._news)

    def close(self) -> None:
        """Close the two ends; news are heard no more."""
        self._reads.close()
        self._writes.close()
