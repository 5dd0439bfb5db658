"""What a venue is to the risk core's process, the only one that may open one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from modules.live.messages import Ask, Report, VenueNews

Hear = Callable[[VenueNews], None]
"""Takes news, from any thread, in the order in which the venue said them."""


class VenueError(OSError):
    """The venue cannot be reached, refuses who asks, or answers what is not its protocol; names what and the remedy."""


class Venue(Protocol):
    """One account at one venue. Methods are called one at a time; `hear` may be called from any thread, and `report` is
    called from a thread of its own: where it takes too long nobody waits for it, and cancels are called meanwhile.

    An outcome that is not known is `Lost`, never `RefusedByVenue`: a time-out, a connection that went after bytes of
    the order left, an answer that cannot be read. A client id is used once; the venue's side must see it, so that an
    order that is sent again (nothing here does) would be refused there.
    """

    name: str

    def open(self, hear: Hear) -> None:
        """Connect, and hear news from now on, beginning with `Connection`. Raises VenueError."""

    def submit(self, ask: Ask, lots: int) -> None:
        """Send an order of `lots` (what the ruling allowed). Never waits for the outcome, which is heard.

        Raises VenueError only where not one byte left; then the order was not sent.
        """

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel; what becomes of it is heard. Raises VenueError where not one byte left."""

    def cancel_all(self) -> None:
        """Ask for a cancel of everything that is open, known here or not. Raises VenueError as `cancel` does."""

    def report(self) -> Report:
        """What the venue has of the account; waits for it. Raises VenueError; `complete` is False for a part."""

    def close(self) -> None:
        """Hang up. Orders stay where they are."""
