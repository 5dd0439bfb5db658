"""A WebSocket that says who it is, listens, and comes back when it went; JSON in text or binary frames."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from modules.live.venues.exact import FigureError

_log = logging.getLogger(__name__)
MAX_MESSAGE_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class Times:
    """Seconds: for the connection to stand, between pings, and between tries."""

    open_s: float = 10.0
    ping_s: float = 10.0
    retry_s: float = 1.0
    longest_retry_s: float = 30.0


class Stream:
    """One WebSocket in a thread. `greet` makes it ready, `take` gets each message; either raises FigureError."""

    def __init__(
        self,
        name: str,
        url: str,
        times: Times,
        *,
        greet: Callable[[Callable[[object], None], Callable[[], Any]], None],
        take: Callable[[Any], None],
        state: Callable[[bool, str], None],
        beat: Callable[[], object] | None = None,
    ) -> None:
        """`greet` gets a function that sends JSON and one that receives it; `state` hears up and down, and why.

        `beat` gives what is sent every `ping_s`, whatever comes; None = the protocol's own pings are enough.
        """
        self._url, self._times, self._greet, self._take, self._state = url, times, greet, take, state
        self._beat, self._beat_at = beat, 0.0
        self._closing, self._first = threading.Event(), threading.Event()
        self._refused: str | None = None
        self._wire: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> str | None:
        """Connect; None when the stream stands, else why it does not (and it is not tried again)."""
        self._thread.start()
        if not self._first.wait(2 * self._times.open_s):
            self._closing.set()
            return f"no stream within {2 * self._times.open_s} s"
        return self._refused

    def drop(self) -> None:
        """Break the connection; it comes back."""
        wire = self._wire
        if wire is not None:
            with contextlib.suppress(OSError, WebSocketException):
                wire.close_socket()

    def close(self) -> None:
        """Hang up for good."""
        self._closing.set()
        self.drop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(self._times.open_s)

    def _run(self) -> None:
        wait = self._times.retry_s
        while not self._closing.is_set():
            was_up, why = self._once()
            if not self._first.is_set():
                self._refused = why
                self._first.set()
                return
            if was_up:
                wait = self._times.retry_s
                self._state(False, why)
            self._closing.wait(wait)
            wait = min(2 * wait, self._times.longest_retry_s)

    def _once(self) -> tuple[bool, str]:
        """One connection: whether it stood, and why it ended."""
        was_up = False
        times = self._times
        try:
            with connect(
                self._url, open_timeout=times.open_s, ping_interval=times.ping_s, ping_timeout=2 * times.ping_s,
                close_timeout=1.0, max_size=MAX_MESSAGE_BYTES, proxy=None,
            ) as wire:  # fmt: skip
                self._wire = wire
                if self._closing.is_set():  # it closed before it could see this connection
                    return was_up, "closed here"
                self._beat_at = time.monotonic() + times.ping_s
                self._greet(lambda message: wire.send(json.dumps(message)), lambda: _read(wire.recv(times.open_s)))
                was_up = True
                self._state(True, "listening")
                self._first.set()
                while not self._closing.is_set():
                    self._listen(wire)
        except (OSError, WebSocketException, FigureError, TimeoutError) as error:
            return was_up, "closed here" if self._closing.is_set() else f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 a thread that died would look like a venue that says nothing
            _log.exception("%s: the connection ended by a fault of ours", self._thread.name)
            return was_up, f"{type(error).__name__}: {error}"
        finally:
            pings = getattr(self._wire, "keepalive_thread", None)
            if pings is not None:
                pings.join(1.0)
            self._wire = None
        return was_up, "closed here"

    def _listen(self, wire: ClientConnection) -> None:
        """The next message, or a beat: a stream that is never quiet needs one too."""
        if self._beat is None:
            self._take(_read(wire.recv()))
            return
        left = self._beat_at - time.monotonic()
        if left <= 0.0:
            wire.send(json.dumps(self._beat()))
            self._beat_at = time.monotonic() + self._times.ping_s
            return
        try:
            data = wire.recv(left)
        except TimeoutError:
            return
        self._take(_read(data))


def _read(data: str | bytes) -> Any:
    try:
        return json.loads(data, parse_float=Decimal)
    except ValueError as error:
        raise FigureError(f"a message is no JSON: {error}") from None
