"""What the desk needs of a connection to the risk core. `riskd/client.py` is it."""

from __future__ import annotations

from typing import Protocol

from modules.live.messages import Ask, Report, Ruled, VenueNews


class RiskLink(Protocol):
    """One connection, used from one thread. Every method may raise OSError: the connection is of no use then.

    What was asked before that may have been done: an order may be at the venue.
    """

    def ask(self, ask: Ask) -> Ruled:
        """The ruling; what it let out was sent before it was said."""

    def rehearse(self, ask: Ask) -> None:
        """What `ask` does but for the sending, for nothing."""

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel."""

    def cancel_all(self, by: str, reason: str) -> None:
        """Ask for a cancel of everything open."""

    def news(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said meanwhile, in its order; waits until there is something, or for `timeout_s`."""

    def report(self) -> Report:
        """What the venue has of the account."""

    def close(self) -> None:
        """Hang up."""
