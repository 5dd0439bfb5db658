"""The API over HTTP: on this machine only, unless it has a certificate."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import CommandError, RequestError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_CONNECTIONS = 128
IDLE_S = 15


@dataclass(frozen=True)
class Listen:
    """Where it listens. `port` 0: any free one. A token must not cross a network in the clear."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """Raises RequestError for a place that others could listen to, or half a certificate."""
        if (self.certificate is None) != (self.key is None):
            raise RequestError("--certificate and --key belong together", "give both or neither")
        if self.host not in LOOPBACK and self.certificate is None:
            raise RequestError(
                f"--host {self.host} is reached over a network, and a token would cross it in the clear",
                "give --certificate and --key, or leave --host out",
            )

    def open(self) -> socket.socket:
        """The socket, listening. Raises CommandError where it cannot be had."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((self.host, self.port))
            opened.listen(MOST_CONNECTIONS)
        except OSError as error:
            raise CommandError(
                f"{self.host}:{self.port} cannot be used: {error.strerror}", "give another --port"
            ) from error
        return opened


def config_of(app: FastAPI, place: Listen) -> uvicorn.Config:
    """How the server is run: every wait and every size bounded."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=3,
        ws_max_size=4096,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
    )


def serve(app: FastAPI, place: Listen, listening: socket.socket) -> None:
    """Until Ctrl-C or SIGTERM."""
    import uvicorn

    uvicorn.Server(config_of(app, place)).run(sockets=[listening])
