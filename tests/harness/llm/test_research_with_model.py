"""A research that asks a model over HTTP, from the text to the branch, and what can be done with its tape.

1. Replayed without a server it gives the same specification, candidates, screens, run digest, commit and tape.
2. What was altered is refused, what is not on the tape is an error, and neither asks anybody.
3. The key is nowhere in the workspace. A model that is gone ends in an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WerkzeugRequest
from werkzeug import Response

from harness.llm.port import ModelError, Reason
from harness.llm.tape import Tape, TapeError, tape_path
from harness.result import ResearchResult
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.workspace import Workspace
from tests.harness.llm.answers import TEXT, candidates, reading
from tests.harness.planted import reversal_panel, small_checkout, wide_csv
from tests.harness.test_research import Lab
from traces.events import Event, ExchangeRecorded

pytestmark = pytest.mark.slow

KEY = "sk-a-key-that-must-stay-here"
EXPRESSIONS = ("rank(-returns(close, 5))", "rank(-returns(close, 5) / ts_std(returns(close, 1), 63))")


class Server:
    """A server of Chat Completions that reads, asks for a skill, and drafts; it counts what it was asked."""

    def __init__(self, http: HTTPServer) -> None:
        self.http = http
        self.asked = 0
        self.down = False
        http.expect_request("/v1/chat/completions").respond_with_handler(self.answer)

    @property
    def llm(self) -> str:
        return f"openai:a-model@{self.http.url_for('/v1')}"

    def answer(self, request: WerkzeugRequest) -> Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        self.asked += 1
        if self.down:
            return Response('{"error": {"message": "no such model"}}', status=404)
        body = json.loads(request.data)
        message: dict[str, object] = {"role": "assistant", "content": self.words(body)}
        if not message["content"]:
            call = {"name": "read_skill", "arguments": '{"name": "short-term-reversal"}'}
            message["tool_calls"] = [{"id": f"call-{self.asked}", "type": "function", "function": call}]
        reply = {
            "id": f"reply-{self.asked}", "object": "chat.completion", "created": self.asked, "model": "a-model-2026",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }  # fmt: skip
        return Response(json.dumps(reply), content_type="application/json")

    @staticmethod
    def words(body: dict[str, list[dict[str, str]]]) -> str:
        if body["messages"][0]["content"].startswith("You read a hypothesis"):
            return reading().text
        answered = body["messages"][-1]["role"] == "tool"
        return candidates(*EXPRESSIONS).text if answered else ""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with HTTPServer() as http, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CWS_LLM_KEY", KEY)
        yield Server(http)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    workspace = Workspace(root=small_checkout(folder / "checkout"), home=folder / "home")
    add_files(DataStore(workspace.data), "planted", [wide_csv(reversal_panel(1_500), folder / "planted.csv")])
    return Lab(workspace)


@pytest.fixture(scope="module")
def first(lab: Lab, server: Server) -> tuple[ResearchResult, list[Event]]:
    result = lab.research(TEXT, k=2, llm=server.llm)
    return result, list(lab.events)


def told(result: ResearchResult) -> dict[str, object]:
    """What must not differ: everything but names of this research and its run, and the clock."""
    out = {"research_id", "seconds", "node_seconds", "chosen"}
    assert result.chosen is not None
    return {**result.model_dump(mode="json", exclude=out), "chosen": result.chosen.model_dump(exclude={"run_id"})}


def tape_of(lab: Lab, result: ResearchResult) -> Path:
    return tape_path(lab.workspace.home, result.research_id)


def test_asks_a_model(server: Server, first: tuple[ResearchResult, list[Event]]) -> None:
    result, events = first
    assert result.status == "drafted" and result.drafter == "openai:a-model"
    assert [c.expr for c in result.candidates] == list(EXPRESSIONS)
    assert server.asked == 3 and result.total.calls == 3 and result.total.cost_usd == 0.0
    exchanges = [e for e in events if isinstance(e, ExchangeRecorded)]
    assert [e.label for e in exchanges] == ["prices", "specify/1", "draft/0/1", "draft/0/2"]


def test_the_key_is_nowhere(lab: Lab, first: tuple[ResearchResult, list[Event]]) -> None:
    for folder in (lab.workspace.home, lab.workspace.root):
        for path in folder.rglob("*"):
            assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert all(KEY not in e.model_dump_json() for e in first[1])


def test_replays_without_a_server(lab: Lab, server: Server, first: tuple[ResearchResult, list[Event]]) -> None:
    result, asked = first[0], server.asked
    again = lab.research(TEXT, k=2, llm=f"replay:{result.research_id}")
    assert server.asked == asked
    assert told(again) == told(result)
    assert again.chosen is not None and result.chosen is not None and again.chosen.commit == result.chosen.commit
    assert tape_of(lab, again).read_bytes() == tape_of(lab, result).read_bytes()
    assert all(e.replayed for e in lab.events if isinstance(e, ExchangeRecorded))


REFUSED = [
    ("Stocks that fell the most last month rebound", lambda lines: lines, "is not on the tape"),
    (TEXT, lambda lines: [lines[0], *lines[2:]], "is not on the tape"),
    (TEXT, lambda lines: [*lines[:1], lines[1].replace(b"rebound", b"sink"), *lines[2:]], "the tape was altered"),
    (TEXT, lambda lines: lines[1:], "opened 0 models"),
]


@pytest.mark.parametrize(("text", "change", "problem"), REFUSED, ids=range(len(REFUSED)))
def test_what_the_tape_does_not_hold_is_an_error(
    lab: Lab,
    server: Server,
    first: tuple[ResearchResult, list[Event]],
    text: str,
    change: Callable[[list[bytes]], list[bytes]],
    problem: str,
) -> None:
    asked = server.asked
    other = tape_path(lab.workspace.home, "research-altered")
    other.write_bytes(b"\n".join(change(tape_of(lab, first[0]).read_bytes().split(b"\n"))))
    with pytest.raises(TapeError, match=problem):
        lab.research(text, k=2, llm="replay:research-altered")
    assert server.asked == asked


def test_a_model_that_is_gone_ends_in_an_error_not_in_a_result(lab: Lab, server: Server) -> None:
    server.down = True
    with pytest.raises(ModelError) as caught:
        lab.research(TEXT, k=2, llm=server.llm)
    assert caught.value.reason is Reason.UNKNOWN_MODEL
    started = next(e for e in lab.events if isinstance(e, ExchangeRecorded))
    assert [e.who for e in Tape(tape_path(lab.workspace.home, started.research_id))] == ["prices"]
