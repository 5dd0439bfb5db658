"""Requests that wait for an answer are made by a thread of their own: who submits never waits for it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

from modules.live.venues.port import VenueError

_log = logging.getLogger(__name__)
MOST_WAITING: Final = 1_000
"""Requests that may wait; more are refused before they are sent."""


class Sender:
    """Runs jobs one after the other. A job handles its own failures; one that does not is logged, and the next runs."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None], *, is_order: bool = True) -> None:
        """Queue a job. Raises VenueError where too many wait; what ends orders may always wait."""
        if is_order and self._jobs.qsize() >= MOST_WAITING:
            raise VenueError(f"{MOST_WAITING} requests wait for the venue; not sent. Send fewer")
        self._jobs.put(job)

    def close(self, seconds: float) -> None:
        """Run what waits, then end; give up after some seconds."""
        self._jobs.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 the thread outlives whatever a job did not foresee; it is said, not hidden
                _log.exception("a request to the venue failed in a way that it does not handle")


class Throttle:
    """When the venue said to come back. For any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._until = clock, 0.0

    def told(self, seconds: float) -> None:
        """The venue asked to wait."""
        self._until = max(self._until, self._clock() + seconds)

    @property
    def left_s(self) -> float:
        """Seconds to wait yet."""
        return max(0.0, self._until - self._clock())


def retry_after_s(header: str | None, now_s: float, default_s: float = 1.0, most_s: float = 300.0) -> float:
    """Seconds that a Retry-After header asks for: a number, or a date."""
    if header is None:
        return default_s
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now_s
        except (TypeError, ValueError):
            return default_s
    return min(max(seconds, 0.0), most_s) if seconds == seconds else default_s
