"""What goes wrong out there: every fault is an error with a reason, in time, and none is kept on the tape.

1. A fault that passes is tried again, within the attempts; one that stays is reported with its reason.
2. No call outlives its deadline: not a silent server, nor one that drips headers or bytes, nor a wait that it asks for.
3. An answer is bounded in bytes, must have the form that was asked for, and comes from the host that was asked.
4. Keys go to that host only; they are not on the tape, not in an error, not in a document.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from harness.literature.live.arxiv import Arxiv
from harness.literature.live.by_hand import ByHand
from harness.literature.live.choose import live_source, source_for
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Patience, Web
from harness.literature.port import LiteratureError
from harness.literature.port import LiteratureReason as Reason
from harness.llm.tape import Tape
from tests.harness.literature.live.conftest import QUICK, Make
from tests.harness.literature.live.servers import SERVICES, Service, feed

ANY = "/graph/v1/paper/search"
BOMB = feed("<entry><id>http://arxiv.org/abs/2301.00001v1</id><title>&b;</title></entry>").replace(
    "?><feed", '?><!DOCTYPE feed [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><feed'
)


def fault(web: Web, url: str) -> LiteratureError:
    with pytest.raises(LiteratureError) as found:
        web.get(url)
    return found.value


@pytest.mark.parametrize("kind", SERVICES)
def test_1_asked_too_much_once_then_answered(kind: str, make: Make, server: HTTPServer) -> None:
    for path in ("/works", "/api/query", ANY):
        server.expect_oneshot_request(path).respond_with_data("slow down", status=429, headers={"Retry-After": "0"})
    assert len(make(kind).search("losers", 2)) == 2
    assert [r.status_code for _, r in server.log] == [429, 200]


@pytest.mark.parametrize(
    ("status", "reason", "asked"),
    [
        (429, Reason.RATE_LIMITED, 3), (500, Reason.UNAVAILABLE, 3), (503, Reason.UNAVAILABLE, 3),
        (401, Reason.DENIED, 1), (403, Reason.DENIED, 1), (404, Reason.NOT_FOUND, 1), (400, Reason.BAD_REQUEST, 1),
        (418, Reason.BAD_REQUEST, 1), (204, Reason.BAD_REQUEST, 1),
    ],
)  # fmt: skip
def test_1_a_fault_that_stays(server: HTTPServer, tmp_path: Path, status: int, reason: Reason, asked: int) -> None:
    server.expect_request(ANY).respond_with_data("no", status=status)
    tape = Tape(tmp_path / "t.jsonl")
    found = fault(Web("x", tape, QUICK), server.url_for(ANY))
    assert found.reason is reason and len(server.log) == asked and len(tape) == 0


def test_1_a_host_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = fault(Web("x", None, QUICK), f"http://127.0.0.1:{port}/")
    assert found.reason is Reason.CONNECTION and "127.0.0.1" in str(found)
    assert fault(Web("x", None, QUICK), "http://no-such-host.invalid/").reason in (Reason.CONNECTION, Reason.TIMEOUT)


@contextmanager
def rude_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that accepts, and then does as it likes."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _ = listening.accept()
            except TimeoutError:
                continue
            with client:
                try:
                    client.recv(4096)
                    while not ended.is_set():
                        talk(client)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        ended.set()
        thread.join(2.0)
        listening.close()


def _silent(client: socket.socket) -> None:
    time.sleep(0.05)


def _drips_headers(client: socket.socket) -> None:
    client.sendall(b"X")
    time.sleep(0.05)


class _Drips:
    """Right headers, then a byte now and then, without end."""

    def __init__(self) -> None:
        self.begun = False

    def __call__(self, client: socket.socket) -> None:
        if not self.begun:
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
            self.begun = True
        client.sendall(b" ")
        time.sleep(0.05)


def _closes(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    raise OSError


@pytest.mark.parametrize(
    ("talk", "reasons"),
    [
        (_silent, {Reason.TIMEOUT, Reason.CONNECTION}), (_drips_headers, {Reason.TIMEOUT}),
        (_Drips(), {Reason.TIMEOUT}), (_closes, {Reason.CONNECTION}),
    ],
    ids=["silent", "drips headers", "drips bytes", "closes half-way"],
)  # fmt: skip
def test_2_no_call_outlives_its_deadline(talk: Callable[[socket.socket], None], reasons: set[Reason]) -> None:
    with rude_server(talk) as url:
        began = time.monotonic()
        found = fault(Web("x", None, Patience(deadline_s=0.6, attempts=2, wait_s=0.01)), url)
        assert time.monotonic() - began < 30.0  # it drips for hours
    assert found.reason in reasons


def test_2_a_wait_beyond_the_deadline_is_not_waited_for(server: HTTPServer) -> None:
    server.expect_request(ANY).respond_with_data("no", status=429, headers={"Retry-After": "3600"})
    began = time.monotonic()
    found = fault(Web("x", None, QUICK), server.url_for(ANY))
    assert found.reason is Reason.RATE_LIMITED and found.wait_s == 3600 and "3600" in str(found)
    assert time.monotonic() - began < 60.0 and len(server.log) == 1


def test_2_requests_keep_their_pace(server: HTTPServer) -> None:
    SERVICES["arxiv"](server)
    source = Arxiv(Web("arxiv", None, QUICK, pace_s=0.3), Service(server).url)
    began = time.monotonic()
    source.search("losers", 1)
    source.search("winners", 1)
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("body", "media", "reason"),
    [
        (b"x" * 2_001, "application/json", Reason.TOO_LARGE),
        (b"", "application/json", Reason.MALFORMED),
        (b"<html>sign in</html>", "text/html", Reason.MALFORMED),
        (b'{"data": [', "application/json", Reason.MALFORMED),
        (b"[1, 2]", "application/json", Reason.MALFORMED),
        (b'{"message": "odd"}', "application/json", Reason.MALFORMED),
        (b'{"data": {"0": 1}}', "application/json", Reason.MALFORMED),
        (b"[" * 2_000, "application/json", Reason.MALFORMED),
        (b"\xff\xfe\x00", "application/json", Reason.MALFORMED),
    ],
    ids=["large", "empty", "page", "torn", "list", "no list", "wrong list", "deep", "bytes"],
)
def test_3_an_answer_of_another_form(server: HTTPServer, body: bytes, media: str, reason: Reason) -> None:
    for path in ("/works", ANY, "/api/query"):
        server.expect_request(path).respond_with_data(body, content_type=media)
    url = Service(server).url
    for kind in (OpenAlex, SemanticScholar, Arxiv):
        with pytest.raises(LiteratureError) as found:
            kind(Web("x", None, QUICK, max_bytes=2_000), url).search("losers", 3)
        assert found.value.reason is reason, kind.__name__


def test_3_parts_of_another_form_are_empty(server: HTTPServer) -> None:
    """A field may be missing, null, or anything at all; the document is poorer, not wrong."""
    odd: list[object] = [None, 7, True, [], {}, "x", {"a": 1}, 10**400, "\ud800"]
    names = (
        "display_name",
        "doi",
        "publication_date",
        "authorships",
        "primary_location",
        "abstract_inverted_index",
        "id",
    )
    works: list[object] = [dict.fromkeys(names, v) for v in odd]
    server.expect_request("/works").respond_with_json({"results": [*works, None, 3, "x"]})
    found = OpenAlex(Web("x", None, QUICK), Service(server).url).search("losers", 50)
    assert len(found) == len(odd) and {d.title for d in found} <= {"(no title)", "7", "x", "?"}
    places = {"back": [1], "front": [0], "far": [10**9, -1], "no": ["1", None, True, [2]]}
    server.clear()
    server.expect_request("/works").respond_with_json({"results": [{"abstract_inverted_index": places}]})
    assert OpenAlex(Web("x", None, QUICK), Service(server).url).search("x", 1)[0].text == "far front back far"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            feed("<entry><id>x</id><title>Error</title><summary>incorrect id format</summary></entry>"),
            Reason.BAD_REQUEST,
        ),
        ("Rate exceeded.", Reason.RATE_LIMITED),
        (BOMB, Reason.MALFORMED),
        ('<?xml version="1.0" encoding="no-such"?><feed/>', Reason.MALFORMED),
        ("<rss></rss>", Reason.MALFORMED),
        ("<feed><unclosed>", Reason.MALFORMED),
    ],
    ids=["error entry", "rate", "bomb", "encoding", "rss", "torn"],
)
def test_3_feeds_that_are_none(server: HTTPServer, body: str, reason: Reason) -> None:
    server.expect_request("/api/query").respond_with_data(body, content_type="application/atom+xml")
    with pytest.raises(LiteratureError) as found:
        Arxiv(Web("arxiv", None, QUICK), Service(server).url).fetch("2301.00001")
    assert found.value.reason is reason


def test_3_a_compressed_answer_is_not_unpacked(server: HTTPServer) -> None:
    packed = gzip.compress(b"0" * (6 << 20))
    server.expect_request(ANY).respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert fault(Web("x", None, QUICK), server.url_for(ANY)).reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("to", "elsewhere", "reason"),
    [
        ("http://8.8.8.8/", False, Reason.OFF_LIST), ("http://169.254.169.254/latest", True, Reason.OFF_LIST),
        ("http://localhost:1/x", True, Reason.OFF_LIST), ("http://[::1]/", True, Reason.OFF_LIST),
        ("http://10.0.0.1/", True, Reason.OFF_LIST), ("http://2130706433/", True, Reason.OFF_LIST),
        ("file:///etc/passwd", True, Reason.BAD_REQUEST), ("ftp://example.org/x", True, Reason.BAD_REQUEST),
        ("http://user:pw@example.org/", True, Reason.BAD_REQUEST), ("/loop", True, Reason.MALFORMED),
        ("", True, Reason.MALFORMED),
    ],
)  # fmt: skip
def test_3_redirects_do_not_lead_inside(server: HTTPServer, to: str, elsewhere: bool, reason: Reason) -> None:
    server.expect_request("/loop").respond_with_data("", status=302, headers={"Location": to})
    assert fault(Web("x", None, QUICK, elsewhere=elsewhere), server.url_for("/loop")).reason is reason
    assert len(server.log) <= 6


def test_3_a_redirect_at_home_is_followed(server: HTTPServer) -> None:
    server.expect_request("/a").respond_with_data("", status=301, headers={"Location": "/b"})
    server.expect_request("/b").respond_with_data("there", content_type="text/plain")
    page = Web("x", None, QUICK).get(server.url_for("/a"), {"q": "1"})
    assert page.body == b"there" and page.url.endswith("/b") and page.media == "text/plain"


@pytest.mark.parametrize("url", ["", "x", "ftp://a/b", "http://", "file:///x", "http://u:p@h/", "javascript:alert(1)"])
def test_3_what_is_no_web_address(url: str) -> None:
    assert fault(Web("x", None, QUICK), url).reason is Reason.BAD_REQUEST


def test_4_keys_go_to_their_host_and_nowhere_else(server: HTTPServer, tmp_path: Path, make: Make) -> None:
    tape = Tape(tmp_path / "t.jsonl")
    found = [
        *make("openalex", tape, secret={"api_key": "s3cret-key"}).search("losers", 3),
        *make("semantic_scholar", tape, headers={"x-api-key": "s3cret-key"}).search("losers", 3),
    ]
    asked = Service(server).requests
    assert asked[0].args["api_key"] == "s3cret-key" and asked[1].headers["x-api-key"] == "s3cret-key"
    assert "s3cret" not in (tmp_path / "t.jsonl").read_text() and "s3cret" not in repr(found)
    assert "s3cret" not in repr(tape)


def test_4_keys_are_not_in_errors(server: HTTPServer, make: Make) -> None:
    def echo(request: Request) -> Response:
        return Response(request.url, status=400)

    server.expect_request("/works").respond_with_handler(echo)
    with pytest.raises(LiteratureError) as found:
        make("openalex", answers=False, secret={"api_key": "s3cret-key"}).search("losers", 3)
    assert "s3cret" not in str(found.value)


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ("10.1111/j.1", "openalex"), ("doi:10.1111/j.1", "openalex"), ("https://doi.org/10.1/x", "openalex"),
        ("W2741809807", "openalex"), ("arxiv:2301.12345", "arxiv"), ("https://arxiv.org/abs/2301.12345", "arxiv"),
        ("https://arxiv.org/pdf/2301.12345", "by_hand"), ("https://example.org/a.pdf", "by_hand"),
        ("wages.pdf", "by_hand"), ("W.txt", "by_hand"), ("./paper.pdf", "by_hand"),
    ],
)  # fmt: skip
def test_what_a_person_gave_goes_to_the_source_that_knows_it(given: str, source: str) -> None:
    assert source_for(given)[0] == source
    assert live_source(source, environment={}).name == source


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match="openalex, arxiv"):
        live_source("scholar", environment={})
    assert ByHand().search("anything", 3) == ()
