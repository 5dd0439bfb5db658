"""What a researcher sees while the graph works: which node, what it waits for, what it found, what it cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from harness.drafters.port import Frozen, Spent

State = Literal["begins", "waits", "finds", "ends"]


class Step(Frozen):
    """One change. `words`: what a node waits for, or what it found; `spent`: by the whole research so far."""

    node: str
    state: State
    words: str = ""
    seconds: float = 0.0
    spent: Spent = Spent()


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """A progress that shows nothing."""


def cost_words(spent: Spent) -> str:
    """`3 calls, 12,400 tokens, $0.02`; empty where nothing was spent."""
    if spent.calls == 0:
        return ""
    calls = f"{spent.calls} call{'' if spent.calls == 1 else 's'}"
    return f"{calls}, {spent.tokens:,} tokens, ${spent.cost_usd:.2f}"
