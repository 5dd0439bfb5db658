"""The connection of a desk or a viewer to the risk core: one thread, blocking, every wait bounded."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from modules.live.messages import (
    Answered,
    Ask,
    Cancel,
    CancelAll,
    Hello,
    Kill,
    Message,
    Proceed,
    Report,
    ReportAsked,
    Reset,
    Ruled,
    Status,
    StatusAsked,
    Turned,
    VenueNews,
    Welcome,
)
from modules.live.wire import FrameReader, WireError, encode

REPORT_S: Final = 30.0
"""How long a venue may take to say what it has."""
LEAST_S: Final = 2.0
"""How long anything but an order may take: nothing waits for it in a hurry."""

_READ_BYTES: Final = 256 * 1024
_SPIN_S: Final = 0.0003
"""How long a ruling is looked for before sleeping: waking up again takes longer than most rulings."""
_RULED: Final = encode(Ruled("rehearsed", 0, 0, 1, None, None, 0))
_NOT_NEWS: Final = (Welcome, Turned, Ruled, Status, Report)
T = TypeVar("T", bound=Message)


class RiskUnavailableError(OSError):
    """No risk core answers here, or it turned us away. Nothing of what was asked has left."""


class RiskSilentError(OSError):
    """The risk core took an order and did not answer in time, or not in its language: the order MAY be out.

    The connection is dead. Never taken for a rejection: ask the venue through a new connection.
    """


class RiskClient:
    """One connection, used by one thread. After RiskSilentError, or once `is_dead`, it is of no use any more."""

    welcome: Welcome

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader: FrameReader[Answered | VenueNews] = FrameReader(Answered | VenueNews)
        self._rehearsed: FrameReader[Answered | VenueNews] = FrameReader(Answered | VenueNews)
        self._news: list[VenueNews] = []
        self._answers: list[Answered] = []
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self.is_dead = False

    @classmethod
    def connect(cls, path: Path, hello: Hello, timeout_s: float) -> RiskClient:
        """Connect and be welcomed. Raises RiskUnavailableError within the time, saying why and what to do."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        client = cls(sock)
        try:
            sock.settimeout(timeout_s)
            sock.connect(str(path))
            sock.settimeout(None)
            _set_timeout(sock, timeout_s)
            client._send(hello)
            client.welcome = client._await(Welcome, timeout_s)
        except RiskUnavailableError:
            client.close()
            raise
        except OSError as error:  # RiskSilentError too: nothing was asked yet
            client.close()
            raise RiskUnavailableError(
                f"no risk core answers at {path} ({error}); start it: cws riskd --account {hello.account}"
            ) from error
        client._deadline_s = client.welcome.deadline_ms / 1_000.0
        _set_timeout(sock, client._deadline_s)
        return client

    _deadline_s: float = LEAST_S

    def ask(self, ask: Ask) -> Ruled:
        """The ruling on an order, within `welcome.deadline_ms`; APPROVE and REDUCE mean that it went to the venue.

        `sent_ns` is put to now. Raises RiskUnavailableError (it was turned away, or the connection was dead before:
        nothing left) or RiskSilentError (it MAY be out).
        """
        self._alive()
        deadline = time.monotonic() + self._deadline_s
        self._send(msgspec.structs.replace(ask, sent_ns=time.time_ns()))
        polled = False
        while True:
            for answer in self._answers:
                if type(answer) is Ruled and answer.client_id == ask.client_id and len(self._answers) == 1:
                    self._answers.clear()
                    return answer
                self._die()
                if type(answer) is Turned:
                    raise RiskUnavailableError(f"the risk core turned {ask.client_id} away: {answer.reason}")
                raise RiskSilentError(f"the risk core answered {ask.client_id} with {answer}; the order may be out")
            self._receive(deadline, ask.client_id, polled=polled)
            polled = True

    def rehearse(self, ask: Ask) -> None:
        """What `ask` does up to the sending, and after the answer, for nothing."""
        encode(msgspec.structs.replace(ask, sent_ns=time.time_ns()))
        self._rehearsed.feed(_RULED)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel; what becomes of it comes as news. Raises RiskUnavailableError, RiskSilentError."""
        self._alive()
        self._send(Cancel(client_id))

    def cancel_all(self, by: str, reason: str) -> None:
        """Ask for a cancel of everything the venue has open. Raises as `cancel` does."""
        self._alive()
        self._send(CancelAll(by, reason))

    def proceed(self, ts_ns: int) -> None:
        """Nothing more is ordered at this moment: a venue that plays recorded data goes on."""
        self._alive()
        self._send(Proceed(ts_ns))

    def kill(self, by: str, reason: str, flatten: bool = False) -> Status:
        """Latch the kill switch; the answer says where everything stands with it latched."""
        return self._request(Kill(by, reason, flatten), Status, LEAST_S)

    def reset(self, by: str, reason: str) -> Status:
        """Open the latch, in the name of a human, and take the account as the venue has it."""
        return self._request(Reset(by, reason), Status, REPORT_S)

    def status(self) -> Status:
        """Where the risk core stands."""
        return self._request(StatusAsked(), Status, LEAST_S)

    def report(self) -> Report:
        """What the venue has. `complete` is False where it could not say."""
        return self._request(ReportAsked(), Report, REPORT_S)

    def news(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said meanwhile; waits for the first up to `timeout_s`. Raises RiskUnavailableError."""
        if not self._news:
            self._alive()
            if self._poll.poll(max(0.0, timeout_s) * 1_000.0):
                try:
                    self._take(self._socket.recv(_READ_BYTES))
                except RiskSilentError as error:
                    raise RiskUnavailableError(str(error)) from error
                except OSError as error:
                    self._die()
                    raise RiskUnavailableError(f"the connection to the risk core broke: {error}") from error
        came, self._news = self._news, []
        return came

    def fileno(self) -> int:
        """For a selector. News that came beside an answer is not seen there: ask `news(0)` after each request."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up. Orders stay where they are."""
        self._die()

    # --- frames -------------------------------------------------------------------------------------

    def _request(self, message: Message, kind: type[T], timeout_s: float) -> T:
        self._alive()
        self._send(message)
        try:
            return self._await(kind, timeout_s)
        except RiskSilentError as error:
            raise RiskUnavailableError(f"no answer from the risk core: {error}") from error

    def _await(self, kind: type[T], timeout_s: float) -> T:
        deadline = time.monotonic() + timeout_s
        while True:
            for answer in self._answers:
                self._answers.remove(answer)
                if isinstance(answer, kind):
                    return answer
                self._die()
                if type(answer) is Turned:
                    raise RiskUnavailableError(f"the risk core turned us away: {answer.reason}")
                raise RiskSilentError(f"{type(answer).__name__} instead of {kind.__name__}")
            self._receive(deadline, kind.__name__, polled=True)

    def _receive(self, deadline: float, what: str, *, polled: bool) -> None:
        """Take in what comes before the deadline. Not `polled`: the wait is the socket's own, one call less."""
        if polled:
            left = deadline - time.monotonic()
            if left <= 0.0 or not self._poll.poll(left * 1_000.0):
                self._die()
                raise RiskSilentError(f"no answer on {what} in time; if it is an order, it may be out")
        elif self.welcome.spins:
            until = time.perf_counter() + _SPIN_S
            while not self._poll.poll(0.0) and time.perf_counter() < until:
                pass
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError as error:  # BlockingIOError: the socket's own deadline
            self._die()
            raise RiskSilentError(f"no answer on {what}: {error}; if it is an order, it may be out") from error
        self._take(data)

    def _take(self, data: bytes) -> None:
        if not data:
            self._die()
            raise RiskSilentError("the risk core hung up; an order without an answer may be out")
        try:
            messages = self._reader.feed(data)
        except WireError as error:
            self._die()
            raise RiskSilentError(f"what came from the risk core is not its language: {error}") from error
        for message in messages:
            if isinstance(message, _NOT_NEWS):
                self._answers.append(message)
            else:
                self._news.append(message)

    def _send(self, message: Message) -> None:
        frame = encode(message)
        try:
            sent = self._socket.send(frame)
            if sent != len(frame):
                self._socket.sendall(frame[sent:])
        except OSError as error:
            self._die()
            if isinstance(error, BrokenPipeError | ConnectionResetError):  # the other end is closed: it reads nothing
                raise RiskUnavailableError(f"the connection to the risk core broke: {error}") from error
            raise RiskSilentError(f"the risk core does not read: {error}; an order may be out") from error

    def _alive(self) -> None:
        if self.is_dead:
            raise RiskUnavailableError("this connection to the risk core is dead; connect anew and ask for a report")

    def _die(self) -> None:
        self.is_dead = True
        with contextlib.suppress(OSError):
            self._socket.close()


def _set_timeout(sock: socket.socket, seconds: float) -> None:
    """Bound each call on a blocking socket in the kernel: one system call less than Python's own timeouts."""
    whole = int(seconds)
    value = struct.pack("ll", whole, max(1, int((seconds - whole) * 1e6)))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
