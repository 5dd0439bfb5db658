"""A venue's market data server on this machine: true books, a WebSocket and an HTTP address, and faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from ssl import SSLContext

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

Script = Callable[["Peer", ServerConnection], None]


@dataclass
class Truth:
    """The book that the venue really has, XRPUSDT, in ticks of 0.0001."""

    random: Random
    number: int = 100
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    middle: int = 19_500

    def __post_init__(self) -> None:
        for away in range(1, 40):
            self.bids[self.middle - away] = self.random.randrange(1, 900)
            self.asks[self.middle + away] = self.random.randrange(1, 900)

    def step(self) -> tuple[list[list[str]], list[list[str]]]:
        """Something changes; returns the levels that did, as the venue writes them."""
        self.number += 1
        self.middle += self.random.randrange(-3, 4)
        gone_bids = [t for t in self.bids if t >= self.middle]
        gone_asks = [t for t in self.asks if t <= self.middle]
        changed: tuple[dict[int, int], dict[int, int]] = dict.fromkeys(gone_bids, 0), dict.fromkeys(gone_asks, 0)
        for side, sign in ((0, -1), (1, 1)):
            for _ in range(self.random.randrange(1, 5)):
                tick = self.middle + sign * self.random.randrange(1, 40)
                changed[side][tick] = self.random.choice((0, 3, 50, 900))
            changed[side][self.middle + sign] = self.random.randrange(1, 900)
        for mine, new in zip((self.bids, self.asks), changed, strict=True):
            mine.update(new)
            for tick in [t for t, lots in mine.items() if lots == 0]:
                del mine[tick]
        return words(changed[0]), words(changed[1])


def words(levels: dict[int, int]) -> list[list[str]]:
    return [[f"{tick / 10_000:.4f}", str(lots)] for tick, lots in levels.items()]


def bybit(truth: Truth, kind: str, bids: list[list[str]], asks: list[list[str]]) -> str:
    now = time.time_ns() // 1_000_000
    data = {"s": "XRPUSDT", "b": bids, "a": asks, "u": truth.number, "seq": 7 * truth.number}
    return json.dumps({"topic": "orderbook.50.XRPUSDT", "type": kind, "ts": now, "data": data, "cts": now})


def binance(truth: Truth, bids: list[list[str]], asks: list[list[str]]) -> str:
    now = time.time_ns() // 1_000_000
    data = {"e": "depthUpdate", "E": now, "s": "XRPUSDT", "U": truth.number, "u": truth.number, "b": bids, "a": asks}
    return json.dumps({"stream": "xrpusdt@depth@100ms", "data": data})


class Peer:
    """The server. Each connection plays the next script; after the last one the last goes on."""

    def __init__(self, seed: int, *scripts: Script) -> None:
        self.truth, self.random = Truth(Random(seed)), Random(seed + 1)
        self.scripts = list(scripts)
        self.heard: list[str] = []
        self.connections = 0
        self.knocks: list[float] = []  # when somebody asked for a stream, in seconds that never step back
        self.refusals: list[tuple[int, str]] = []  # status and Retry-After of the next handshakes
        self.http_faults: list[tuple[int, str, bytes]] = []
        self.fetched = 0
        self.over = threading.Event()  # a script's changes are
        self.answering = threading.Event()
        self.answering.set()
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path.startswith("/api/v3/depth"):
            return self._snapshot()
        self.knocks.append(time.monotonic())
        self.answering.wait(60.0)
        if self.refusals:
            status, after = self.refusals.pop(0)
            return Response(status, "Refused", Headers({"Retry-After": after, "Content-Length": "0"}), b"")
        return None

    def _snapshot(self) -> Response:
        self.fetched += 1
        status, after, body = self.http_faults.pop(0) if self.http_faults else (200, "0", b"")
        if status == 200 and not body:
            with self.lock:
                whole = {
                    "lastUpdateId": self.truth.number,
                    "bids": words(self.truth.bids),
                    "asks": words(self.truth.asks),
                }
            body = json.dumps(whole).encode()
        headers = Headers({"Content-Length": str(len(body)), "Retry-After": after, "Connection": "close"})
        return Response(status, "OK" if status == 200 else "Refused", headers, body)

    def handle(self, connection: ServerConnection) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        with suppress(ConnectionClosed, OSError):  # the client hung up, as clients do
            script(self, connection)

    def listen(self, connection: ServerConnection, wait_s: float) -> str | None:
        """One message of the client."""
        try:
            said = connection.recv(timeout=wait_s)
        except TimeoutError:
            return None
        self.heard.append(str(said))
        return str(said)


@contextmanager
def serving(peer: Peer, ssl: SSLContext | None = None) -> Iterator[Peer]:
    """The server, until the end of the block; every thread of it is over then."""
    with serve(
        peer.handle, "127.0.0.1", 0, process_request=peer.on_request, compression=None, close_timeout=0.2, ssl=ssl
    ) as server:
        peer.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            peer.stop.set()
            server.shutdown()
            thread.join(5.0)
