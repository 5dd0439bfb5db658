"""An exchange with a model to its end: tools answered, answers checked, faults sent back for repair; all bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from harness.llm.port import Answer, Message, Model, ModelError, Reason, Reply, Request, Tool, ToolCall

MAX_TURNS = 12
MAX_TOOL_CALLS = 16
MAX_REPAIRS = 2
MAX_TOOL_CHARS = 8_000
MAX_ERRORS_SHOWN = 12

T = TypeVar("T", bound=BaseModel)
Handler = Callable[[Mapping[str, object]], str]


@dataclass
class Talk(Generic[T]):
    """A conversation that ends in an answer of the form `kind`.

    `check` returns what is wrong with an answer of the right form, in sentences for the model; nothing wrong ends the
    talk. After MAX_REPAIRS the last answer stands, and its faults are the caller's to deal with.
    """

    model: Model
    label: str
    system: str
    answer: Answer
    kind: type[T]
    check: Callable[[T], Sequence[str]]
    tools: Mapping[str, tuple[Tool, Handler]] = field(default_factory=dict)
    max_output_tokens: int = 8_000
    seed: int = 0
    messages: list[Message] = field(default_factory=list)
    _turns: int = 0
    _tool_calls: int = 0

    def say(self, text: str) -> T:
        """Ask, and talk until there is an answer. Raises ModelError: of the model, or `malformed` where no answer of
        the form came after all repairs."""
        self.messages.append(Message(role="user", text=text))
        repairs = 0
        while True:
            reply = self._ask()
            if reply.calls:
                self._answer_tools(reply.calls)
                continue
            value, faults = self._read(reply)
            if value is not None and not faults:
                return value
            if repairs == MAX_REPAIRS:
                if value is not None:
                    return value
                raise ModelError(
                    Reason.MALFORMED,
                    f"{self.model.name}: {self.label}: no answer of the form after {repairs} repairs: {faults[0]};"
                    " choose a stronger model",
                )
            repairs += 1
            self.messages.append(Message(role="user", text=_repair(faults)))

    def _ask(self) -> Reply:
        if self._turns == MAX_TURNS:
            raise ModelError(
                Reason.MALFORMED,
                f"{self.model.name}: {self.label}: no answer in {MAX_TURNS} turns; choose a stronger model",
            )
        self._turns += 1
        may_call = self._tool_calls < MAX_TOOL_CALLS and self._turns < MAX_TURNS - MAX_REPAIRS
        reply = self.model.complete(
            Request(
                label=f"{self.label}/{self._turns}",
                system=self.system,
                messages=tuple(self.messages),
                tools=tuple(tool for tool, _ in self.tools.values()) if may_call else (),
                answer=self.answer,
                max_output_tokens=self.max_output_tokens,
                temperature=0.0,
                seed=self.seed % (1 << 31),
            )
        )
        if reply.stop == "declined":
            raise ModelError(
                Reason.BAD_REQUEST, f"{self.model.name}: {self.label}: the model declined to answer; reword it"
            )
        self.messages.append(reply.as_message())
        return reply

    def _answer_tools(self, calls: Sequence[ToolCall]) -> None:
        """Every call has an answer, as the protocols demand; beyond the limit it is that there are no more."""
        for call in calls:
            self._tool_calls += 1
            if self._tool_calls > MAX_TOOL_CALLS:
                text = "no further calls are answered; give your answer"
            else:
                text = self._run(call)
            self.messages.append(Message(role="tool", text=text[:MAX_TOOL_CHARS], call_id=call.id))

    def _run(self, call: ToolCall) -> str:
        if call.name not in self.tools:
            return f"there is no tool {call.name[:64]!r}; there are {', '.join(self.tools) or 'none'}"
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError) as error:
            return f"the arguments are not JSON: {error}"
        if not isinstance(arguments, dict):
            return "the arguments are not a JSON object"
        return self.tools[call.name][1](arguments)

    def _read(self, reply: Reply) -> tuple[T | None, Sequence[str]]:
        if reply.stop == "length":
            return None, ["the answer was cut off at the limit of its length; answer more briefly"]
        try:
            value = self.kind.model_validate_json(json_of(reply.text))
        except ValidationError as error:
            return None, [
                f"{'.'.join(str(p) for p in e['loc']) or 'the answer'}: {e['msg']}"
                for e in error.errors(include_url=False)
            ]
        return value, self.check(value)


def json_of(text: str) -> str:
    """The JSON object in an answer: models that no server holds to the form wrap it in a fence or in words."""
    begin, end = text.find("{"), text.rfind("}")
    return text[begin : end + 1] if 0 <= begin < end else text


def _repair(faults: Sequence[str]) -> str:
    shown = "\n".join(f"- {f}" for f in faults[:MAX_ERRORS_SHOWN])
    return f"That answer cannot be used:\n{shown}\nGive the whole answer again, with these faults mended."
