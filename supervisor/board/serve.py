"""The board over HTTP, on this machine only, made anew from the ledger when somebody looks.

It binds to 127.0.0.1 and answers only requests whose Host says so (a name that a foreign page had pointed here is
refused), only GET and HEAD, and only two paths. It reads; there is nothing that a request could change.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.report.files import json_bytes, without_nan
from harness.report.template import page_style
from modules.workspace import Workspace
from supervisor.board.board import Board
from supervisor.board.page import HERE, policy, render
from supervisor.board.watch import BoardReader
from traces.log import LedgerError

ADDRESS = "127.0.0.1"
FRESH_S = 0.5
"""What was read so long ago is given again: many open pages cost what one does."""

PATIENCE_S = 10.0
"""A client that says nothing for so long is hung up on."""

MOST_CLIENTS = 32


@dataclass(frozen=True)
class Document:
    """Bytes of one path, with their tag."""

    kind: str
    content: bytes

    @property
    def tag(self) -> str:
        """Equal content, equal tag."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


class Desk:
    """The board's documents, shared by all clients."""

    def __init__(self, read: Callable[[], Board], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._documents: dict[str, Document] = {}
        self._board: Board | None = None
        self._at = float("-inf")

    def document(self, path: str) -> Document | None:
        """What lies at `path` now; None where nothing does. Raises what reading the board raises."""
        if path not in PATHS:
            return None
        with self._lock:
            if self._clock() - self._at > FRESH_S:
                board = self._read()
                if board != self._board:
                    self._board, self._documents = board, {}
                self._at = self._clock()
            assert self._board is not None
            if path not in self._documents:
                self._documents[path] = PATHS[path](self._board)
            return self._documents[path]


def _page(board: Board) -> Document:
    return Document("text/html; charset=utf-8", render(board, live=True).encode())


def _json(board: Board) -> Document:
    return Document("application/json", json_bytes(without_nan(asdict(board))))


PATHS: dict[str, Callable[[Board], Document]] = {"/": _page, "/board.json": _json}


class BoardServer(ThreadingHTTPServer):
    """Serves one workspace's board at `url` until `shutdown`. `port` 0: any free one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, workspace: Workspace, port: int = 0) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.desk = Desk(BoardReader(workspace).read)
        self.hosts = frozenset(f"{name}:{self.server_port}" for name in (ADDRESS, "localhost"))
        self.policy = policy(page_style((HERE / "board.css").read_text()), (HERE / "board.js").read_text())
        self.seats = threading.BoundedSemaphore(MOST_CLIENTS)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{ADDRESS}:{self.server_port}/"

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
    server: BoardServer
    timeout = PATIENCE_S
    protocol_version = "HTTP/1.1"
    server_version = "cws"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            self._words(HTTPStatus.MISDIRECTED_REQUEST, "this board answers to 127.0.0.1 and localhost only", body)
            return
        try:
            document = self.server.desk.document(self.path.partition("?")[0])
        except LedgerError as error:
            self._words(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), body)
            return
        if document is None:
            self._words(HTTPStatus.NOT_FOUND, f"there are: {', '.join(PATHS)}", body)
        elif self.headers.get("If-None-Match") == document.tag:
            self._send(HTTPStatus.NOT_MODIFIED, document, body=False)
        else:
            self._send(HTTPStatus.OK, document, body=body)

    def _words(self, status: HTTPStatus, words: str, body: bool) -> None:
        self._send(status, Document("text/plain; charset=utf-8", f"{words}\n".encode()), body=body)

    def _send(self, status: HTTPStatus, document: Document, *, body: bool) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", document.kind)
            self.send_header("Content-Length", str(len(document.content)))
        self.send_header("ETag", document.tag)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"{self.server.policy}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if body:
            self.wfile.write(document.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Other methods, and requests that are no HTTP."""
        allowed = HTTPStatus(code) is HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus.METHOD_NOT_ALLOWED if allowed else HTTPStatus(code)
        self.close_connection = True
        content = f"{status.phrase}: this board is only read\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        if allowed:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing: who looks at a local page is no event."""
