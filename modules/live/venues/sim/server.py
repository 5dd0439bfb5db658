"""The simulated exchange: one account, served over TCP to any number of connections by one thread.

The account outlives connections: news are numbered and kept for who comes back, orders stay where they are. Whoever
reads too slowly, speaks out of turn or sends what is no message is hung up on.
"""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import threading
import time
from collections import deque
from types import TracebackType
from typing import Final, assert_never

from modules.live.messages import Cancel, CancelAll, Message, Proceed, Report, ReportAsked, Stepped, Turned, VenueNews
from modules.live.venues.sim.matching import Matching
from modules.live.venues.sim.protocol import (
    LoggedOn,
    LogOn,
    NewOrder,
    Ping,
    Resend,
    Said,
    ToExchange,
    to_exchange,
)
from modules.live.wire import WireError, encode

KEPT_NEWS: Final = 8_192
"""News that can be said again; who missed more asks for a report."""
MOST_UNREAD_BYTES: Final = 32 * 1024 * 1024
ORDERS_A_PART: Final = 2_000
MOST_CONNECTIONS: Final = 64
_READ_BYTES: Final = 1 << 18


class _Line:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.frames = sock, to_exchange()
        self.unsent = bytearray()
        self.account: str | None = None


class SimExchange:
    """Serves `matching` at `address`. `start` and `close`, or use it as a context; `serve` runs in this thread.

    `pace_s`: go on by itself, so many seconds a moment; None = go on when told (`Proceed`).
    """

    def __init__(
        self, matching: Matching, account: str = "sim", host: str = "127.0.0.1", port: int = 0,
        pace_s: float | None = None,
    ) -> None:  # fmt: skip
        self.matching, self.account, self._pace_s = matching, account, pace_s
        self._moment_ns, self._due_s = 0, time.monotonic() + (pace_s or 0.0)
        self.session = secrets.token_hex(8)
        self._listener = socket.create_server((host, port))
        self._listener.setblocking(False)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._lines: dict[socket.socket, _Line] = {}
        self._news: deque[Said] = deque(maxlen=KEPT_NEWS)
        self._number = -1
        self._thread: threading.Thread | None = None
        self._is_over = False
        self.lock = threading.Lock()
        """Held while the exchange works: whoever looks at `matching`, or says news, from another thread takes it."""

    # --- running ------------------------------------------------------------------------------------

    def start(self) -> SimExchange:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="sim-exchange", daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve until `close`."""
        try:
            while not self._is_over:
                wait_s = None if self._pace_s is None else max(0.0, self._due_s - time.monotonic())
                ready = self._selector.select(wait_s)
                with self.lock:
                    self._go_on()
                    for key, events in ready:
                        if key.fileobj is self._listener:
                            self._accept()
                        elif key.fileobj is self._woken:
                            self._woken.recv(4096)
                        else:
                            self._attend(self._lines.get(key.fileobj), events)  # type: ignore[call-overload]  # socket
        finally:
            for line in list(self._lines.values()):
                self._hang_up(line)
            self._selector.close()
            for sock in (self._listener, self._wake, self._woken):
                sock.close()

    def _go_on(self) -> None:
        """The next moment, where this exchange has a pace of its own and it is time."""
        if self._pace_s is None or time.monotonic() < self._due_s:
            return
        self._due_s += self._pace_s
        news = self.matching.proceed(self._moment_ns)
        self.say(news)
        last = news[-1] if news else None
        if isinstance(last, Stepped):
            self._moment_ns = last.ts_ns
            if last.is_last:
                self._pace_s = None

    def stop(self) -> None:
        """Let `serve` end; from any thread, or a signal's handler."""
        self._is_over = True
        with contextlib.suppress(OSError):
            self._wake.send(b"x")

    def close(self) -> None:
        """Stop serving; the account stays in `matching`."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> SimExchange:
        """Started."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closed."""
        self.close()

    # --- connections --------------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if len(self._lines) >= MOST_CONNECTIONS:
                sock.close()
                return
            self._lines[sock] = _Line(sock)
            self._selector.register(sock, selectors.EVENT_READ)

    def _attend(self, line: _Line | None, events: int) -> None:
        if line is None:
            return
        if events & selectors.EVENT_WRITE:
            self._flush(line)
        if not events & selectors.EVENT_READ:
            return
        try:
            data = line.sock.recv(_READ_BYTES)
            messages = line.frames.feed(data) if data else None
        except BlockingIOError:
            return
        except WireError as error:
            self._send(line, Turned(f"{error}; reconnect"))
            self._hang_up(line)
            return
        except OSError:
            messages = None
        if messages is None:
            self._hang_up(line)
            return
        for message in messages:
            if line.sock in self._lines:
                self._take(line, message)

    def _hang_up(self, line: _Line) -> None:
        if self._lines.pop(line.sock, None) is not None:
            self._selector.unregister(line.sock)
            line.sock.close()

    def _send(self, line: _Line, *messages: Message) -> None:
        waits = bool(line.unsent)
        line.unsent += b"".join(map(encode, messages))
        if not waits:
            self._flush(line)
        if len(line.unsent) > MOST_UNREAD_BYTES:
            self._hang_up(line)

    def _flush(self, line: _Line) -> None:
        try:
            while line.unsent:
                del line.unsent[: line.sock.send(line.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up(line)
            return
        if line.sock in self._lines:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
            self._selector.modify(line.sock, events)

    # --- what is said -------------------------------------------------------------------------------

    def _take(self, line: _Line, message: ToExchange) -> None:
        """Do what a message asks."""
        if isinstance(message, Ping):
            self._send(line, message)
        elif isinstance(message, LogOn):
            self._log_on(line, message)
        elif line.account is None:
            self._send(line, Turned("log on first"))
            self._hang_up(line)
        elif isinstance(message, NewOrder):
            self.say(self.matching.submit(message))
        elif isinstance(message, Cancel):
            self.say(self.matching.cancel(message.client_id))
        elif isinstance(message, CancelAll):
            self.say(self.matching.cancel_all())
        elif isinstance(message, Proceed):
            self.say(self.matching.proceed(message.ts_ns))
        elif isinstance(message, ReportAsked):
            self._report(line)
        elif isinstance(message, Resend):
            self._say_again(line, message.after)
        else:
            assert_never(message)

    def _log_on(self, line: _Line, asked: LogOn) -> None:
        if line.account is not None or asked.account != self.account:
            reason = "logged on already" if line.account is not None else f"account {asked.account} is not served here"
            self._send(line, Turned(f"{reason}; log on once, to account {self.account}"))
            self._hang_up(line)
            return
        line.account = asked.account
        self._send(line, LoggedOn(self.session, self._number, self.matching.symbols))
        if asked.session == self.session and asked.after >= 0:
            self._say_again(line, asked.after)
        else:
            self._send(line, *(Said(-1, news) for news in self.matching.standing()))

    def say(self, news: list[VenueNews]) -> None:
        """Number news and tell them to all who are logged on."""
        if not news:
            return
        said = []
        for one in news:
            self._number += 1
            said.append(Said(self._number, one))
        self._news.extend(said)
        for line in [x for x in self._lines.values() if x.account is not None]:
            self._send(line, *said)

    def _say_again(self, line: _Line, after: int) -> None:
        oldest = self._news[0].number if self._news else 0
        if after + 1 < oldest or after > self._number:
            self._send(line, Turned(f"news after {after} are not kept; log on anew and ask for a report"))
            self._hang_up(line)
            return
        self._send(line, *(said for said in self._news if said.number > after))

    def _report(self, line: _Line) -> None:
        """In parts that fit a frame; only the last is complete."""
        whole: Report = self.matching.report()
        parts = range(0, max(1, len(whole.orders)), ORDERS_A_PART)
        for begin in parts:
            orders = whole.orders[begin : begin + ORDERS_A_PART]
            is_last = begin == parts[-1]
            part = Report(whole.venue, orders, whole.positions, whole.cash_micros, is_last, whole.ts_ns)
            self._send(line, part)
