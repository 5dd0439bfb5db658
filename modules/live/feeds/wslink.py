"""One WebSocket connection without threads: bytes in by a socket that never blocks, whole messages out.

`websockets` reads and writes the protocol; the socket is ours, so a selector can wait for it beside others and nothing
that the other end does holds up whoever polls.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

CHUNK: Final = 1 << 16
MOST_CHUNKS: Final = 64
"""Reads in one `receive`: a flood does not hold up the caller."""
MOST_MESSAGE_BYTES: Final = 8 << 20
MOST_UNSENT_BYTES: Final = 1 << 20
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class LinkError(OSError):
    """The connection cannot be made, or went; says why. `retry_after_s`: what the other end asked us to wait."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s


@dataclass(frozen=True)
class Heard:
    """What one look at the socket gave: whole messages, and whether any byte came at all."""

    messages: tuple[bytes, ...]
    any_byte: bool


class WebSocketLink:
    """An open connection. Made by `connect`, used from one thread."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol) -> None:
        self._sock, self._protocol = sock, protocol
        self._unsent = bytearray()
        self._parts: list[bytes] = []
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    @classmethod
    def connect(cls, url: str, timeout_s: float, context: ssl.SSLContext | None = None) -> WebSocketLink:
        """Connect and shake hands; blocks up to `timeout_s`. Raises LinkError."""
        until = time.monotonic() + timeout_s
        try:
            uri = parse_uri(url)
        except (InvalidURI, ValueError) as error:
            raise LinkError(f"{url!r} is no WebSocket address: {error}; write it like wss://host/path") from error
        try:
            sock = _dial(uri, timeout_s, context)
        except OSError as error:
            raise LinkError(f"cannot connect to {uri.host}:{uri.port}: {error.strerror or error}") from error
        try:
            protocol = _shake(sock, uri, until)
            sock.setblocking(False)
            return cls(sock, protocol)
        except LinkError:
            sock.close()
            raise
        except TimeoutError:
            sock.close()
            raise LinkError(f"{uri.host}:{uri.port} did not answer the handshake in time") from None
        except OSError as error:
            sock.close()
            raise LinkError(f"{uri.host}:{uri.port} hung up during the handshake: {error.strerror or error}") from error

    def receive(self, timeout_s: float) -> Heard:
        """What came; waits up to `timeout_s` for the first byte. Raises LinkError once the connection is over and
        all that came before was given."""
        found = self._messages()
        if not found and not self.is_pending:
            self._poll.poll(max(0.0, timeout_s) * 1_000.0)
        any_byte = False
        for _ in range(MOST_CHUNKS):
            try:
                data = self._sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except OSError as error:
                self._over(found, str(error.strerror or error))
                break
            if not data:
                self._protocol.receive_eof()
                self._over(found, self._closing())
                break
            any_byte = True
            self._protocol.receive_data(data)
            found += self._messages()
            self._flush()
        if self._protocol.state is not State.OPEN:
            self._over(found, self._closing())
        return Heard(tuple(found), any_byte)

    def send(self, text: str) -> None:
        """Send a message. Raises LinkError where the connection is over, or the other end does not read."""
        if self._protocol.state is not State.OPEN:
            raise LinkError(self._closing())
        self._protocol.send_text(text.encode())
        self._flush()

    def ping(self) -> None:
        """Ask whether the other end is there. Raises LinkError."""
        if self._protocol.state is not State.OPEN:
            raise LinkError(self._closing())
        self._protocol.send_ping(b"")
        self._flush()

    @property
    def is_pending(self) -> bool:
        """Whether there is more that no selector sees: it was decrypted already."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Say good-bye if that can be done at once, and hang up."""
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000, "")
                self._flush()
        except OSError:
            pass  # it is gone already
        self._sock.close()

    # --- inside -------------------------------------------------------------------------------------

    def _messages(self) -> list[bytes]:
        """Whole messages among the frames that were read."""
        found: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in _DATA:
                self._parts.append(bytes(event.data))
                if event.fin:
                    found.append(b"".join(self._parts))
                    self._parts.clear()
        return found

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._unsent += data
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except (BlockingIOError, ssl.SSLWantWriteError):
            if len(self._unsent) > MOST_UNSENT_BYTES:
                raise LinkError("the other end does not read what is sent to it") from None
        except OSError as error:
            raise LinkError(str(error.strerror or error)) from error

    def _over(self, found: list[bytes], reason: str) -> None:
        """The end, unless messages came before it: those are given first."""
        if not found:
            raise LinkError(reason)

    def _closing(self) -> str:
        protocol = self._protocol
        if protocol.parser_exc is not None and not isinstance(protocol.parser_exc, EOFError):
            return f"what came is no WebSocket: {protocol.parser_exc}"
        if protocol.close_rcvd is not None:
            return f"the other end closed: {protocol.close_rcvd}"
        return "the other end hung up"


def _dial(uri: WebSocketURI, timeout_s: float, context: ssl.SSLContext | None) -> socket.socket:
    sock = socket.create_connection((uri.host, uri.port), timeout_s)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if uri.secure:
            return (context or ssl.create_default_context()).wrap_socket(sock, server_hostname=uri.host)
    except OSError:
        sock.close()
        raise
    return sock


def _shake(sock: socket.socket, uri: WebSocketURI, until: float) -> ClientProtocol:
    """The opening handshake, by `until` on the monotonic clock. Raises LinkError, OSError (TimeoutError)."""
    protocol = ClientProtocol(uri, max_size=MOST_MESSAGE_BYTES)
    protocol.send_request(protocol.connect())
    sock.sendall(b"".join(protocol.data_to_send()))
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        sock.settimeout(max(0.001, until - time.monotonic()))
        data = sock.recv(CHUNK)
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
    error = protocol.handshake_exc
    if error is None:
        return protocol
    if isinstance(error, InvalidStatus):
        raise LinkError(f"{uri.host}:{uri.port} answered {error.response.status_code}", _retry_after(error.response))
    raise LinkError(f"{uri.host}:{uri.port} does not speak WebSocket: {error}")


def _retry_after(response: Response) -> float:
    """Seconds that a Retry-After header asks for; 0 where it asks nothing that can be read."""
    try:
        return max(0.0, min(600.0, float(response.headers.get("Retry-After", "0"))))
    except ValueError:
        return 0.0
