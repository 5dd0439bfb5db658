"""Whether a market is open, by its calendar: outside of its sessions silence is no fault."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.calendars import sessions
from modules.live.units import MILLI_NS

_ALWAYS: Final = (-(2**63), 2**63 - 1)


class Hours:
    """The sessions of a calendar, each with `closing_ms` after its close; "UNKNOWN" is open always.

    Raises ValueError for a calendar that nobody knows.
    """

    def __init__(self, calendar: str, closing_ms: int = 0) -> None:
        known = sessions(calendar)
        if known is None:
            self._opens, self._ends = np.array([_ALWAYS[0]]), np.array([_ALWAYS[1]])
        else:
            ends = known.close_ns + closing_ms * MILLI_NS
            breaks = known.open_ns[1:] > ends[:-1]  # sessions that follow at once are one: 24/7 never closes
            self._opens = known.open_ns[np.r_[True, breaks]]
            self._ends = ends[np.r_[breaks, True]]
        self._stand = (False, 0, 0)

    def is_open(self, now_ns: int) -> bool:
        """Whether a session is on."""
        return self._at(now_ns)[0]

    def opened_ns(self, now_ns: int) -> int:
        """When the last session began; before everything where there was none."""
        return self._at(now_ns)[1]

    def _at(self, now_ns: int) -> tuple[bool, int, int]:
        """Open or not, when it opened, and how long that holds; looked up where the last answer is over."""
        if not self._stand[1] <= now_ns < self._stand[2]:
            at = int(np.searchsorted(self._opens, now_ns, side="right")) - 1
            later = int(self._opens[at + 1]) if at + 1 < self._opens.size else _ALWAYS[1]
            if at < 0:
                self._stand = (False, _ALWAYS[0], later)
            elif now_ns < int(self._ends[at]):
                self._stand = (True, int(self._opens[at]), int(self._ends[at]))
            else:
                return False, int(self._opens[at]), later
        return self._stand
