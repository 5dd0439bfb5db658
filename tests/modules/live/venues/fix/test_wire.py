"""Reading below a FIX session never waits: the lock is held meanwhile, and whoever cancels waits for that."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from pathlib import Path

from modules.live.venues.fix.wire import holds, read
from tests.modules.live.feeds.test_encrypted import certificate
from tests.modules.live.venues.peers.under_test import eventually
from tests.modules.live.venues.undertest import PATIENCE_S


def came(wire: socket.socket) -> bytes | None:
    """What is read once something is there to be read."""
    if not holds(wire):
        assert select.select([wire], [], [], PATIENCE_S)[0]
    return read(wire)


def test_bytes_none_and_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(PATIENCE_S)
        assert read(ours) is None
        theirs.sendall(b"abc")
        assert came(ours) == b"abc"
        theirs.close()
        assert came(ours) == b""
        assert ours.gettimeout() == PATIENCE_S


def test_what_tls_says_for_itself_is_nothing_yet(tmp_path: Path) -> None:
    """After the handshake the server sends tickets: bytes came, and no message; a logon's answer may take its time."""
    file = certificate(tmp_path, "localhost")
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(file)
    near, far = socket.socketpair()
    for wire in (near, far):
        wire.settimeout(PATIENCE_S)
    server: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: server.append(serves.wrap_socket(far, server_side=True)))
    thread.start()
    ours = ssl.create_default_context(cafile=str(file)).wrap_socket(near, server_hostname="localhost")
    thread.join(PATIENCE_S)
    with ours, server[0] as theirs:
        if ours.version() == "TLSv1.3":
            assert came(ours) is None
        theirs.sendall(b"8=FIX")
        eventually(lambda: read(ours) == b"8=FIX")
        theirs.sendall(b"x" * 20_000)
        got = b""
        while len(got) < 20_000:
            got += came(ours) or b""
        assert got == b"x" * 20_000
