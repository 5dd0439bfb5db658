"""The time by which is ruled, and the day's figures: when they begin, and that they survive a restart."""

from __future__ import annotations

import time

from modules.live.messages import Marked, Moved, Stepped, VenueNews
from modules.live.risk.core import Day
from modules.live.riskd.account import Account
from modules.live.units import DAY_NS


class Days:
    """The clock (this machine's, or that of recorded data) and the day of an account."""

    def __init__(self, account: Account, *, is_recorded: bool) -> None:
        self._account, self._is_recorded = account, is_recorded
        self._venue_ns = 0
        self.day = -1
        self.has_begun = False
        self.restored: tuple[int, Day] | None = None
        """A day and its figures, as they were saved before a restart."""
        self._saved = (0, 0, 0, 0)

    def now(self) -> int:
        """The time by which is ruled, ns UTC."""
        return self._venue_ns if self._is_recorded else time.time_ns()

    def recalled(self, day: int, restored: tuple[int, Day] | None) -> None:
        """The journal was read: its last day, and the figures that it has."""
        self.day = day if self._is_recorded else self.now() // DAY_NS
        self.restored = restored
        self._account.begin(self.day)

    def hear(self, news: VenueNews) -> bool:
        """Recorded data give the time; whether a day began with these news."""
        # only the market of a recording has its time: what else is said is said now
        if not self._is_recorded or not isinstance(news, Marked | Moved | Stepped) or news.ts_ns <= self._venue_ns:
            return False
        self._venue_ns = news.ts_ns
        return self.turn(news.ts_ns)

    def turn(self, now: int) -> bool:
        """Whether a day begins. A clock that steps back begins none anew."""
        if now // DAY_NS <= self.day:
            return False
        self.day = now // DAY_NS
        self._account.new_day(self.day)
        return True

    def begin(self) -> None:
        """NAV is known now: the day's figures count from here, or go on as they were saved."""
        if self.has_begun:
            return
        self.has_begun = True
        core = self._account.core
        if self.restored is not None and self.restored[0] == self.day:
            core.set_day(self.restored[1])
        else:
            core.begin_day()
        if not self._account.buying_power_said:
            core.buying_power(max(0, core.nav_micros))

    def moved(self) -> bool:
        """Whether figures that must not be forgotten have moved since they were `saved`."""
        return self.has_begun and self._figures() != self._saved

    def saved(self) -> None:
        """They are in the journal."""
        self._saved = self._figures()

    def _figures(self) -> tuple[int, int, int, int]:
        day = self._account.core.day
        return self.day, day.first_micros, day.least_micros, day.deepest_micros
