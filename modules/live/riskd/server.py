"""The risk core's process: one thread, a socket below the account's folder, and a venue's news.

A connection that sends garbage, reads too slowly or asks what its role may not is hung up; nothing of that reaches the
venue. A fault in the ruling itself ends the process: whoever asked hears nothing, and nothing more leaves.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import selectors
import socket
import time
from pathlib import Path
from typing import Final

from modules.live.messages import (
    Answered,
    Ask,
    Asked,
    Cancel,
    CancelAll,
    Hello,
    Kill,
    Message,
    Proceed,
    ReportAsked,
    Reset,
    StatusAsked,
    Turned,
    VenueNews,
    Welcome,
)
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.latch import LatchError
from modules.live.riskd.rulings import Rulings
from modules.live.venues.port import VenueError
from modules.live.wire import FrameReader, WireError, encode

MOST_CONNECTIONS: Final = 64
MOST_ASKED_BYTES: Final = 64 * 1024
MOST_BEHIND_BYTES: Final = 32 * 1024 * 1024
"""What a connection may leave unread before it is hung up."""
HELLO_S: Final = 5.0
TICK_S: Final = 0.1
_STATUS_S: Final = 0.1
_READ_BYTES: Final = 64 * 1024
_NAME_BYTES: Final = 128
_MAY: Final[dict[str, tuple[type[Message], ...]]] = {
    "desk": (Ask, Cancel, CancelAll, Kill, StatusAsked, ReportAsked, Proceed),
    "viewer": (StatusAsked, ReportAsked),
    "kill": (Kill, Reset, CancelAll, Cancel, StatusAsked, ReportAsked),
}

_LOG = logging.getLogger("riskd")


class _Connection:
    """One peer; `role` "" until its `Hello`."""

    __slots__ = ("born", "out", "reader", "role", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.role, self.born = sock, "", time.monotonic()
        self.reader: FrameReader[Asked] = FrameReader(Asked, MOST_ASKED_BYTES)
        self.out = bytearray()


class Server:
    """Serves `rulings` at a socket path until `stop`. The caller holds the account's lock."""

    def __init__(self, rulings: Rulings, inbox: Inbox, path: Path, limits_digest: str, *, spin_s: float = 0.0) -> None:
        self._rulings, self._inbox, self._path = rulings, inbox, path
        core = rulings.core
        self._welcome = Welcome(
            core.mode, core.build, rulings.name, limits_digest, core.limits.deadline_ms, spin_s > 0.0
        )
        self._connections: dict[int, _Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._status: tuple[float, bytes] = (-1.0, b"")
        self._spin_s = spin_s
        self._stopping = False
        self._told = 0
        rulings.say = self._say
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # of a process that is gone: the lock is ours
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(before)
        self._listener.listen(MOST_CONNECTIONS)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(inbox, selectors.EVENT_READ, inbox)

    def stop(self) -> None:
        """End `run` soon; may be called by a signal's handler."""
        self._stopping = True

    def run(self) -> None:
        """Serve. Returns after `stop`; raises what broke a ruling."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        next_tick = spins_until = 0.0
        try:
            while not self._stopping:
                now = time.monotonic()
                if now >= next_tick:
                    self._tick(now)
                    next_tick = now + TICK_S
                # Waking a process that sleeps takes longer than ruling: whoever gives it a processor lets it look on.
                ready = self._selector.select(0.0 if now < spins_until else max(0.0, next_tick - now))
                if ready:
                    spins_until = now + self._spin_s
                for key, events in ready:
                    if isinstance(key.data, _Connection):
                        self._serve(key.data, events)
                    elif key.data is None:
                        self._accept()
                    else:
                        self._inbox.woken()
                    if self._inbox:
                        self._hear()
                if self._inbox:
                    self._hear()
        finally:
            self._close()

    # --- news ----------------------------------------------------------------------------------------

    def _hear(self) -> None:
        for _ in range(len(self._inbox)):  # what comes meanwhile waits its turn behind the connections
            news = self._inbox.take()
            if news is None:
                break
            self._rulings.hear(news)
        self._rulings.after_news()

    def _say(self, news: VenueNews) -> None:
        frame = b""
        for connection in list(self._connections.values()):
            if connection.role in ("desk", "viewer"):
                frame = frame or encode(news)
                self._write(connection, frame)

    def _tick(self, now: float) -> None:
        self._rulings.tick()
        if self._inbox:
            self._hear()
        for connection in list(self._connections.values()):
            if not connection.role and now - connection.born > HELLO_S:
                self._hang_up(connection)
        remarks = self._rulings.account.remarks
        for remark in remarks:
            _LOG.warning("%s", remark)
        remarks.clear()

    # --- connections ---------------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = self._listener.accept()
            if len(self._connections) >= MOST_CONNECTIONS:
                self._make_room()
            sock.setblocking(False)
            connection = _Connection(sock)
            self._connections[sock.fileno()] = connection
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _make_room(self) -> None:
        """Strangers, then viewers, the oldest first: who wants to kill always gets in."""
        for role in ("", "viewer", "kill"):
            for connection in self._connections.values():
                if connection.role == role:
                    self._hang_up(connection)
                    return

    def _serve(self, connection: _Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(connection)
        if not events & selectors.EVENT_READ or connection.sock.fileno() < 0:
            return
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(connection)
            return
        try:
            messages = connection.reader.feed(data)
        except WireError as error:
            _LOG.warning("%s: %s", connection.role or "stranger", error)
            self._turn_away(connection, str(error))
            return
        for message in messages:
            if connection.sock.fileno() < 0:
                return  # hung up by the one before
            if isinstance(message, Ask) and connection.role == "desk":
                self._ask(connection, message)
            else:
                self._other(connection, message)

    def _ask(self, connection: _Connection, ask: Ask) -> None:
        if (
            not 0 < len(ask.client_id) <= _NAME_BYTES
            or len(ask.symbol) > _NAME_BYTES
            or not -1 <= ask.parent_left < 2**53
        ):
            self._turn_away(
                connection, f"an order with client_id {ask.client_id[:20]!r}, parent_left {ask.parent_left}"
            )
            return
        self._write(connection, encode(self._rulings.ask(ask)))

    def _other(self, connection: _Connection, message: Asked) -> None:
        if not connection.role:
            self._greet(connection, message)
            return
        if not isinstance(message, _MAY[connection.role]):
            reason = f"the role {connection.role} may not ask for {type(message).__name__}"
            self._turn_away(connection, reason)
            return
        answer: Answered
        if isinstance(message, StatusAsked):
            self._write(connection, self._status_frame())
            return
        if isinstance(message, Proceed):
            self._rulings.proceed(message)
            return
        if isinstance(message, Cancel):
            self._rulings.cancel(message)
            return
        if isinstance(message, CancelAll):
            trouble = self._rulings.cancel_all(message)
            _LOG.warning("cancel all by %s: %s (%s)", message.by, message.reason, trouble or "sent")
            return
        if isinstance(message, Kill):
            answer = self._rulings.kill(message)
            _LOG.warning("KILLED by %s: %s", message.by, message.reason)
        elif isinstance(message, Reset):
            try:
                answer = self._rulings.reset(message)
                _LOG.warning("reset by %s: %s", message.by, message.reason)
            except (LatchError, VenueError) as error:
                answer = Turned(f"not reset: {error}")
        elif isinstance(message, ReportAsked):
            answer = self._rulings.report()
        else:
            answer = Turned("one Hello is enough")
        self._status = (-1.0, b"")
        try:
            frame = encode(answer)
        except WireError as error:
            frame = encode(Turned(str(error)))
        self._write(connection, frame)

    def _status_frame(self) -> bytes:
        """Made at most ten times a second, whoever asks."""
        made, frame = self._status
        now = time.monotonic()
        if now - made > _STATUS_S:
            frame = encode(self._rulings.status())
            self._status = (now, frame)
        return frame

    def _greet(self, connection: _Connection, hello: Asked) -> None:
        welcome = self._welcome
        if not isinstance(hello, Hello):
            self._turn_away(connection, f"{type(hello).__name__} before Hello")
        elif hello.account != welcome.account:
            self._turn_away(connection, f"this is account {welcome.account}, not {hello.account}")
        elif hello.role == "desk" and hello.mode != welcome.mode:
            self._turn_away(connection, f"mode {hello.mode}; the risk core runs {welcome.mode}: start both the same")
        elif hello.role == "desk" and hello.build != welcome.build:
            self._turn_away(
                connection, f"build {hello.build[:12]}; the risk core runs {welcome.build[:12]}: restart it"
            )
        elif hello.role == "desk" and not self._desk_is_gone():
            self._turn_away(connection, "another desk is connected; end it first")
        else:
            connection.role = hello.role
            self._write(connection, encode(welcome))

    def _desk_is_gone(self) -> bool:
        """Whether no desk is connected. What a dead one left unread is never taken: its asks would come too late."""
        for connection in [c for c in self._connections.values() if c.role == "desk"]:
            poll = select.poll()
            poll.register(connection.sock, select.POLLRDHUP)
            if not poll.poll(0):
                return False
            self._hang_up(connection)
        return True

    def _turn_away(self, connection: _Connection, reason: str) -> None:
        self._write(connection, encode(Turned(reason)))
        self._hang_up(connection)

    # --- bytes ---------------------------------------------------------------------------------------

    def _write(self, connection: _Connection, frame: bytes) -> None:
        """Send without ever waiting: what does not fit is kept, up to a limit."""
        if connection.sock.fileno() < 0:
            return
        if not connection.out:
            try:
                sent = connection.sock.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._hang_up(connection)
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._selector.modify(connection.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
        connection.out += frame
        if len(connection.out) > MOST_BEHIND_BYTES:
            _LOG.warning("a %s reads too slowly; hung up", connection.role)
            self._hang_up(connection)

    def _flush(self, connection: _Connection) -> None:
        try:
            sent = connection.sock.send(connection.out)
        except BlockingIOError:
            return
        except OSError:
            self._hang_up(connection)
            return
        del connection.out[:sent]
        if not connection.out:
            self._selector.modify(connection.sock, selectors.EVENT_READ, connection)

    def _hang_up(self, connection: _Connection) -> None:
        number = connection.sock.fileno()
        if number < 0:
            return
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.sock)
        self._connections.pop(number, None)
        connection.sock.close()

    def _close(self) -> None:
        for connection in list(self._connections.values()):
            self._hang_up(connection)
        self._selector.close()
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
