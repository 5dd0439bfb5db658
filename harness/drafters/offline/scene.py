"""What the rules on roles look at: the marks of a text in a row, each with the part it plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.drafters.offline.lexicon import Kind, Mark
from harness.drafters.offline.words import Token

Role = Literal["event", "outcome"]
MOVES: dict[Kind, Literal["high", "low"]] = {
    "move_up": "high", "move_down": "low", "perform_up": "high", "perform_down": "low", "turn_up": "high",
    "turn_down": "low", "winners": "high", "losers": "low",
}  # fmt: skip
NOUNS: frozenset[Kind] = frozenset({"winners", "losers"})
OUTCOMES: frozenset[Kind] = frozenset(
    {*(k for k in MOVES if k not in NOUNS), "turn", "go_on", "works", "weak", "buy", "sell"}
    | {"relates_up", "relates_down"}
)


@dataclass(frozen=True)
class Part:
    """A mark with the role it plays; `negated` where a denial stands before it."""

    mark: Mark
    role: Role | None
    negated: bool = False


@dataclass(frozen=True)
class Scene:
    tokens: Sequence[Token]
    marks: Sequence[Mark]

    def near_after(self, index: int, kinds: frozenset[str], reach: int) -> bool:
        """Whether a mark of `kinds` begins within `reach` tokens after mark `index`, no other verb or stop between."""
        mark = self.marks[index]
        for other in self.marks[index + 1 :]:
            if other.start - mark.end > reach or self.stopped(mark.end, other.start):
                return False
            if other.kind in kinds:
                return True
            if other.kind in OUTCOMES or other.kind in ("when", "rel", "event", "will"):
                return False
        return False

    def near_before(self, index: int, kinds: frozenset[str], reach: int) -> bool:
        mark = self.marks[index]
        for other in reversed(self.marks[:index]):
            if mark.start - other.end > reach or self.stopped(other.end, mark.start):
                return False
            if other.kind in kinds:
                return True
            if other.kind in OUTCOMES or other.kind in ("rel", "event", "when"):
                return False
        return False

    def stopped(self, start: int, end: int) -> bool:
        return any(t.is_stop for t in self.tokens[start:end])

    def first_verb_since(self, index: int, opener: int) -> bool:
        """Whether mark `index` is the first that could be a verb or an event after mark `opener`, in one clause."""
        if self.stopped(self.marks[opener].end, self.marks[index].start):
            return False
        return not any(
            m.kind in OUTCOMES or m.kind in ("event", "effect", "winners", "losers")
            for m in self.marks[opener + 1 : index]
        )


AHEAD = frozenset({"ahead", "tomorrow", "soon"})
BACK = frozenset({"lookback", "lookback_word", "several"})
