"""What the runner needs of the desk, and where its bars come from."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from modules.live.messages import Report, VenueNews
from modules.live.orders.order import Ticket
from modules.live.runner.taped import Outcome


class OrderDesk(Protocol):
    """The way out: one account's order management."""

    def submit(self, ticket: Ticket) -> Outcome:
        """Ask for an order to be sent; the same ticket again is not sent again."""

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel; what becomes of it is heard."""

    def poll(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said meanwhile, in order."""

    @property
    def cancel_only(self) -> str | None:
        """Why only cancels may go out; None = book and venue agree."""

    def agree(self) -> str | None:
        """Ask the venue what it has; `cancel_only` afterwards."""

    def report(self) -> Report:
        """What the venue had of the account when it was asked last."""

    def proceed(self, ts_ns: int) -> None:
        """Nothing more is ordered at this moment: a venue that plays recorded data goes on."""


class Bars(Protocol):
    """Where closed bars come from."""

    def closed(self, ts_ns: int) -> tuple[pl.DataFrame, int]:
        """Records that became known with the bar `ts_ns`, and when all of them were. Raises DecideError."""


class Market(Bars, Protocol):
    """A market that is live: `modules/live/feeds/station.py` is one."""

    def poll(self, timeout_s: float) -> list[int]:
        """Labels of the bars that closed, in order; waits for one."""

    def may_open(self, ticket: Ticket, held: int) -> str | None:
        """Why an order may not go out while `held` lots are held: a feed that stalls. What only reduces may."""


class RecordedBars:
    """The records of a data set, bar by bar. `after_ns`: the label of the last bar that is known already."""

    def __init__(self, records: pl.DataFrame, after_ns: int) -> None:
        self._records = records.sort("event_time", "available_at", "symbol")
        self._labels = self._records["event_time"].to_physical()
        self._known = self._records["available_at"].to_physical().cum_max()
        self._at = int(self._labels.search_sorted(after_ns, side="right"))

    def closed(self, ts_ns: int) -> tuple[pl.DataFrame, int]:
        """Everything up to the bar that was not given yet."""
        end = int(self._labels.search_sorted(ts_ns, side="right"))
        rows = self._records[self._at : end]
        self._at = max(self._at, end)
        return rows, max(ts_ns, int(self._known[end - 1])) if end else ts_ns
