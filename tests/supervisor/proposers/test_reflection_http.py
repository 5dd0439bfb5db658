"""A reflection that asks a server over HTTP, by either protocol, with a real ledger and a real tape.

1. Each provider's answer becomes the same patch; each exchange is on the tape and vouched for by the ledger.
2. Asked again it asks nobody; replayed elsewhere, without server and key, it gives the same patch.
3. The key is nowhere in the workspace; a server that fails, stalls or talks nonsense ends in a note.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WerkzeugRequest
from werkzeug import Response

from harness.llm.choice import parse_choice
from harness.llm.tape import tape_path
from modules.workspace import CHECKOUT, Workspace
from supervisor.proposers.port import Proposal
from supervisor.proposers.reflection import reflection, tape_of
from tests.supervisor.conftest import SIZE
from tests.supervisor.proposers.test_reflection import BAND, GOOD, desk
from traces.events import Event, ExchangeRecorded
from traces.ledger import Ledger
from traces.reader import read

pytestmark = pytest.mark.slow

KEY = "sk-a-key-that-must-stay-here"
SAID = json.dumps({"rationale": "The band keeps small moves at home.", "diffs": [GOOD]})


def openai(text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "r", "object": "chat.completion", "created": 1, "model": "a-model-2026",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980},
    }  # fmt: skip


def anthropic(text: str) -> str:
    """A message as server-sent events."""
    message = {
        "id": "r", "type": "message", "role": "assistant", "model": "a-model-2026", "stop_reason": None,
        "stop_sequence": None, "content": [], "usage": {"input_tokens": 900, "output_tokens": 1},
    }  # fmt: skip
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 80}},
        {"type": "message_stop"},
    ]  # fmt: skip
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


class Server:
    """Both protocols on one port; counts what it was asked."""

    def __init__(self, http: HTTPServer) -> None:
        self.http, self.asked = http, 0
        self.text, self.status = SAID, 200
        http.expect_request("/v1/chat/completions").respond_with_handler(self._openai)
        http.expect_request("/v1/messages").respond_with_handler(self._anthropic)

    def _openai(self, request: WerkzeugRequest) -> Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        return self._reply(json.dumps(openai(self.text)), "application/json")

    def _anthropic(self, request: WerkzeugRequest) -> Response:
        assert KEY in (
            request.headers.get("x-api-key"),
            request.headers.get("authorization", "").removeprefix("Bearer "),
        )
        return self._reply(anthropic(self.text), "text/event-stream")

    def _reply(self, body: str, kind: str) -> Response:
        self.asked += 1
        return Response(body, status=self.status, content_type=kind)


@pytest.fixture
def server(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("CWS_LLM_KEY", KEY)
    return Server(httpserver)


def asked(home: Path, llm: str, notes: list[str] | None = None) -> Proposal | None:
    workspace = Workspace(CHECKOUT, home)

    def emit(event: Event) -> None:
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
            ledger.append(event)

    return reflection(workspace, emit, parse_choice(llm)).propose(SIZE, [BAND], desk(notes=notes))


@pytest.mark.parametrize("form", ["openai:a-model@{}/v1", "anthropic:a-model@{}"])
def test_either_protocol_to_the_same_patch(server: Server, tmp_path: Path, form: str) -> None:
    llm = form.format(server.http.url_for("").rstrip("/"))
    notes: list[str] = []
    first = asked(tmp_path, llm, notes)
    assert first is not None and first.tape is not None, notes
    assert {k: (c.old, c.new) for k, c in first.candidates[0].changes.items()} == {"no_trade_band": (0.0, 0.02)}
    workspace = Workspace(CHECKOUT, tmp_path)
    vouched = [e.event for e in read(workspace.ledger) if isinstance(e.event, ExchangeRecorded)]
    assert [e.label for e in vouched][-1] == "reflect/1" and len(vouched) == 2  # the day's prices before it
    assert asked(tmp_path, llm) == first and server.asked == 1

    tape = tape_of(tmp_path, first.tape)
    assert tape is not None
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "tapes").mkdir(parents=True)
    shutil.copy(tape, tape_path(elsewhere, tape.stem))
    server.status = 500
    replayed = asked(elsewhere, f"replay:{tape.stem}")
    assert replayed is not None and replayed.candidates == first.candidates and server.asked == 1
    assert all(KEY.encode() not in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


FAULTS = [
    (404, SAID, ""),
    (401, SAID, ""),
    (200, "I would rather write a poem.", "no answer of the form"),
    (
        200,
        '{"rationale": "x", "diffs": ["--- a/ablations/gate.py\\n+++ b/ablations/gate.py\\n@@ -1 +1 @@\\n-x\\n+y"]}',
        "gate.py",
    ),
]


@pytest.mark.parametrize(("status", "text", "says"), FAULTS)
def test_what_goes_wrong_is_a_note(server: Server, tmp_path: Path, status: int, text: str, says: str) -> None:
    server.status, server.text = status, text
    notes: list[str] = []
    assert asked(tmp_path, f"openai:a-model@{server.http.url_for('/v1')}", notes) is None
    assert len(notes) == 1 and says in notes[0] and KEY not in notes[0]


def test_a_tape_that_was_altered_is_refused(server: Server, tmp_path: Path) -> None:
    llm = f"openai:a-model@{server.http.url_for('/v1')}"
    first = asked(tmp_path, llm)
    assert first is not None and first.tape is not None
    tape = tape_of(tmp_path, first.tape)
    assert tape is not None
    tape.write_text(tape.read_text().replace("0.02", "0.05"))
    notes: list[str] = []
    assert asked(tmp_path, llm, notes) is None
    assert "altered" in notes[0] and server.asked == 1
