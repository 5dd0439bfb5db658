"""The venue that speaks to a simulated exchange over TCP: one thread reads, whoever calls writes.

What was not answered in time, or was on its way when the connection went, is `Lost`. A connection that went is made
anew; news that were missed are asked for by their numbers, so that nothing is heard twice and nothing left out.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import struct
import threading
import time
from typing import Final

from modules.live.messages import (
    Ask,
    Cancel,
    CancelAll,
    Connection,
    Lost,
    Message,
    Proceed,
    Report,
    ReportAsked,
    Turned,
    VenueNews,
)
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.sim.protocol import (
    LoggedOn,
    LogOn,
    NewOrder,
    Ping,
    Resend,
    Said,
    ToVenue,
    to_venue,
)
from modules.live.wire import FrameReader, WireError, encode

_READ_BYTES: Final = 1 << 18
_BACK_OFF_S: Final = (0.02, 1.0)
_REPORT_S: Final = 10.0


class SimVenue:
    """One account at the exchange at `address`.

    `answer_s`: after so long without an answer an order is lost; `quiet_s`: after so long without a word the exchange
    is asked whether it is there, after twice it is gone; `connect_s`: it may be at work when somebody logs on, and
    answers when it is done.
    """

    def __init__(
        self, address: tuple[str, int], account: str = "sim", *, name: str = "sim", answer_s: float = 2.0,
        quiet_s: float = 5.0, connect_s: float = 20.0,
    ) -> None:  # fmt: skip
        self.name = name
        self._address, self._account, self._answer_s, self._quiet_s = address, account, answer_s, quiet_s
        self._connect_s = connect_s
        self._writing = threading.Lock()
        self._hear: Hear = lambda news: None
        self._sock: socket.socket | None = None
        self._dialled: socket.socket | None = None
        self._frames: FrameReader[ToVenue] = to_venue()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._waiting: dict[str, float] = {}
        self._session, self._number = "", -1
        self._asked_again_s = -math.inf
        self._heard_s = 0.0
        self._pinged = False
        self._reports: list[Report] = []
        self._report_end = threading.Event()
        self.symbols: tuple[str, ...] = ()

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Connect and log on. Raises VenueError."""
        if self._thread is not None:
            raise VenueError(f"venue {self.name} was opened before; make a new one")
        self._hear = hear
        rest = self._connect()
        self._thread = threading.Thread(target=self._read, args=(rest,), name=f"venue-{self.name}", daemon=True)
        self._thread.start()

    def submit(self, ask: Ask, lots: int) -> None:
        """Send an order. Raises VenueError where not one byte left."""
        order = NewOrder(ask.client_id, ask.symbol, lots, ask.order_type, ask.time_in_force, ask.limit_price)
        self._waiting[ask.client_id] = time.monotonic() + self._answer_s
        try:
            self._send(order)
        except VenueError:
            if self._waiting.pop(ask.client_id, None) is not None:  # else it has been said to be lost already
                raise

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises VenueError where not one byte left."""
        self._send(Cancel(client_id))

    def cancel_all(self) -> None:
        """Ask for a cancel of everything. Raises VenueError where not one byte left."""
        self._send(CancelAll(self._account, "asked"))

    def proceed(self, ts_ns: int) -> None:
        """Nothing more is ordered at the moment `ts_ns`. Raises VenueError where not one byte left."""
        self._send(Proceed(ts_ns))

    def report(self) -> Report:
        """What the exchange has of the account. Raises VenueError where it does not say."""
        self._reports, self._report_end = [], threading.Event()
        end = self._report_end
        self._send(ReportAsked())
        if not end.wait(_REPORT_S) or not self._reports or not self._reports[-1].complete:
            self._break_off()  # so that no part of it is taken for one of the next
            raise VenueError(f"venue {self.name} gave no report; ask again once it is connected")
        last = self._reports[-1]
        orders = tuple(o for part in self._reports for o in part.orders)
        return Report(self.name, orders, last.positions, last.cash_micros, True, last.ts_ns)

    def close(self) -> None:
        """Hang up. Orders stay where they are."""
        self._closing.set()
        self._break_off()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    # --- writing ------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        """Raises VenueError where not one byte left. Where a part did, the connection is of no use any more."""
        sock = self._sock
        if sock is None:
            raise VenueError(f"venue {self.name} is not connected; nothing was sent")
        frame = encode(message)
        with self._writing:  # whoever orders, whoever reports and the reader: no frame goes into another
            try:
                sent = sock.send(frame)
            except OSError as error:
                raise VenueError(f"venue {self.name}: {error}; nothing was sent") from error
            if sent < len(frame):
                try:
                    sock.sendall(frame[sent:])
                except OSError:
                    self._break_off()

    def _break_off(self) -> None:
        """End the connection: the reader hears of it, and says what is lost."""
        for sock in (self._sock, self._dialled):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    # --- connecting ---------------------------------------------------------------------------------

    def _connect(self) -> list[ToVenue]:
        """Connect, log on, and say that it is so; returns what was read beyond. Raises VenueError."""
        frames = to_venue()
        where = f"exchange at {self._address[0]}:{self._address[1]}"
        try:
            sock = socket.create_connection(self._address, timeout=self._connect_s)
        except OSError as error:
            raise VenueError(f"{where} cannot be reached: {error}; start it with cws exchange") from error
        self._dialled = sock
        try:
            if self._closing.is_set():
                raise OSError("closed here")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(encode(LogOn(self._account, self._session, self._number)))
            messages: list[ToVenue] = []
            while not messages:
                data = sock.recv(_READ_BYTES)
                if not data:
                    raise OSError("it hung up")
                messages += frames.feed(data)
        except (OSError, WireError) as error:
            sock.close()
            raise VenueError(f"{where} did not let us in: {error}; see whether it is one") from error
        first = messages.pop(0)
        if not isinstance(first, LoggedOn):
            sock.close()
            self._session, self._number = "", -1  # what was missed may not be kept there: begin anew
            said = first.reason if isinstance(first, Turned) else type(first).__name__
            raise VenueError(f"{where} does not let account {self._account} in: {said}")
        if first.session != self._session:
            self._session, self._number = first.session, first.number
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", max(1, int(self._answer_s)), 0))
        self.symbols, self._frames = first.symbols, frames
        self._asked_again_s = -math.inf
        self._heard_s, self._pinged = time.monotonic(), False
        self._sock = sock
        self._say(Connection(self.name, True, "logged on", time.time_ns()))
        return messages

    def _come_back(self) -> list[ToVenue]:
        """Try until it works or we close."""
        wait_s, most_s = _BACK_OFF_S
        while not self._closing.wait(wait_s):
            try:
                return self._connect()
            except VenueError:
                wait_s = min(2.0 * wait_s, most_s)
        return []

    # --- reading ------------------------------------------------------------------------------------

    def _read(self, messages: list[ToVenue]) -> None:
        while not self._closing.is_set():
            sock = self._sock
            if sock is None:
                messages = self._come_back()
                continue
            try:
                for message in messages:
                    self._take(message)
                messages = self._next(sock)
                self._overdue()
            except (OSError, WireError) as error:
                messages = []
                self._went(str(error))
        self._went("closed")

    def _next(self, sock: socket.socket) -> list[ToVenue]:
        """What comes next, nothing where nothing comes in time."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if not poll.poll(1_000.0 * self._patience()):
            return []
        data = sock.recv(_READ_BYTES)
        if not data:
            raise VenueError("the exchange hung up")
        self._heard_s, self._pinged = time.monotonic(), False
        return self._frames.feed(data)

    def _patience(self) -> float:
        """Seconds after which somebody may have to be told that nothing was heard."""
        until = self._heard_s + self._quiet_s * (2.0 if self._pinged else 1.0)
        return min(max(0.001, until - time.monotonic()), 0.25 * self._answer_s)

    def _overdue(self) -> None:
        now = time.monotonic()
        for client_id, due in list(self._waiting.items()) if self._waiting else ():
            if due > now:
                break
            if self._waiting.pop(client_id, None) is not None:
                self._say(Lost(client_id, f"no answer within {self._answer_s:g} s", time.time_ns()))
        silent = now - self._heard_s
        if silent >= 2.0 * self._quiet_s:
            raise VenueError(f"nothing heard for {silent:.1f} s")
        if silent >= self._quiet_s and not self._pinged:
            self._pinged = True
            self._send(Ping())

    def _went(self, reason: str) -> None:
        """The connection is gone: whatever was on its way is lost, whoever waits is told."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        sock.close()
        self._report_end.set()
        now_ns = time.time_ns()
        for client_id in list(self._waiting):
            if self._waiting.pop(client_id, None) is not None:
                self._say(Lost(client_id, f"the connection went: {reason}", now_ns))
        self._say(Connection(self.name, False, reason, now_ns))

    def _take(self, message: ToVenue) -> None:
        if isinstance(message, Said):
            self._said(message)
        elif isinstance(message, Report):
            self._reports.append(message)
            if message.complete:
                self._report_end.set()
        elif isinstance(message, Turned):
            self._session, self._number = "", -1
            raise VenueError(f"turned away: {message.reason}")

    def _said(self, said: Said) -> None:
        """News in the order of their numbers. A gap is asked for; what comes after it waits until it is said again."""
        if said.number >= 0:
            if said.number <= self._number:
                return
            if said.number > self._number + 1:
                if time.monotonic() > self._asked_again_s + self._answer_s:
                    self._asked_again_s = time.monotonic()
                    self._send(Resend(self._number))
                return
            self._number, self._asked_again_s = said.number, -math.inf
        self._say(said.news)

    def _say(self, news: VenueNews) -> None:
        client_id = getattr(news, "client_id", None)
        if client_id is not None:
            self._waiting.pop(client_id, None)
        if not (self._closing.is_set() and isinstance(news, Connection)):
            self._hear(news)
