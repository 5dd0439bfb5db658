"""`/metrics` over HTTP, on this machine only. It reads; there is nothing that a request could change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

ADDRESS: Final = "127.0.0.1"
PATH: Final = "/metrics"
PATIENCE_S: Final = 10.0
MOST_CLIENTS: Final = 8
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class MetricsServer(ThreadingHTTPServer):
    """Serves what `make` gives at `url`, from threads of its own, until `close`. `port` 0: any free one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, make: Callable[[], bytes], port: int = 0) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.make = make
        self.seats = threading.BoundedSemaphore(MOST_CLIENTS)
        self.hosts = frozenset(f"{name}:{self.server_port}" for name in (ADDRESS, "localhost"))
        self._thread = threading.Thread(target=self.serve_forever, args=(0.2,), name="cws-metrics", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where Prometheus finds it."""
        return f"http://{ADDRESS}:{self.server_port}{PATH}"

    def close(self) -> None:
        """End it."""
        self.shutdown()
        self.server_close()
        self._thread.join(5.0)

    def process_request(self, request: object, client_address: object) -> None:
        """One thread a client, as long as there is a seat."""
        if not self.seats.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[arg-type]
            return
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        """In the client's thread; its seat is free afterwards."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self.seats.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = PATIENCE_S
    server_version = "cws"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            self._say(HTTPStatus.MISDIRECTED_REQUEST, b"this answers to 127.0.0.1 and localhost only\n")
        elif self.path.partition("?")[0] != PATH:
            self._say(HTTPStatus.NOT_FOUND, f"there is {PATH}\n".encode())
        else:
            self._say(HTTPStatus.OK, self.server.make())

    def _say(self, status: HTTPStatus, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", TEXT)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing: who looks at a local page is no event."""
