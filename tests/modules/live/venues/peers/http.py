"""An HTTP and a WebSocket server on loopback, in threads, that end with the test."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve


class HangUpError(Exception):
    """Break the connection without an answer."""


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """Its answer; `body` bytes go out as they are, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class HttpServer:
    """Answers each request by a function; HangUpError breaks the connection."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    super().handle_one_request()

            def answer(self) -> None:
                parts = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k.lower(): v for k, v in self.headers.items()}
                is_json = headers.get("content-type", "").startswith("application/json")
                body = json.loads(raw) if raw and is_json else raw.decode()
                try:
                    found = answer(Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
                except HangUpError:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)
                    return
                data = found.body if isinstance(found.body, bytes) else json.dumps(found.body).encode()
                data = b"" if found.body is None else data
                self.send_response(found.status)
                for name, value in {"Content-Type": "application/json", **found.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 the names that the server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name of the base class
                pass

        self._handler, self._port = Handler, 0
        self._wires: set[socket.socket] = set()
        self.start()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, at the same port as before."""
        wires = self._wires

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def process_request_thread(self, request: Any, client_address: Any) -> None:
                threading.current_thread().name = "peer"
                wires.add(request)
                try:
                    super().process_request_thread(request, client_address)
                finally:
                    wires.discard(request)

        self._server = Quiet(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="peer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()
        for wire in list(self._wires):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)


class SocketServer:
    """A WebSocket server; `talk` has each connection until it returns."""

    def __init__(self, talk: Callable[[ServerConnection], None]) -> None:
        self._talk, self._wires = talk, set[ServerConnection]()
        self._lock = threading.Lock()
        self._port = 0
        self.start()
        self.url = f"ws://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, at the same port as before."""
        self._server: Server = serve(
            self._handle, "127.0.0.1", self._port, close_timeout=0.2, compression=None, ping_interval=None
        )
        self._port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="peer", daemon=True)
        self._thread.start()

    def _handle(self, wire: ServerConnection) -> None:
        threading.current_thread().name = wire.recv_events_thread.name = "peer"
        with self._lock:
            self._wires.add(wire)
        try:
            with contextlib.suppress(ConnectionClosed, OSError):
                self._talk(wire)
        finally:
            with self._lock:
                self._wires.discard(wire)

    def say(self, data: str | bytes) -> None:
        """To everyone who is connected."""
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            with contextlib.suppress(ConnectionClosed, OSError):
                wire.send(data)

    def hang_up(self) -> None:
        """Break all connections, without a goodbye."""
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self.hang_up()
        self._thread.join(5)
