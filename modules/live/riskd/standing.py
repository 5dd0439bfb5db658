"""Whether it is known where the account stands: the venue is asked until it agrees; until then orders are refused."""

from __future__ import annotations

from typing import Final

from modules.live.messages import Connection, Report
from modules.live.riskd.account import Account
from modules.live.riskd.asking import Asking
from modules.live.venues.port import Venue, VenueError

LOOKS: Final = 3
"""How often the venue is asked before what it lacks is believed."""
_LOOK_AGAIN_NS: Final = 1_000_000_000
_BROKEN_NS: Final = 30_000_000_000


class Standing:
    """The reasons why nothing may go out, each on its own; `refusing` is the gravest."""

    def __init__(self, account: Account, venue: Venue) -> None:
        self._account, self.venue_asked = account, Asking(venue)
        self.unanswered: dict[str, int] = {}
        """Orders of which the venue said nothing yet, and when they were sent (monotonic ns)."""
        self.asking: str | None = "the venue was not asked yet what it has"
        self.breaks: list[str] = []
        self.down: str | None = None
        self.fault: str | None = None
        self.is_blind = False
        """Something is held that has no price, so NAV is not known."""
        self.refusing: str | None = self.asking
        self._looks, self.look_ns = 0, 0

    def update(self) -> None:
        """Put the reasons together; None = orders may go out."""
        blind = "no price yet of " + ", ".join(self._account.core.unmarked()[:5]) if self.is_blind else None
        more = f" and {len(self.breaks) - 1} more" if len(self.breaks) > 1 else ""
        broken = f"{self.breaks[0]}{more}; a human accepts the venue's account by a reset" if self.breaks else None
        self.refusing = self.fault or self.down or self.asking or broken or blind

    def connection(self, news: Connection) -> None:
        """The connection came or went. After it came back nothing is known until the venue was asked."""
        self.down = None if news.is_up else f"no connection to {news.venue}: {news.reason}"
        if news.is_up:
            self.doubt("the connection came back")
        self.update()

    def doubt(self, why: str) -> None:
        """Something happened that only the venue can explain."""
        if self.asking is None:
            self.look_ns = 0
        self._looks = 0  # what is new was not looked for yet
        self.asking = f"asking the venue what it has: {why}"
        self.update()

    def failed(self, why: str) -> None:
        """The journal cannot be written."""
        self.fault = f"the journal cannot be written: {why}"
        self.update()

    def mended(self) -> None:
        """The journal works again; what the venue said meanwhile is not in it."""
        self.fault = None
        self.doubt("the journal works again")

    def is_due(self, mono: int) -> bool:
        """Whether to `look`: while it is asked, and now and then while both differ."""
        return (self.asking is not None or bool(self.breaks)) and self.down is None and mono >= self.look_ns

    def look(self, mono: int) -> bool:
        """Ask the venue once, and compare; True = it is settled, agreed or broken. What it lacks is believed late."""
        self.look_ns = mono + _LOOK_AGAIN_NS
        self._looks += 1
        try:
            report = self.report()
        except VenueError as error:
            self._looks = max(0, self._looks - 1)
            self.asking = f"the venue does not say what it has: {error}"
            self.update()
            return False
        if not self._looks:
            return False  # a new doubt came while the venue was asked: it may know nothing of that yet
        differs = self._account.compare(report, is_final=self._looks >= LOOKS)
        self._account.doubts.clear()  # they were the reason to ask
        if differs and (self._looks < LOOKS or not report.complete):
            self.asking = f"asking the venue what it has: {differs[0]}"
            self.update()
            return False
        if not differs:
            self._account.settle_cash(report)
        self.settled(differs, mono)
        return True

    def settled(self, breaks: list[str], mono: int = 0) -> None:
        """The venue was asked; this is what remains."""
        self.asking, self.breaks = None, breaks
        self.look_ns = mono + _BROKEN_NS
        self.update()

    def report(self) -> Report:
        """What the venue has. Raises VenueError. While an order has no answer yet, it cannot be complete."""
        report = self.venue_asked.report()
        if self.unanswered and report.complete:
            told = {o.client_id for o in report.orders}
            if any(i not in told for i in self.unanswered):
                return Report(report.venue, report.orders, report.positions, report.cash_micros, False, report.ts_ns)
        return report
