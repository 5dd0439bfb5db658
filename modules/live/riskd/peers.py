"""Whoever is connected to the risk core: bytes in and out, without waiting for anybody, whatever they mean."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modules.live.messages import Asked
from modules.live.wire import FrameReader

MOST_CONNECTIONS: Final = 64
MOST_ASKED_BYTES: Final = 64 * 1024
MOST_BEHIND_BYTES: Final = 32 * 1024 * 1024
"""What a connection may leave unread before it is hung up."""
HELLO_S: Final = 5.0
_READ_BYTES: Final = 64 * 1024

_LOG = logging.getLogger("riskd")


class Peer:
    """One connection; `role` "" until its `Hello`."""

    __slots__ = ("born", "out", "reader", "role", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.role, self.born = sock, "", time.monotonic()
        self.reader: FrameReader[Asked] = FrameReader(Asked, MOST_ASKED_BYTES)
        self.out = bytearray()

    @property
    def is_gone(self) -> bool:
        """Whether it was hung up."""
        return self.sock.fileno() < 0


class Peers:
    """All connections of a socket at `path`, registered with a selector under their `Peer`, the listener under None."""

    def __init__(self, path: Path, selector: selectors.BaseSelector) -> None:
        self._path, self._selector = path, selector
        self._peers: dict[int, Peer] = {}
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
        selector.register(self._listener, selectors.EVENT_READ, None)

    def of(self, *roles: str) -> Iterator[Peer]:
        """Those of some roles; they may be hung up meanwhile."""
        return (peer for peer in list(self._peers.values()) if peer.role in roles)

    def accept(self) -> None:
        """Take in whoever knocks."""
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = self._listener.accept()
            if len(self._peers) >= MOST_CONNECTIONS:
                self._make_room()
            sock.setblocking(False)
            peer = Peer(sock)
            self._peers[sock.fileno()] = peer
            self._selector.register(sock, selectors.EVENT_READ, peer)

    def _make_room(self) -> None:
        """Strangers, then viewers, the oldest first: who wants to kill always gets in."""
        for role in ("", "viewer", "kill"):
            for peer in self._peers.values():
                if peer.role == role:
                    self.hang_up(peer)
                    return

    def tire(self, now: float) -> None:
        """Hang up those that never said who they are."""
        for peer in self.of(""):
            if now - peer.born > HELLO_S:
                self.hang_up(peer)

    def desk_is_gone(self) -> bool:
        """Whether no desk is connected. What a dead one left unread is never taken: its asks would come too late."""
        for peer in self.of("desk"):
            poll = select.poll()
            poll.register(peer.sock, select.POLLRDHUP)
            if not poll.poll(0):
                return False
            self.hang_up(peer)
        return True

    def read(self, peer: Peer) -> list[Asked]:
        """What it says now; hung up where it is at its end. Raises WireError for garbage."""
        try:
            data = peer.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.hang_up(peer)
            return []
        return peer.reader.feed(data)

    def write(self, peer: Peer, frame: bytes) -> None:
        """Send without ever waiting: what does not fit is kept, up to a limit."""
        if peer.is_gone:
            return
        if not peer.out:
            try:
                sent = peer.sock.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.hang_up(peer)
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._selector.modify(peer.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)
        peer.out += frame
        if len(peer.out) > MOST_BEHIND_BYTES:
            _LOG.warning("a %s reads too slowly; hung up", peer.role)
            self.hang_up(peer)

    def flush(self, peer: Peer) -> None:
        """It can take more of what was kept."""
        try:
            sent = peer.sock.send(peer.out)
        except BlockingIOError:
            return
        except OSError:
            self.hang_up(peer)
            return
        del peer.out[:sent]
        if not peer.out:
            self._selector.modify(peer.sock, selectors.EVENT_READ, peer)

    def hang_up(self, peer: Peer) -> None:
        """End a connection; once is enough."""
        number = peer.sock.fileno()
        if number < 0:
            return
        with contextlib.suppress(KeyError):
            self._selector.unregister(peer.sock)
        self._peers.pop(number, None)
        peer.sock.close()

    def close(self) -> None:
        """Hang up everybody, and take the socket away."""
        for peer in list(self._peers.values()):
            self.hang_up(peer)
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
