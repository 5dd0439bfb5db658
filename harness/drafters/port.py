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
    """The one thing that is missing, with answers offered, the first of them the default.

    `rewordings`: for each answer the whole hypothesis that it makes, where the drafter can say it.
    """

    question: str
    defaults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    rewordings: tuple[str, ...] = ()


class Answered(Frozen):
    """A question that came up, and who answered what."""

    question: str
    answer: str
    by: Literal["researcher", "default"]


class Refusal(Frozen):
    """Why a text cannot be researched at all, and what would help."""

    reason: Literal["not_a_hypothesis", "needs_other_data", "instructions", "too_long", "missing_field"]
    message: str


class Because(Frozen):
    """What made a candidate: phrases of the text, skills (with what each gave), published sources by key."""

    phrases: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Candidate(Frozen):
    """A signal to try: higher means expected to go up. `why` says in sentences what `because` holds by kind."""

    expr: str
    skill: str
    recipe: str
    why: tuple[str, ...]
    digest: str
    because: Because = Because()


class Rejected(Frozen):
    """A candidate that will not be tried, and why."""

    expr: str
    skill: str
    reason: str


class Spent(Frozen):
    """What an answer cost outside this process, as the tape has it; the offline drafter spends nothing."""

    calls: int = Field(default=0, ge=0)
    tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0.0)
    seconds: float = Field(default=0.0, ge=0.0)

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            seconds=self.seconds + other.seconds,
        )


class Allowance(Frozen):
    """What a drafter may spend on one answer. At 0 it may use nothing of the kind."""

    calls: int = Field(default=20, ge=0, le=1_000)
    tokens: int = Field(default=200_000, ge=0, le=10_000_000)
    cost_usd: float = Field(default=1.0, ge=0.0, le=1_000.0)
    seconds: float = Field(default=120.0, ge=0.0, le=86_400.0)


class Revision(Frozen):
    """A further round: canonical digests that were tried, and what the critique said of them."""

    tried: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Draft(Frozen):
    """A drafter's answer: exactly one of a question, a refusal, or a reading (with candidates, where asked for).

    `mechanism`: why it should be so, in a sentence, where the drafter knows one. `stopped`: the limit that ended the
    work before it was done; what was ready by then is here.
    """

    reading: Reading | None = None
    question: Question | None = None
    refusal: Refusal | None = None
    candidates: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)
    mechanism: str | None = None
    spent: Spent = Spent()
    stopped: str | None = None


class Drafter(Protocol):
    """Deterministic for equal arguments, or on the tape."""

    @property
    def name(self) -> str:
        """The drafter's name in traces."""
        ...

    def specify(
        self, text: str, *, seed: int, answers: Sequence[Answered] = (), allowance: Allowance | None = None
    ) -> Draft:
        """What `text` claims, before any data are looked at: a reading, a question or a refusal; no candidates.

        `answers` are those given so far. A reading's `text` is the claim that they settle.
        """
        ...

    def draft(
        self,
        claim: str | Reading,
        *,
        fields: frozenset[str],
        others: Sequence[tuple[str, frozenset[str]]],
        k: int,
        seed: int,
        revision: Revision | None = None,
        allowance: Allowance | None = None,
    ) -> Draft:
        """Up to `k` candidates for `claim` on data with `fields`; `others` are further data sets to point to.

        A reading is final: a human may have edited it, and its text is not read again. With `revision` the candidates
        are new ones: none that was tried, in the light of the remarks.
        """
        ...
