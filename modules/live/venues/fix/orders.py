"""What a cancel needs to know of the orders that were sent: FIX cancels name instrument, side and quantity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modules.live.messages import Cancelled, CancelRefused, Expired, OpenAtVenue, RefusedByVenue, VenueNews
from modules.live.venues.exact import Listing, Listings
from modules.live.venues.fix.words import cancel_order


@dataclass
class Sent:
    """An order of this run, or one that a report named."""

    listing: Listing
    lots: int
    wants_cancel: bool = False
    ended: bool = False

    def cancel(self, client_id: str, cancel_id: str, now_ns: int) -> list[tuple[int, str]]:
        """The fields of its OrderCancelRequest; it is said again where the venue missed it."""
        self.wants_cancel = True
        quantity = self.listing.quantity(self.lots)
        return cancel_order(client_id, cancel_id, self.listing.native, self.lots, quantity, now_ns)


class Orders:
    """Orders by our ids. They are added and gone through under the venue's lock; `note` needs none."""

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}

    def get(self, client_id: str) -> Sent | None:
        """An order that is known; None = it never was here."""
        return self._sent.get(client_id)

    def sent(self, client_id: str, listing: Listing, lots: int) -> None:
        """An order is about to be sent."""
        self._sent.setdefault(client_id, Sent(listing, lots))

    def reported(self, orders: Iterable[OpenAtVenue], listings: Listings) -> None:
        """What a report has open: orders of earlier runs can be cancelled from now on."""
        listed = {x.symbol for x in listings}
        for order in orders:
            if order.ended is None and order.symbol in listed:
                self.sent(order.client_id, listings.here(order.symbol), order.lots)

    def note(self, client_id: str, news: VenueNews) -> None:
        """What became of one."""
        sent = self._sent.get(client_id)
        if sent is not None:
            sent.ended = sent.ended or isinstance(news, RefusedByVenue | Cancelled | Expired)
            sent.wants_cancel = sent.wants_cancel and not isinstance(news, CancelRefused)

    def open(self) -> list[tuple[str, Sent]]:
        """Those that have not ended, as far as is known."""
        return [(client_id, sent) for client_id, sent in self._sent.items() if not sent.ended]
