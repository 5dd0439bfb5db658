"""A model in memory that says what it was given to say: the port without a network, for whoever builds on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.llm.port import ModelError, Reason, Reply, Request, Usage


@dataclass
class Scripted:
    """Answers each request by `script`, a function of the request, or by a list in order. Keeps what it was asked."""

    script: Callable[[Request], Reply | ModelError] | list[Reply | ModelError]
    name: str = "scripted:model"
    asked: list[Request] = field(default_factory=list)

    def complete(self, request: Request) -> Reply:
        """The next reply, or the error in its place. Raises ModelError where the list has ended."""
        self.asked.append(request)
        if callable(self.script):
            said = self.script(request)
        elif len(self.asked) <= len(self.script):
            said = self.script[len(self.asked) - 1]
        else:
            said = ModelError(Reason.BAD_REQUEST, f"{self.name}: asked {len(self.asked)} times; the script has ended")
        if isinstance(said, ModelError):
            raise said
        return said


def says(text: str, *, input_tokens: int = 10, output_tokens: int = 5) -> Reply:
    """A whole answer in words."""
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return Reply(text=text, stop="end", usage=usage, model="scripted")
