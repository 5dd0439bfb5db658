"""What a feed is to whoever takes it in."""

from __future__ import annotations

from typing import Protocol

from modules.live.feeds.news import FeedNews


class FeedError(OSError):
    """The feed cannot be opened or read, for good; names what and the remedy. A connection that went is `Link`."""


class Feed(Protocol):
    """One source of market data. Called from one thread."""

    name: str

    def open(self) -> None:
        """Begin. Returns before anything is heard; the first news is `Link`. Raises FeedError."""

    def poll(self, timeout_s: float) -> list[FeedNews]:
        """What came, in order; waits up to `timeout_s` for the first of it. Never waits longer, whatever the other
        end does."""

    def resync(self, symbol: str) -> None:
        """Ask for a new snapshot of a symbol's book, because the one here has a gap."""

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more: a recording is over, or it was closed."""

    def fileno(self) -> int:
        """A descriptor that is readable when `poll` has something, for a selector; -1 = there is none just now,
        look again soon."""

    def close(self) -> None:
        """Hang up."""
