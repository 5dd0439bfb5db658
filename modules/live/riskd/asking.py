"""A venue asked what it has, within a time: adapters make as many round trips as they need, and may hang in one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from modules.live.messages import Report
from modules.live.venues.port import Venue, VenueError

ANSWER_S: Final = 20.0
"""How long the ruling thread waits: less than whoever asked the risk core does, more than an adapter may be given."""
_STEP_S: Final = 0.005
"""How long a cancel may wait for a venue that is being asked."""


class Asking:
    """One question at a time. An answer that comes too late counts nothing: the venue is asked again.

    `meanwhile` is called in the waiting thread, again and again until there is an answer: what may not wait for it. It
    never asks itself.
    """

    def __init__(self, venue: Venue, answer_s: float = ANSWER_S) -> None:
        self._venue, self.answer_s = venue, answer_s
        self.meanwhile: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None
        self._since = 0.0

    def report(self) -> Report:
        """What the venue has. Raises VenueError within the time, and at once while an older question has no answer."""
        if self._thread is not None and self._thread.is_alive():
            raise VenueError(f"still asking: no answer for {time.monotonic() - self._since:.0f} s")
        answers: list[Report | VenueError] = []

        def ask() -> None:
            try:
                answers.append(self._venue.report())
            except VenueError as error:
                answers.append(error)
            except Exception as error:  # noqa: BLE001 - whatever an adapter does, the venue is asked again
                answers.append(VenueError(f"the adapter broke while it asked: {type(error).__name__}: {error}"))

        self._since = time.monotonic()
        self._thread = threading.Thread(target=ask, name="report", daemon=True)
        self._thread.start()
        while self._thread.is_alive() and (left := self._since + self.answer_s - time.monotonic()) > 0.0:
            self._thread.join(min(left, _STEP_S))
            if self._thread.is_alive():
                self.meanwhile()
        if not answers:
            raise VenueError(f"still asking: no answer in {self.answer_s:g} s")
        if isinstance(answers[0], VenueError):
            raise answers[0]
        return answers[0]
