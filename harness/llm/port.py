"""The port that every language model fills: a request in, a reply out, and errors that say what to do.

A request holds all that the answer may depend on, and nothing else: no key, no address, no clock, no id of a run. So
equal requests have equal digests, and a tape is a function from request to reply. Who wants another answer to
the same words gives the request another `label` ("draft/2") or `seed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

MAX_OUTPUT_TOKENS = 32_000
MAX_REQUEST_BYTES = 1 << 20


class Frozen(BaseModel):
    """Base of what crosses the port: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Tool(Frozen):
    """Something the model may ask for; `parameters` is the JSON schema (an object) of its arguments."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str
    parameters: Mapping[str, JsonValue]


class ToolCall(Frozen):
    """The model asks for a tool. `arguments` is JSON as the model wrote it, perhaps not valid: the caller checks."""

    id: str
    name: str
    arguments: str


class Message(Frozen):
    """One turn. An assistant's turn may hold tool calls; a `tool` turn answers the call named by `call_id`.

    `raw` is an assistant's turn in its provider's own form (`Reply.raw`), which goes back to it unchanged.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    raw: JsonValue = None

    @model_validator(mode="after")
    def _fits_its_role(self) -> Message:
        if self.calls and self.role != "assistant":
            raise ValueError(f"calls: a {self.role} turn has {len(self.calls)}; only an assistant's turn calls tools")
        if (self.call_id is not None) != (self.role == "tool"):
            raise ValueError(f"call_id: {self.call_id!r} on a {self.role} turn; tool turns have one, others have none")
        return self


class Answer(Frozen):
    """The form that the answer must have: a JSON schema with a name. Providers enforce what they can of it."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    json_schema: Mapping[str, JsonValue]


class Request(Frozen):
    """One question to a model. `label` says what it is for and tells repeated questions apart.

    `temperature` and `seed` are passed on where the provider takes them. With `answer` the text that ends the
    exchange is JSON of that form, as far as the provider can enforce it: the caller checks.
    """

    label: str = Field(min_length=1, max_length=80)
    system: str
    messages: tuple[Message, ...] = Field(min_length=1)
    tools: tuple[Tool, ...] = ()
    answer: Answer | None = None
    max_output_tokens: int = Field(default=4_000, ge=1, le=MAX_OUTPUT_TOKENS)
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    seed: int | None = Field(default=None, ge=0, lt=1 << 31)


class Usage(Frozen):
    """Tokens as the provider counted them. `cached_input_tokens` were read from its cache (cheaper) and
    `cache_write_tokens` written to it (dearer); both are part of `input_tokens`."""

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cached_input_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)


class Reply(Frozen):
    """What came back. `stop`: the answer is whole, tools are asked for, the limit cut it off, or it was declined.

    `model` is the model that answered by its own name, which may be more exact than the one asked for.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Literal["end", "tools", "length", "declined"]
    usage: Usage
    model: str
    raw: JsonValue = None

    def as_message(self) -> Message:
        """This reply as a turn of the conversation that goes on."""
        return Message(role="assistant", text=self.text, calls=self.calls, raw=self.raw)


class Model(Protocol):
    """A language model. `name` is `provider:model`, as in `anthropic:claude-opus-5-5`; it goes on the tape."""

    @property
    def name(self) -> str:
        """`provider:model`."""
        ...

    def complete(self, request: Request) -> Reply:
        """The model's reply. Raises ModelError, with a reason; never hangs beyond its own deadline."""
        ...


class Reason(StrEnum):
    """Why there is no reply. The first four may pass by themselves; a provider retries them, within its deadline."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    NO_KEY = "no_key"
    DENIED = "denied"
    UNKNOWN_MODEL = "unknown_model"
    BAD_REQUEST = "bad_request"
    MALFORMED = "malformed"
    BUDGET = "budget"
    UNKNOWN_PRICE = "unknown_price"
    NOT_ON_TAPE = "not_on_tape"


PASSING = frozenset({Reason.RATE_LIMITED, Reason.OVERLOADED, Reason.CONNECTION, Reason.TIMEOUT})


class ModelError(Exception):
    """No reply: who was asked, why, and the remedy. `wait_s` is what the provider asked to wait, where it did."""

    def __init__(self, reason: Reason, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.wait_s = wait_s
