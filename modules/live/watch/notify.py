"""Where alerts are told: a log of JSON lines, a webhook. A receiver that does not answer holds nothing up."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from modules.live.watch.alerts import Alert

MOST_LOG_BYTES: Final = 16 * 1024 * 1024
"""A log that is longer is set aside as `.1`, in place of the one before."""

MOST_WAITING: Final = 1_000
TRIES: Final = 3
TIMEOUT_S: Final = 1.5
PAUSE_S: Final = 0.3


class Sink(Protocol):
    """Takes alerts; never raises and never waits long."""

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Take what began or ended."""


class LogSink:
    """JSON lines in a file."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self.path, self._complain = path, complain

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Append them; a disk that does not take them is complained of."""
        lines = b"".join(msgspec.json.encode(a) + b"\n" for a in alerts)
        if not lines:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.path.exists() and self.path.stat().st_size > MOST_LOG_BYTES:
                self.path.replace(self.path.with_suffix(".1"))
            with self.path.open("ab") as log:
                log.write(lines)
        except OSError as error:
            self._complain(f"the log of alerts {self.path} cannot be written: {error.strerror}")


class WebhookSink:
    """POSTs one JSON object an alert, in a thread of its own; tries three times, then complains and goes on."""

    def __init__(self, url: str, complain: Callable[[str], None]) -> None:
        self._url, self._complain = url, complain
        self._queue: queue.Queue[Alert | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="cws-webhook", daemon=True)
        self._thread.start()

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Put them in the queue; one that is full is complained of."""
        for alert in alerts:
            try:
                self._queue.put_nowait(alert)
            except queue.Full:
                self._complain(f"{MOST_WAITING} alerts wait for the webhook; not sent: {alert.line}")

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what waits, for at most so long."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        import httpx

        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            while (alert := self._queue.get()) is not None:
                words = self._post(client, alert)
                if words is not None:
                    self._complain(f"the webhook took no alert ({words}): {alert.line}")

    def _post(self, client: object, alert: Alert) -> str | None:
        """None = it was taken; else why not."""
        import httpx

        assert isinstance(client, httpx.Client)
        body = msgspec.json.encode({"text": alert.line, "alert": msgspec.to_builtins(alert)})
        words = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE_S)
            try:
                answer = client.post(self._url, content=body, headers={"Content-Type": "application/json"})
            except httpx.HTTPError as error:
                words = f"{type(error).__name__}: {error}"
                continue
            if answer.is_success:
                return None
            words = f"HTTP {answer.status_code}"
        return words
