"""What the simulated exchange asks of a matching: it holds the account, and knows nothing of sockets."""

from __future__ import annotations

from typing import Protocol

from modules.live.messages import Report, VenueNews
from modules.live.venues.sim.protocol import NewOrder


class Matching(Protocol):
    """One account and the market that it trades in. Every call returns the news that it makes, in order."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What can be traded."""

    def submit(self, order: NewOrder) -> list[VenueNews]:
        """Take an order, or refuse it."""

    def cancel(self, client_id: str) -> list[VenueNews]:
        """Cancel one order."""

    def cancel_all(self) -> list[VenueNews]:
        """Cancel whatever works."""

    def proceed(self, ts_ns: int) -> list[VenueNews]:
        """Go on from the moment `ts_ns` to the next one, which ends with `Stepped`.

        Where another moment stands it was gone on from before, or nothing further comes: then only where things stand
        is said again. Before the first moment any will do.
        """

    def standing(self) -> list[VenueNews]:
        """Where things stand, for who comes anew: marks, and the last `Stepped`."""

    def report(self) -> Report:
        """Everything of the account, complete."""
