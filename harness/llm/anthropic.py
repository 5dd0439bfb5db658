"""Anthropic's Messages, by its own SDK, streamed (a long answer over one silent connection is cut by what lies
between)."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from harness.llm import wire
from harness.llm.port import Message, ModelError, Reason, Reply, Request, ToolCall, Usage
from harness.llm.schemas import without

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message as AnthropicMessage

BASE_URL = "https://api.anthropic.com"
_STOPS: dict[str, Literal["end", "tools", "length", "declined"]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "declined",
}
REFUSED = frozenset(
    {"pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "format", "default"}
)
"""Keywords of a schema to which it answers 400."""


class AnthropicModel:
    """Fills the port. Its models take neither temperature nor seed (they answer 400), so neither is sent."""

    def __init__(
        self, model: str, key: str, *, base_url: str | None = None, deadline_s: float = wire.DEADLINE_S
    ) -> None:
        self.model = model
        self.base_url = base_url or BASE_URL
        self._key = key
        self._deadline_s = deadline_s

    @property
    def name(self) -> str:
        """`anthropic:model`."""
        return f"anthropic:{self.model}"

    @cached_property
    def _client(self) -> Anthropic:
        from anthropic import Anthropic  # takes 2.6 s

        return Anthropic(
            api_key=self._key, base_url=self.base_url, max_retries=0, http_client=wire.client(self._deadline_s)
        )

    def complete(self, request: Request) -> Reply:
        """See `Model.complete`. One attempt."""
        with wire.port_errors(self.name, self._key):
            with self._client.messages.stream(**_arguments(self.model, request)) as stream:
                message = stream.get_final_message()
            return _reply(self.name, message)


def _arguments(model: str, request: Request) -> dict[str, Any]:  # the SDK's own keywords
    arguments: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_output_tokens,
        # The system text is the long part that all calls of a research share: cached, it costs a tenth.
        "system": [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}],
        "messages": _turns(request.messages),
    }
    if request.tools:
        arguments["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": dict(t.parameters)} for t in request.tools
        ]
    if request.answer is not None:
        schema = without(request.answer.json_schema, REFUSED)
        arguments["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return arguments


def _turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Tool results are blocks of a user's turn, and all results of one turn stand in one."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            block = {"type": "tool_result", "tool_use_id": message.call_id, "content": message.text}
            if turns and turns[-1].get("results"):
                turns[-1]["content"].append(block)
            else:
                turns.append({"role": "user", "content": [block], "results": True})
        else:
            turns.append({"role": message.role, "content": _content(message)})
    return [{"role": t["role"], "content": t["content"]} for t in turns]


def _content(message: Message) -> Any:
    if message.role == "user":
        return message.text
    if isinstance(message.raw, list):  # thinking is signed and must come back as it was
        return message.raw
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text else []
    calls = [{"type": "tool_use", "id": c.id, "name": c.name, "input": _object(c.arguments)} for c in message.calls]
    return blocks + calls


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _reply(name: str, message: AnthropicMessage) -> Reply:
    if message.stop_reason is None:
        raise ModelError(Reason.CONNECTION, f"{name}: the reply broke off before its end; try again")
    usage = message.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return Reply(
        text="".join(block.text for block in message.content if block.type == "text"),
        calls=tuple(
            ToolCall(id=block.id, name=block.name, arguments=json.dumps(block.input, sort_keys=True))
            for block in message.content
            if block.type == "tool_use"
        ),
        stop=_STOPS.get(message.stop_reason, "end"),
        usage=Usage(
            input_tokens=usage.input_tokens + cached + written,  # theirs counts only what no cache took part in
            output_tokens=usage.output_tokens,
            cached_input_tokens=cached,
            cache_write_tokens=written,
        ),
        model=message.model,
        raw=cast(Any, [_block(block) for block in message.content]),
    )


def _block(block: Any) -> dict[str, Any]:
    """A block as it came; `parsed_output` is the SDK's own addition, which the server would refuse."""
    return {k: v for k, v in block.to_dict(mode="json").items() if k != "parsed_output"}
