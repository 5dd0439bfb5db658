"""Closing everything, from what the venue itself says it holds: cancel, wait, close, look again, until it is flat.

It needs no figures of the risk core, so it works where those are wrong or gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from modules.live.messages import Ask, Mode, Report
from modules.live.orders.ids import client_id
from modules.live.venues.port import Venue, VenueError

STRATEGY: Final = "flatten"
"""Under this name the risk core's own orders go out."""

_LOOK_NS: Final = 200_000_000
_CANCELLING_NS: Final = 5_000_000_000
_CLOSING_NS: Final = 10_000_000_000
_LEAST_WAIT_NS: Final = 500_000_000
_MOST_WAIT_NS: Final = 60_000_000_000
_MOST_ORDERS: Final = 20_000


class Flattening:
    """One closing of an account. Call `step` now and then; it never closes more than the venue says is held.

    `send` records and sends one closing order of so many lots. `report`: how the venue is asked, where it is not by
    itself; raises VenueError.
    """

    def __init__(
        self, venue: Venue, account: str, mode: Mode, build: str, send: Callable[[Ask, int], None],
        report: Callable[[], Report] | None = None,
    ) -> None:  # fmt: skip
        self._report = report or venue.report
        self._venue, self._account, self._mode, self._build, self._send = venue, account, mode, build, send
        self._next_ns = self._asked_ns = 0
        self._sent = self._tries = 0
        self._waits_for: set[str] = set()
        self._ours: set[str] = set()
        self.is_flat = False
        self.left: dict[str, int] = {}
        self.trouble: str | None = None

    def step(self, mono_ns: int, now_ns: int) -> None:
        """Look at the venue, if it is time, and do what is next. `mono_ns`: a clock that never steps back."""
        if mono_ns < self._next_ns:
            return
        self._next_ns = mono_ns + _LOOK_NS
        try:
            report = self._report()
            if not report.complete:
                self.trouble = "the venue told only a part of what it has"
                return
            open_ = [o for o in report.orders if o.ended is None]
            before, self.left = self.left, {s: lots for s, lots in sorted(report.positions.items()) if lots}
            if self.left != before:
                self._tries = min(self._tries, 1)
            self.is_flat = not open_ and not self.left
            self.trouble = None
            if self.is_flat:
                self._next_ns = mono_ns + 5 * _LOOK_NS
                return
            ours = [o for o in open_ if o.client_id in self._ours]
            if len(ours) != len(open_) or (ours and mono_ns - self._asked_ns > _CLOSING_NS):
                if mono_ns - self._asked_ns > _CANCELLING_NS or not self._asked_ns:
                    self._asked_ns = mono_ns
                    self._venue.cancel_all()
                return
            self._waits_for -= {o.client_id for o in report.orders}
            if self._waits_for and mono_ns - self._asked_ns < _CLOSING_NS:
                return  # on its way to the venue, or to its report
            if not ours:  # nothing can fill any more but what we send now
                self._close(mono_ns, now_ns)
        except VenueError as error:
            self.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - whatever an adapter does, closing is tried again
            self.trouble = f"{type(error).__name__}: {error}"

    def _close(self, mono_ns: int, now_ns: int) -> None:
        wait_ns = min(_MOST_WAIT_NS, _LEAST_WAIT_NS << min(self._tries, 10)) if self._tries else 0
        if mono_ns - self._asked_ns < wait_ns:
            return  # refused or cancelled before: a closed market does not open by asking often
        self._tries += 1
        self._asked_ns = mono_ns
        self._waits_for.clear()
        for symbol, lots in self.left.items():
            if self._sent >= _MOST_ORDERS:
                self.trouble = f"{self._sent} closing orders did not close the account; a human must"
                return
            self._sent += 1
            name = client_id(self._account, STRATEGY, now_ns, symbol, self._sent)
            self._waits_for.add(name)
            self._ours.add(name)
            self._send(Ask(name, STRATEGY, symbol, -lots, self._venue.name, self._mode, self._build, now_ns), -lots)

    @property
    def sentence(self) -> str:
        """For the status: what is still held, and what stands in the way."""
        if self.is_flat:
            return "flat"
        held = ", ".join(f"{s} {lots}" for s, lots in list(self.left.items())[:5])
        return f"closing {held or 'what is open'}" + (f" ({self.trouble})" if self.trouble else "")
