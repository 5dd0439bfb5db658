"""Limits on what a model may spend, held before a call is made: no call starts whose worst case would break one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.llm.port import Model, ModelError, Reason, Reply, Request
from harness.llm.prices import Priced
from harness.llm.recorder import Call
from modules.canonical import canonical_json

TEMPLATE_TOKENS = 1_000
"""What a provider may add to a request of its own: the frame of turns and of tools."""


@dataclass(frozen=True)
class Limits:
    """The most of each; 0 of anything allows no call."""

    calls: int
    tokens: int
    cost_micro_usd: int
    seconds: float


@dataclass
class Spending:
    """What was spent so far, as recorded: a replay spends the same at every step."""

    calls: int = 0
    tokens: int = 0
    cost_micro_usd: int = 0
    seconds: float = 0.0

    def add(self, call: Call) -> None:
        """Count one call."""
        self.calls += 1
        self.tokens += call.tokens
        self.cost_micro_usd += call.cost_micro_usd
        self.seconds += call.seconds


class Asked(Model, Protocol):
    """A model whose calls come with what they took."""

    def ask(self, request: Request) -> Call:
        """The call."""
        ...


@dataclass(frozen=True)
class Capped:
    """A model that refuses a call which could break a limit. One a budget; `spent` may go on over several."""

    model: Asked
    price: Priced
    limits: Limits
    spent: Spending = field(default_factory=Spending)

    @property
    def name(self) -> str:
        """The model's own name."""
        return self.model.name

    def complete(self, request: Request) -> Reply:
        """The reply. Raises ModelError with reason `budget` before a call that could cost too much."""
        self._allow(request)
        call = self.model.ask(request)
        self.spent.add(call)
        return call.reply

    def _allow(self, request: Request) -> None:
        # A token is at least a byte of text, so bytes bound tokens whatever the tokenizer.
        at_most = len(canonical_json(request.model_dump(mode="json")).encode()) + TEMPLATE_TOKENS
        worst = self.price.worst(at_most, request.max_output_tokens)
        spent, limits = self.spent, self.limits
        over = [
            (spent.calls + 1 > limits.calls, f"calls: {spent.calls} of {limits.calls} are made"),
            (
                # Tokens are counted as used; the worst case of input would make any small limit useless.
                spent.tokens + request.max_output_tokens > limits.tokens,
                f"tokens: {spent.tokens} of {limits.tokens} are used, and this call may write"
                f" {request.max_output_tokens}",
            ),
            (
                spent.cost_micro_usd + worst > limits.cost_micro_usd,
                f"cost_usd: {spent.cost_micro_usd / 1e6:.4f} of {limits.cost_micro_usd / 1e6:g} is spent, and this call"
                f" may cost {worst / 1e6:.4f}",
            ),
            (spent.seconds >= limits.seconds, f"seconds: {spent.seconds:.1f} of {limits.seconds:g} are used"),
        ]
        broken = next((words for is_over, words in over if is_over), None)
        if broken is not None:
            raise ModelError(Reason.BUDGET, f"{self.name}: {request.label} was not asked; {broken}; raise the limit")
