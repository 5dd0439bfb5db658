"""A runner agrees with its venue again: after whatever was lost, and once a day; what stands between them is said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, Protocol

from modules.live.messages import Report
from modules.live.units import DAY_NS

SAID_S: Final = 10.0
"""How long a reason stands before another one is said."""


class Agrees(Protocol):
    """A desk that is asked whether book and venue agree."""

    @property
    def cancel_only(self) -> str | None:
        """Why only cancels may go out; None = book and venue agree."""

    def agree(self) -> str | None:
        """Ask the venue what it has; `cancel_only` afterwards."""

    def report(self) -> Report:
        """What the venue had when it was asked last."""


class Agreeing:
    """Looked at again and again. `take` is given each report on which book and venue agreed, once."""

    def __init__(self, desk: Agrees, say: Callable[[str], None], take: Callable[[Report], None], now_ns: int) -> None:
        self._desk, self._say, self._take = desk, say, take
        self._day, self._taken = now_ns // DAY_NS, desk.report()
        self._told: str | None = None
        self._told_at = -math.inf

    def look(self, now_ns: int) -> None:
        """Ask where a day began, say what changed, hand on what was agreed."""
        desk = self._desk
        if now_ns // DAY_NS > self._day:
            self._day = now_ns // DAY_NS
            desk.agree()
        self._tell(desk.cancel_only)
        if desk.cancel_only is None and (report := desk.report()) is not self._taken:
            self._taken = report
            self._take(report)

    def _tell(self, why: str | None) -> None:
        if why == self._told:
            return
        changes = (why is None) != (self._told is None)
        if changes or time.monotonic() - self._told_at >= SAID_S:
            self._told, self._told_at = why, time.monotonic()
            self._say("book and venue agree again" if why is None else why)
