"""What every model behind the port must do: the same suite for each, over real HTTP where the model has any.

1. A question in words has a whole answer; what was used is counted; who answered is named.
2. A tool is asked for with arguments that are JSON, and its answer goes on to a whole answer.
3. An answer has the form that was asked for.
4. Every failure is a ModelError with the right reason, within the deadline, without the key in its words.
5. A reply survives the tape.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.llm.anthropic import AnthropicModel
from harness.llm.openai import OpenAIModel
from harness.llm.port import Answer, Message, Model, ModelError, Reason, Reply, Request, Tool, ToolCall, Usage
from harness.llm.recorder import Recorded, Replayed
from harness.llm.retry import Patience, Retrying
from harness.llm.scripted import Scripted, says
from harness.llm.tape import Tape
from tests.harness.llm.mock import aimock, fault
from tests.harness.llm.test_money import PRICE

KEY = "sk-a-key-that-must-stay-here"
TOOL = Tool(
    name="read_skill",
    description="The body of a skill.",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    },
)
FORM = Answer(
    name="pair",
    json_schema={
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
)


def on(text: str, response: dict[str, object], **match: object) -> dict[str, object]:
    """What the server says to a text."""
    return {"match": {"userMessage": text, **match}, "response": response}


USED = {"input_tokens": 9, "output_tokens": 3, "prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
CALL: dict[str, object] = {"toolCalls": [{"name": "read_skill", "arguments": {"name": "momentum"}}]}
FIXTURES = [
    on("hello", {"content": "Good day.", "usage": USED}),
    on("which skill", CALL, hasToolResult=False),
    on("which skill", {"content": "It is momentum."}, hasToolResult=True),
    on("form", {"content": '{"a": 1}'}),
    on("cut", {"content": "It was", "finishReason": "length"}),
    *[
        on(f"status {status}", {"error": {"message": f"said with {KEY}", "type": "an_error"}, "status": status})
        for status in (400, 401, 403, 404, 429, 500, 503, 529)
    ],
]


def ask(text: str, *, tools: tuple[Tool, ...] = (), answer: Answer | None = None, label: str = "test") -> Request:
    return Request(
        label=label, system="Be brief.", messages=(Message(role="user", text=text),), tools=tools, answer=answer
    )


def script(request: Request) -> Reply | ModelError:
    """What the server's fixtures say, without a server."""
    text, last = request.messages[0].text, request.messages[-1]
    if text.startswith("status"):
        return ModelError(REASONS[int(text.split()[1])], "failed")
    if "which skill" in text and last.role != "tool":
        call = ToolCall(id="c1", name="read_skill", arguments='{"name": "momentum"}')
        return Reply(calls=(call,), stop="tools", usage=Usage(input_tokens=1, output_tokens=1), model="m")
    if text == "cut":
        return says("It was").model_copy(update={"stop": "length"})
    return says({"hello": "Good day.", "form": '{"a": 1}'}.get(text, "It is momentum."))


REASONS = {
    400: Reason.BAD_REQUEST, 401: Reason.DENIED, 403: Reason.DENIED, 404: Reason.UNKNOWN_MODEL,
    429: Reason.RATE_LIMITED, 500: Reason.OVERLOADED, 503: Reason.OVERLOADED, 529: Reason.OVERLOADED,
}  # fmt: skip


@dataclass
class Subject:
    """A model under test, and the address of its server, if it has one."""

    model: Model
    address: str | None = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with aimock(tmp_path_factory.mktemp("aimock"), FIXTURES) as address:
        yield address


def anthropic(address: str, deadline_s: float = 30.0) -> Model:
    return AnthropicModel("claude-opus-5-5", KEY, base_url=address, deadline_s=deadline_s)


def responses(address: str, deadline_s: float = 30.0) -> Model:
    return OpenAIModel("gpt-6.2-sol", KEY, base_url=f"{address}/v1", dialect="responses", deadline_s=deadline_s)


def chat(address: str, deadline_s: float = 30.0) -> Model:
    return OpenAIModel("local", KEY, base_url=f"{address}/v1", deadline_s=deadline_s)


LIVE: dict[str, Callable[..., Model]] = {"anthropic": anthropic, "responses": responses, "chat": chat}
OWN = ("scripted", "recorded", "replayed")


@pytest.fixture(params=[*OWN, *(pytest.param(name, marks=pytest.mark.slow) for name in LIVE)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    if request.param in LIVE:
        address = request.getfixturevalue("server")
        return Subject(LIVE[request.param](address), address)
    scripted = Scripted(script)
    if request.param == "scripted":
        return Subject(scripted)
    recorded = Recorded(scripted, PRICE, Tape(tmp_path / "a.jsonl"), "r", lambda e: None)
    if request.param == "recorded":
        return Subject(recorded)
    return Subject(_Rehearsed(recorded, tmp_path))


@dataclass
class _Rehearsed:
    """A replay of what was recorded a moment before: failures are not on a tape, so they are those of the day."""

    recorded: Recorded
    folder: Path
    name: str = "scripted:model"

    def complete(self, request: Request) -> Reply:
        self.recorded.complete(request)
        source = Tape(self.folder / "a.jsonl", ask_outside=False)
        return Replayed(source, Tape(self.folder / "b.jsonl"), "b", lambda e: None, self.name).complete(request)


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in LIVE])
def live(request: pytest.FixtureRequest, server: str) -> Subject:
    return Subject(LIVE[request.param](server), server)


