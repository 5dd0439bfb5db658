"""OpenAI's models by Responses, and every server that speaks its older Chat Completions, by the one SDK.

Its current models call tools in Responses alone; Ollama, vLLM, llama.cpp and others all speak Chat Completions. So
`openai:MODEL` uses the first and `openai:MODEL@BASE_URL` the second.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from harness.llm import openai_chat, openai_responses, wire
from harness.llm.port import Reply, Request

if TYPE_CHECKING:
    from openai import OpenAI

BASE_URL = "https://api.openai.com/v1"
Dialect = Literal["responses", "chat"]


class OpenAIModel:
    """Fills the port, in either dialect."""

    def __init__(
        self,
        model: str,
        key: str,
        *,
        base_url: str | None = None,
        dialect: Dialect | None = None,
        deadline_s: float = wire.DEADLINE_S,
    ) -> None:
        self.model = model
        self.base_url = base_url or BASE_URL
        self.dialect: Dialect = dialect or ("responses" if base_url is None else "chat")
        self._key = key
        self._deadline_s = deadline_s

    @property
    def name(self) -> str:
        """`openai:model`."""
        return f"openai:{self.model}"

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI  # takes 2 s

        return OpenAI(
            api_key=self._key, base_url=self.base_url, max_retries=0, http_client=wire.client(self._deadline_s)
        )

    def complete(self, request: Request) -> Reply:
        """See `Model.complete`. One attempt."""
        ask = openai_responses.ask if self.dialect == "responses" else openai_chat.ask
        with wire.port_errors(self.name, self._key):
            return ask(self._client, self.model, request)
