"""A request in the Chat Completions form that most servers speak, and the reply that came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.llm.port import Message, ModelError, Reason, Reply, Request, ToolCall, Usage

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

_STOPS: dict[str, Literal["end", "tools", "length", "declined"]] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "declined",
}


def ask(client: OpenAI, model: str, request: Request) -> Reply:
    """One call. Raises what the SDK raises."""
    return _reply(model, request, client.chat.completions.create(**_arguments(model, request)))


def _arguments(model: str, request: Request) -> dict[str, Any]:  # the SDK's own keywords
    arguments: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": request.system}, *(_turn(m) for m in request.messages)],
        "max_tokens": request.max_output_tokens,
    }
    if request.temperature is not None:
        arguments["temperature"] = request.temperature
    if request.seed is not None:
        arguments["seed"] = request.seed
    if request.tools:
        arguments["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
            }
            for t in request.tools
        ]
    if request.answer is not None:
        arguments["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                "name": request.answer.name,
                "schema": dict(request.answer.json_schema),
                "strict": True,
            },
        }
    return arguments


def _turn(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        turn["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.calls
        ]
    return turn


def _reply(model: str, request: Request, completion: ChatCompletion) -> Reply:
    if not completion.choices:
        raise ModelError(Reason.MALFORMED, f"openai:{model}: the reply holds no choice; check the address")
    choice = completion.choices[0]
    calls = tuple(
        ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
        for call in choice.message.tool_calls or ()
        if call.type == "function"
    )
    stop = _STOPS.get(choice.finish_reason or "stop", "end")
    if choice.message.refusal:
        stop = "declined"
    return Reply(
        text=choice.message.content or "",
        calls=calls,
        stop="tools" if calls and stop == "end" else stop,  # some servers say stop where they call
        usage=_usage(request, choice.message.content or "", completion),
        model=completion.model,
    )


def _usage(request: Request, text: str, completion: ChatCompletion) -> Usage:
    """As counted; a server that counts nothing is taken at the most it can have been, one token a byte."""
    usage = completion.usage
    if usage is None:
        return Usage(input_tokens=len(request.model_dump_json().encode()), output_tokens=len(text.encode()))
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens or 0) if details is not None else 0
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=min(cached, usage.prompt_tokens),
    )
