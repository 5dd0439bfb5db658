"""Between a simulated exchange and its venue: passes frames on, and does to them what a bad network or peer does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from modules.live.messages import Acknowledged, Filled
from modules.live.venues.sim.protocol import NewOrder, Said, to_exchange, to_venue
from modules.live.wire import FrameReader, encode
from tests.modules.live.venues.conformance import Fault

GARBAGE = b"\x00\x00\x00\x05HTTP/"


class FaultProxy:
    """Listens at an address that stays, and passes on to `upstream`. `armed` faults happen once."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.armed: set[Fault] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        """Take connections."""
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(self.address)
        threading.Thread(target=self._accept, args=(self._listener,), name="peer-proxy", daemon=True).start()

    def stop(self) -> None:
        """Take no connections, and end those that are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for sock in pair:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.upstream)
                for sock in (near, far):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._pairs.add((near, far))
                there, back = to_exchange(), to_venue()
                for source, goal, frames, change in ((near, far, there, self._there), (far, near, back, self._back)):
                    work = (source, goal, frames, change)
                    threading.Thread(target=self._pass, args=work, name="peer-proxy", daemon=True).start()

    def _pass(
        self, source: socket.socket, goal: socket.socket, frames: FrameReader[object],
        change: Callable[[object, socket.socket], bytes | None],
    ) -> None:  # fmt: skip
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                for message in frames.feed(data):
                    changed = change(message, source)
                    if changed is None:
                        return
                    goal.sendall(changed)
        for sock in (source, goal):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _once(self, fault: Fault) -> bool:
        with self._lock:
            if fault not in self.armed:
                return False
            self.armed.discard(fault)
            return True

    def _there(self, message: object, near: socket.socket) -> bytes | None:
        """Orders on their way to the exchange."""
        if isinstance(message, NewOrder) and self._once(Fault.HANG_UP_BEFORE):
            self.hang_up()
            return None
        return encode(message)  # type: ignore[arg-type]  # what the reader gave

    def _back(self, message: object, far: socket.socket) -> bytes | None:
        """What the exchange says."""
        news = message.news if isinstance(message, Said) else None
        if isinstance(news, Acknowledged):
            if self._once(Fault.HANG_UP_AFTER):
                self.hang_up()
                return None
            if self._once(Fault.SILENT):
                return encode(Said(message.number, _nothing(news)))  # type: ignore[attr-defined]  # it is `Said`
            if self._once(Fault.GARBAGE):
                return GARBAGE
        if isinstance(news, Filled):
            if self._once(Fault.DUPLICATE):
                return 2 * encode(message)  # type: ignore[arg-type]  # as above
            if self._once(Fault.GAP):
                return b""
        return encode(message)  # type: ignore[arg-type]  # as above


def _nothing(news: Acknowledged) -> Acknowledged:
    """An answer to somebody else's order: ours has none."""
    return Acknowledged(f"{news.client_id}-of-another", news.venue_id, news.ts_ns)
