"""A server that means ill: it dribbles, floods, redirects, lies about its protocol, and echoes the key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WerkzeugRequest
from werkzeug import Response

from harness.llm.anthropic import REFUSED, AnthropicModel
from harness.llm.openai import OpenAIModel
from harness.llm.port import Message, Model, ModelError, Reason, Request
from harness.llm.schemas import without
from harness.llm.wire import reason_of

KEY = "sk-a-key-that-must-stay-here"
HELLO = Request(label="test", system="Be brief.", messages=(Message(role="user", text="hello"),))
PATHS = {"anthropic": "/v1/messages", "responses": "/v1/responses", "chat": "/v1/chat/completions"}

pytestmark = pytest.mark.slow


def model(kind: str, address: str, deadline_s: float = 3.0) -> Model:
    if kind == "anthropic":
        return AnthropicModel("claude-opus-5-5", KEY, base_url=address, deadline_s=deadline_s)
    dialect = "responses" if kind == "responses" else "chat"
    return OpenAIModel("m", KEY, base_url=f"{address}/v1", dialect=dialect, deadline_s=deadline_s)


def failure(kind: str, server: HTTPServer, deadline_s: float = 3.0) -> ModelError:
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        model(kind, server.url_for("").rstrip("/"), deadline_s).complete(HELLO)
    assert time.monotonic() - began < 30.0 + 4 * deadline_s
    assert KEY not in str(caught.value) and len(str(caught.value)) < 700
    return caught.value


def dribble() -> Iterator[bytes]:
    for _ in range(600):
        yield b": wait\n\n"
        time.sleep(0.1)


def flood() -> Iterator[bytes]:
    for _ in range(40):
        yield b": " + b"x" * (1 << 20) + b"\n\n"


BODIES = [
    ("", "text/event-stream"),
    ("", "application/json"),
    ("null", "application/json"),
    ("[]", "application/json"),
    ("{}", "application/json"),
    ("<html>login</html>", "text/html"),
    ('{"choices": []}', "application/json"),
    ('{"choices": [{"message": null}]}', "application/json"),
    ("data: {}\n\n", "text/event-stream"),
    ("data: not json\n\n", "text/event-stream"),
    ('event: message_start\ndata: {"type": "message_start"}\n\n', "text/event-stream"),
    ('data: {"type": "response.completed"}\n\n', "text/event-stream"),
    ("\x00\x01\x02" * 100, "application/octet-stream"),
    ("[" * 100_000, "application/json"),
]


@pytest.mark.parametrize("kind", PATHS)
def test_a_dribbling_server_does_not_hold_the_research(kind: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS[kind]).respond_with_response(Response(dribble(), content_type="text/event-stream"))
    assert failure(kind, httpserver).reason is Reason.TIMEOUT


@pytest.mark.parametrize("kind", PATHS)
def test_a_flood_is_cut(kind: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS[kind]).respond_with_response(Response(flood(), content_type="text/event-stream"))
    error = failure(kind, httpserver, 20.0)
    assert error.reason is Reason.MALFORMED and "longer than" in str(error)


@pytest.mark.parametrize("kind", PATHS)
def test_a_redirect_is_not_followed(kind: str, httpserver: HTTPServer) -> None:
    seen: list[str] = []

    def elsewhere(request: WerkzeugRequest) -> Response:
        seen.append(str(request.headers))
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/elsewhere").respond_with_handler(elsewhere)
    moved = Response("", status=307, headers={"location": httpserver.url_for("/elsewhere")})
    httpserver.expect_request(PATHS[kind]).respond_with_response(moved)
    failure(kind, httpserver)
    assert not seen


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize(("body", "content_type"), BODIES, ids=range(len(BODIES)))
def test_what_is_no_reply_is_malformed(kind: str, body: str, content_type: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS[kind]).respond_with_data(body, content_type=content_type)
    assert failure(kind, httpserver).reason in {Reason.MALFORMED, Reason.CONNECTION, Reason.OVERLOADED}


@pytest.mark.parametrize("kind", PATHS)
def test_an_echoed_key_is_not_shown(kind: str, httpserver: HTTPServer) -> None:
    said = json.dumps({"error": {"message": f"Incorrect key {KEY}\n\x1b[31m" + "x" * 5_000, "type": "auth"}})
    httpserver.expect_request(PATHS[kind]).respond_with_data(said, status=401, content_type="application/json")
    error = failure(kind, httpserver)
    assert error.reason is Reason.DENIED and "[key]" in str(error) and "\x1b" not in str(error)


WAITS = [("1", 1.0), ("0", 0.0), ("1e9", 120.0), ("-1", None), ("nan", None), ("inf", None), ("soon", None)]


@pytest.mark.parametrize(("header", "wait_s"), WAITS)
def test_a_wait_is_a_sane_number_or_none(header: str, wait_s: float | None, httpserver: HTTPServer) -> None:
    limited = Response('{"error": {"message": "slow down"}}', status=429, headers={"retry-after": header})
    httpserver.expect_request(PATHS["chat"]).respond_with_response(limited)
    assert failure("chat", httpserver).wait_s == wait_s


def test_a_server_that_counts_nothing_is_taken_at_the_most(httpserver: HTTPServer) -> None:
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Good day."}}]}  # fmt: skip
    httpserver.expect_request(PATHS["chat"]).respond_with_json(body)
    reply = model("chat", httpserver.url_for("").rstrip("/")).complete(HELLO)
    assert reply.usage.output_tokens == len("Good day.") and reply.usage.input_tokens > 50


def test_what_is_sent(httpserver: HTTPServer) -> None:
    """The system text is cached, neither temperature nor seed go where they are refused, and nothing is stored."""
    sent: dict[str, dict[str, object]] = {}

    def keep(request: WerkzeugRequest) -> Response:
        sent[request.path] = json.loads(request.data)
        return Response("{}", status=400, content_type="application/json")

    for path in PATHS.values():
        httpserver.expect_request(path).respond_with_handler(keep)
    request = HELLO.model_copy(update={"temperature": 0.0, "seed": 7})
    for kind in PATHS:
        with pytest.raises(ModelError):
            model(kind, httpserver.url_for("").rstrip("/")).complete(request)
    messages, answers, completions = (sent[p] for p in PATHS.values())
    assert not {"temperature", "seed"} & set(messages) and "cache_control" in json.dumps(messages["system"])
    assert "temperature" not in answers and answers["store"] is False
    assert (completions["temperature"], completions["seed"]) == (0.0, 7)


STATUSES = [
    (429, "", Reason.RATE_LIMITED), (429, "insufficient_quota", Reason.DENIED), (402, "", Reason.DENIED),
    (404, "", Reason.UNKNOWN_MODEL), (408, "", Reason.CONNECTION), (413, "", Reason.BAD_REQUEST),
    (529, "", Reason.OVERLOADED), (302, "", Reason.BAD_REQUEST),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "reason"), STATUSES)
def test_what_a_status_means(status: int, body: str, reason: Reason) -> None:
    assert reason_of(status, body) is reason


def test_a_schema_loses_only_what_is_refused() -> None:
    schema = {
        "type": "object", "required": ["pattern"], "additionalProperties": False,
        "properties": {
            "pattern": {"type": "string", "pattern": "^a$", "maxLength": 3}, "n": {"type": "array", "minItems": 2},
        },
    }  # fmt: skip
    assert without(schema, REFUSED) == {
        "type": "object", "required": ["pattern"], "additionalProperties": False,
        "properties": {"pattern": {"type": "string"}, "n": {"type": "array"}},
    }  # fmt: skip
