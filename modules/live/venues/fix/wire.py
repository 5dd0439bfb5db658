"""The socket below a FIX session, with TLS or without."""

from __future__ import annotations

import socket
import ssl
from typing import Final

_READ_BYTES: Final = 65_536


def dial(host: str, port: int, patience_s: float, *, tls: bool) -> socket.socket:
    """Connect; nothing waits longer than `patience_s` on what is given back. Raises OSError."""
    wire = socket.create_connection((host, port), timeout=patience_s)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ssl.create_default_context().wrap_socket(wire, server_hostname=host) if tls else wire


def holds(wire: socket.socket) -> bool:
    """Whether bytes wait that `select` does not see: TLS takes in whole records."""
    return isinstance(wire, ssl.SSLSocket) and wire.pending() > 0


def read(wire: socket.socket) -> bytes | None:
    """What came, without waiting; b"" = the other side hung up. Raises OSError.

    None = nothing yet, though `select` said so: TLS has records of its own, and parts of records.
    """
    patience_s = wire.gettimeout()
    wire.settimeout(0.0)
    try:
        return wire.recv(_READ_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    finally:
        wire.settimeout(patience_s)