def test_answers_in_words(subject: Subject) -> None:
    reply = subject.model.complete(ask("hello"))
    assert (reply.text, reply.stop, reply.calls) == ("Good day.", "end", ())
    assert reply.usage.input_tokens > 0 and reply.usage.output_tokens > 0
    assert reply.model and ":" in subject.model.name


def test_calls_a_tool_and_goes_on(subject: Subject) -> None:
    first = ask("which skill", tools=(TOOL,))
    reply = subject.model.complete(first)
    assert reply.stop == "tools" and [c.name for c in reply.calls] == ["read_skill"]
    assert json.loads(reply.calls[0].arguments) == {"name": "momentum"}
    answered = Message(role="tool", text="Momentum: ...", call_id=reply.calls[0].id)
    after = first.model_copy(update={"messages": (*first.messages, reply.as_message(), answered), "label": "after"})
    assert subject.model.complete(after).text == "It is momentum."


def test_a_conversation_without_its_own_form_goes_on(subject: Subject) -> None:
    first = ask("which skill", tools=(TOOL,))
    call = ToolCall(id="call_1", name="read_skill", arguments='{"name": "momentum"}')
    turns = (Message(role="assistant", calls=(call,)), Message(role="tool", text="Momentum: ...", call_id="call_1"))
    again = first.model_copy(update={"messages": (*first.messages, *turns)})
    assert subject.model.complete(again).text == "It is momentum."


def test_answers_in_the_form_asked_for(subject: Subject) -> None:
    assert json.loads(subject.model.complete(ask("form", answer=FORM)).text) == {"a": 1}


def test_says_when_it_was_cut_off(subject: Subject) -> None:
    assert subject.model.complete(ask("cut")).stop == "length"


def test_survives_the_tape(subject: Subject) -> None:
    for reply in (subject.model.complete(ask("hello")), subject.model.complete(ask("which skill", tools=(TOOL,)))):
        assert Reply.model_validate_json(reply.model_dump_json()) == reply


@pytest.mark.parametrize("status", sorted(REASONS))
def test_a_failure_has_its_reason_and_keeps_the_key(subject: Subject, status: int) -> None:
    with pytest.raises(ModelError) as caught:
        subject.model.complete(ask(f"status {status}"))
    assert caught.value.reason is REASONS[status]
    assert KEY not in str(caught.value)
    if status == 429 and subject.address:
        assert caught.value.wait_s is not None and caught.value.wait_s > 0


FAULTS: list[tuple[dict[str, float], set[Reason]]] = [
    ({"dropRate": 1.0}, {Reason.OVERLOADED}),
    ({"malformedRate": 1.0}, {Reason.MALFORMED, Reason.CONNECTION}),
    ({"disconnectRate": 1.0}, {Reason.CONNECTION}),
    ({"rateLimitRate": 1.0}, {Reason.RATE_LIMITED}),
    ({"latencyMs": 6_000}, {Reason.TIMEOUT}),
]


@pytest.mark.parametrize(("rates", "reasons"), FAULTS, ids=[next(iter(r)) for r, _ in FAULTS])
def test_a_fault_of_the_wire_is_an_error_in_time(live: Subject, rates: dict[str, float], reasons: set[Reason]) -> None:
    model: Any = live.model
    hasty = type(model)(model.model, KEY, base_url=model.base_url, deadline_s=2.0)
    if isinstance(model, OpenAIModel):
        hasty.dialect = model.dialect
    began = time.monotonic()
    with fault(live.address or "", **rates), pytest.raises(ModelError) as caught:
        hasty.complete(ask("hello"))
    assert caught.value.reason in reasons
    assert time.monotonic() - began < 60.0
    assert live.model.complete(ask("hello")).text == "Good day."


def test_half_the_calls_fail_and_all_are_answered(live: Subject) -> None:
    patient = Retrying(live.model, Patience(attempts=40, first_wait_s=0.01, longest_wait_s=0.02), sleep=lambda s: None)
    with fault(live.address or "", rateLimitRate=0.3, dropRate=0.3):
        assert [patient.complete(ask("hello", label=str(i))).text for i in range(10)] == ["Good day."] * 10


@pytest.mark.slow
def test_nobody_there_is_no_connection() -> None:
    with pytest.raises(ModelError, match="Connection refused") as caught:
        chat("http://127.0.0.1:9").complete(ask("hello"))
    assert caught.value.reason is Reason.CONNECTION
