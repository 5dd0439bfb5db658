"""The port that every drafter fills: text in; a reading with candidates, a question, or a refusal out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Sign = Literal[-1, 1]
Outcome = Literal["up", "down", "continues", "reverts"]
Pole = Literal["high", "low", "bare"]


class Frozen(BaseModel):
    """Base of what passes between the nodes: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Frozen):
    """A gate on the claim: an event at one end, with the factor and window said in the text (None = the
    skill's); `negated`: where it does not hold."""

    event: str
    pole: Pole
    factor: float | None = None
    window_bars: int | None = None
    negated: bool = False
    phrase: str


class Reading(Frozen):
    """What was read. `sign` is that of the relation between the event's measure and the return to come;
    `moves`: the event is a price move, so a claim on it
    reverts or continues; `effect_of` the skill whose named effect ("momentum") the text used."""

    text: str
    event: str
    pole: Pole
    moves: bool
    outcome: Outcome | None
    sign: Sign
    horizon_bars: int | None = None
    skip_bars: int | None = None
    holding_bars: int | None = None
    threshold: float | None = None
    conditions: tuple[Condition, ...] = ()
    relative: Literal["peers", "own history"] | None = None
    effect_of: str | None = None
    phrases: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


class Question(Frozen):
    """The one thing that is missing, with answers offered."""

    question: str
    defaults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Refusal(Frozen):
    """Why a text cannot be researched at all, and what would help."""

    reason: Literal["not_a_hypothesis", "needs_other_data", "instructions", "too_long", "missing_field"]
    message: str


class Candidate(Frozen):
    """A signal to try: higher means expected to go up. `why` names the phrases and the skill behind it."""

    expr: str
    skill: str
    recipe: str
    why: tuple[str, ...]
    digest: str


class Rejected(Frozen):
    """A candidate that will not be tried, and why."""

    expr: str
    skill: str
    reason: str


class Draft(Frozen):
    """A drafter's answer: exactly one of a question, a refusal, or a reading with candidates."""

    reading: Reading | None = None
    question: Question | None = None
    refusal: Refusal | None = None
    candidates: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)


class Drafter(Protocol):
    """Deterministic for equal arguments, or on the tape."""

    @property
    def name(self) -> str:
        """The drafter's name in traces."""
        ...

    def draft(
        self, text: str, *, fields: frozenset[str], others: Sequence[tuple[str, frozenset[str]]], k: int, seed: int
    ) -> Draft:
        """Up to `k` candidates for `text` on data with `fields`; `others` are further data sets to point to."""
        ...
