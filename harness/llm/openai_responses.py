"""A request in OpenAI's Responses form, streamed, and the reply that came of it. Nothing is stored over there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from harness.llm.port import Message, ModelError, Reason, Reply, Request, ToolCall, Usage
from harness.llm.schemas import without

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.responses import Response

REFUSED = frozenset({"minLength", "maxLength", "default"})
"""Keywords of a schema that its strict form does not take."""


def ask(client: OpenAI, model: str, request: Request) -> Reply:
    """One call. Raises what the SDK raises."""
    final: Response | None = None
    with client.responses.create(**_arguments(model, request), stream=True) as stream:
        for event in stream:
            if event.type in ("response.completed", "response.incomplete", "response.failed"):
                final = cast("Response", event.response)
    if final is None:
        raise ModelError(Reason.CONNECTION, f"openai:{model}: the reply broke off before its end; try again")
    return _reply(model, final)


def _arguments(model: str, request: Request) -> dict[str, Any]:  # the SDK's own keywords
    arguments: dict[str, Any] = {
        "model": model,
        "instructions": request.system,
        "input": [item for message in request.messages for item in _items(message)],
        "max_output_tokens": request.max_output_tokens,
        "store": False,
        "include": ["reasoning.encrypted_content"],  # so that its reasoning can go back with a tool's answer
    }
    if request.tools:
        arguments["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
                "strict": True,
            }
            for tool in request.tools
        ]
    if request.answer is not None:
        arguments["text"] = {
            "format": {
                "type": "json_schema",
                "name": request.answer.name,
                "schema": without(request.answer.json_schema, REFUSED),
                "strict": True,
            }
        }
    return arguments


def _items(message: Message) -> list[Any]:
    if message.role == "tool":
        return [{"type": "function_call_output", "call_id": message.call_id, "output": message.text}]
    if isinstance(message.raw, list):
        return message.raw
    items: list[Any] = [{"role": message.role, "content": message.text}] if message.text else []
    calls = [
        {"type": "function_call", "call_id": c.id, "name": c.name, "arguments": c.arguments} for c in message.calls
    ]
    return items + calls


def _reply(model: str, response: Response) -> Reply:
    if response.status == "failed":
        said = response.error.message if response.error else "no reason given"
        raise ModelError(Reason.OVERLOADED, f"openai:{model}: failed: {said[:300]}; try again later")
    calls = tuple(
        ToolCall(id=item.call_id, name=item.name, arguments=item.arguments)
        for item in response.output
        if item.type == "function_call"
    )
    refused = any(part.type == "refusal" for item in response.output if item.type == "message" for part in item.content)
    stop: Literal["end", "tools", "length", "declined"] = "tools" if calls else "end"
    if response.status == "incomplete":
        why = response.incomplete_details.reason if response.incomplete_details else None
        stop = "declined" if why == "content_filter" else "length"
    usage = response.usage
    if usage is None:
        raise ModelError(Reason.MALFORMED, f"openai:{model}: the reply does not say what it used")
    return Reply(
        text=response.output_text,
        calls=calls,
        stop="declined" if refused else stop,
        usage=Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.input_tokens_details.cached_tokens if usage.input_tokens_details else 0,
        ),
        model=response.model,
        raw=cast(Any, [item.to_dict(mode="json") for item in response.output]),
    )
