"""What a dialect is: pure, bytes and times in, words and news out."""

from __future__ import annotations

from typing import Protocol

from modules.live.feeds.news import Depth, FeedNews


class DialectError(ValueError):
    """A message that is not of this dialect, or a subscription that was turned down; says what."""


class Dialect(Protocol):
    """One venue's market data over WebSocket, without an account: only what is public is heard here.

    Whatever needs an account's keys comes through the risk core's process, which alone holds them.
    """

    venue: str

    def subscribe(self) -> list[str]:
        """What to send once the connection stands."""

    def resync(self, symbol: str) -> list[str]:
        """What to send for a new snapshot of a book; empty where it is fetched apart."""

    def snapshot_path(self, symbol: str) -> str | None:
        """Where a snapshot is fetched over HTTP: path and query; None where the stream brings it."""

    def snapshot(self, symbol: str, body: bytes, seen_ns: int) -> Depth:
        """What was fetched. Raises DialectError."""

    def ping(self) -> str | None:
        """The venue's own heartbeat; None = the protocol's ping is enough."""

    def decode(self, message: bytes, seen_ns: int) -> list[FeedNews]:
        """What a message says. Raises DialectError for one that cannot be read: it may have been a change."""
