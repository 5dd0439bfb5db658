"""A server on loopback that has one connection at a time, and can go away and come back at the same port."""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod


class TcpPeer(ABC):
    """Serves from a thread of its own, from its making on. `lock` is held while anything is written.

    `greeted`: both sides said who they are; until then nothing is written. `talk` sets it.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.greeted = False
        self.port = 0
        self._wire: socket.socket | None = None
        self.start()

    @abstractmethod
    def talk(self, wire: socket.socket) -> None:
        """Serve a connection until it ends. OSError ends it too."""

    def start(self) -> None:
        """Listen, at the same port as before."""
        self._stopping = False
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(self._server,), name="peer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up and listen no more."""
        with self.lock:
            self._stopping = True
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self.hang_up()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive(), "the peer serves after it was stopped"

    def hang_up(self) -> None:
        """Break the connection."""
        with self.lock, contextlib.suppress(OSError):
            if self._wire is not None:
                self._wire.shutdown(socket.SHUT_RDWR)

    def write(self, data: bytes) -> None:
        """Bytes as they are, to who is there."""
        with self.lock, contextlib.suppress(OSError):
            if self._wire is not None and self.greeted:
                self._wire.sendall(data)

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                wire, _ = server.accept()
            except OSError:
                return
            with self.lock:
                if self._stopping:  # it came in between
                    wire.close()
                    return
                self._wire, self.greeted = wire, False
            with contextlib.suppress(OSError), wire:
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.talk(wire)
            with self.lock:
                self._wire = None
