"""The board over HTTP, by sockets as a browser or an attacker would.

1. It listens on 127.0.0.1 alone, and answers only to a Host that says so.
2. It is only read: GET and HEAD, two paths.
3. A page that did not change is not sent again; one that did has the new figures.
4. What cannot be read is said, and the server lives on.
5. Clients that hang, lie or flood take nothing from the others.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.workspace import Workspace
from supervisor.board import Board, read_board, serve
from supervisor.board.serve import BoardServer, Desk
from tests.supervisor.board.story import finding, write
from traces.ledger import Ledger


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    found = Workspace(root=tmp_path, home=tmp_path / "state")
    write(found.ledger, found.checkpoints, 5)
    return found


@pytest.fixture
def server(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoardServer]:
    monkeypatch.setattr(serve, "FRESH_S", 0.0)
    with BoardServer(place) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: BoardServer, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers by lower-case name, text."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    connection.close()
    return found


def raw(server: BoardServer, data: bytes) -> bytes:
    """What a socket hears that says `data` and then nothing."""
    heard = b""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall(data)
        with contextlib.suppress(OSError):  # it may have hung up already
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while block := client.recv(65536):
                heard += block
    return heard


def test_1_this_machine_and_this_name(server: BoardServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    port = server.server_port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
        assert ask(server, Host=host)[0] == 200
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        f"127.0.0.1:{port + 1}",
        f"127.0.0.1.evil:{port}",
        "",
    ):
        status, _, text = ask(server, Host=host)
        assert (status, "localhost only" in text) == (421, True), host
    assert b" 421 " in raw(server, b"GET / HTTP/1.0\r\n\r\n").splitlines()[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_2_only_read(server: BoardServer, method: str) -> None:
    status, headers, _ = ask(server, method=method)
    assert status == 405 and headers["allow"] == "GET, HEAD"


def test_2_two_paths(server: BoardServer) -> None:
    status, headers, text = ask(server)
    assert status == 200 and "<script>" in text and "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert json.loads(ask(server, "/board.json")[2])["counts"]["verdicts"] == 5
    assert ask(server, "/?x=1")[0] == 200
    for path in ("/index.html", "/../etc/passwd", "/%2e%2e/x", "/board.json/"):
        assert ask(server, path)[0] == 404, path
    head = ask(server, method="HEAD")
    assert head[0] == 200 and head[2] == "" and int(head[1]["content-length"]) == len(text.encode())


def test_3_sent_again_only_when_it_changed(server: BoardServer, place: Workspace) -> None:
    _, headers, _ = ask(server)
    status, again, text = ask(server, If_None_Match=headers["etag"])
    assert (status, text, again["etag"]) == (304, "", headers["etag"])
    with Ledger(place.ledger, place.checkpoints) as ledger:
        ledger.append(finding(77, "size/brand_new"))
    status, changed, text = ask(server, If_None_Match=headers["etag"])
    assert status == 200 and changed["etag"] != headers["etag"] and "size/brand_new" in text


def test_4_a_ledger_that_cannot_be_read_is_said(server: BoardServer, place: Workspace) -> None:
    assert ask(server)[0] == 200
    log = place.ledger / "events.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:-40])
    status, _, text = ask(server)
    assert status == 500 and "cws ledger verify" in text
    log.write_bytes(whole)
    assert ask(server)[0] == 200


def test_5_hostile_clients(server: BoardServer) -> None:
    assert b" 414 " in raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n").splitlines()[0]
    assert raw(server, b"\x00\xff\x16\x03 nonsense\r\n\r\n")
    assert b" 431 " in raw(server, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n").splitlines()[0]
    idle = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(20)]
    assert ask(server)[0] == 200  # while twenty say nothing
    for client in idle:
        client.close()


def test_5_beyond_its_seats_it_hangs_up(server: BoardServer) -> None:
    for _ in range(serve.MOST_CLIENTS):
        server.seats.acquire()
    assert raw(server, b"GET / HTTP/1.1\r\n\r\n") == b""
    for _ in range(serve.MOST_CLIENTS):
        server.seats.release()
    assert ask(server)[0] == 200


def test_many_pages_cost_what_one_does(place: Workspace) -> None:
    reads, now = 0, 0.0

    def read() -> Board:
        nonlocal reads
        reads += 1
        return read_board(place)

    desk = Desk(read, lambda: now)
    first = desk.document("/")
    assert first is desk.document("/") and desk.document("/board.json") is not None and reads == 1
    now = serve.FRESH_S + 1.0
    assert desk.document("/") is first and reads == 2  # looked again, and nothing had changed
    assert desk.document("/nowhere") is None and reads == 2
