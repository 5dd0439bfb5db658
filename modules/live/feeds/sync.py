"""The sequence of one book: which messages may be applied, what waits for a snapshot, and when one is needed.

A state machine without a clock: EMPTY (nothing known), LIVE, LOST (a change is missing). Changes that come while a
snapshot is on its way are held and applied after it where they join on, as venues with a separate snapshot ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from modules.live.feeds.news import Depth

MOST_HELD: Final = 10_000
"""Changes held for one snapshot; with more, a venue that answers at all has answered, and they are begun anew."""
MOST_HELD_LEVELS: Final = 200_000
"""Levels in them."""


class Stand(Enum):
    """Where a book is."""

    EMPTY = "no snapshot yet"
    LIVE = "in sequence"
    LOST = "a change is missing"


@dataclass
class Sync:
    """The sequence of one symbol at one venue.

    1. What is applied joins on without a gap; what was covered already is dropped.
    2. While the book is not LIVE changes are held, at most `MOST_HELD` of them, and of `MOST_HELD_LEVELS` levels.
    3. A snapshot that is older than the first held change leaves a gap: another one is asked for.
    """

    stand: Stand = Stand.EMPTY
    last: int = 0
    gaps: int = 0
    dropped: int = 0
    snapshots: int = 0
    held: list[Depth] = field(default_factory=list)
    held_levels: int = 0

    @property
    def is_live(self) -> bool:
        """Whether the book may be believed."""
        return self.stand is Stand.LIVE

    def lost(self) -> None:
        """Whatever stood does not any more: the connection went, or the book contradicts itself."""
        if self.stand is Stand.LIVE:
            self.gaps += 1
            self.stand = Stand.LOST
        self.dropped += len(self.held)
        self._let_go()

    def take(self, depth: Depth) -> tuple[Depth, ...]:
        """The messages to apply now, in order; a snapshot among them replaces the book."""
        if depth.is_snapshot:
            return self._snapshot(depth)
        if self.stand is not Stand.LIVE:
            self._hold(depth)
            return ()
        if depth.last == 0:
            return (depth,)
        if depth.last <= self.last:
            self.dropped += 1
            return ()
        if depth.first > self.last + 1:
            self.lost()
            self._hold(depth)
            return ()
        self.last = depth.last
        return (depth,)

    def _snapshot(self, depth: Depth) -> tuple[Depth, ...]:
        self.snapshots += 1
        at, joined = depth.last, [depth]
        for change in self.held:
            if change.last <= at:  # or it bears no number, and what of it the snapshot holds cannot be told
                self.dropped += 1
                continue
            if change.first > at + 1:
                self.stand = Stand.LOST
                return ()
            joined.append(change)
            at = change.last
        self._let_go()
        self.stand, self.last = Stand.LIVE, at
        return tuple(joined)

    def _hold(self, depth: Depth) -> None:
        levels = len(depth.bids) + len(depth.asks)
        if len(self.held) >= MOST_HELD or self.held_levels + levels > MOST_HELD_LEVELS:
            self.dropped += len(self.held)
            self._let_go()
        self.held.append(depth)
        self.held_levels += levels

    def _let_go(self) -> None:
        self.held.clear()
        self.held_levels = 0
