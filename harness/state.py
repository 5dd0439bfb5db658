"""What the nodes of the research graph pass on: plain, frozen, and small enough for a checkpoint."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.budget import Budget
from harness.cutoff import Around
from harness.drafters.port import (
    Allowance,
    Answered,
    Because,
    Candidate,
    Condition,
    Frozen,
    Question,
    Reading,
    Rejected,
    Spent,
)
from harness.specification import Expected, Falsifier, Specification, SpecSource

Status = Literal["drafted", "specified", "needs_input", "refused"]


class Survey(Frozen):
    """What there is to work with, before anything is claimed: the data, the skills, and what is known already."""

    data: str
    version: str
    symbols: int
    start: str
    end: str
    skills: int
    drafter: str
    earlier: tuple[str, ...] = ()


class Screen(Frozen):
    """A candidate on discovery data only. `t` and `p_value` (one-sided) by block means of the rank correlation."""

    expr: str
    ic: float | None
    t: float | None
    p_value: float | None
    long_short_year: float | None
    turnover: float | None
    coverage: float
    blocks: int

    @property
    def score(self) -> float:
        """What candidates are ordered by: t, or minus infinity where there is none."""
        return float("-inf") if self.t is None else self.t


class RemarkKind(StrEnum):
    """What a critique can find, in the order in which it is said."""

    NOTHING_PASSED = "nothing_passed"
    NOTHING_NEW = "nothing_new"
    TOO_SHORT = "too_short"
    SPEAKS_AGAINST = "speaks_against"
    FALSIFIED = "falsified"
    WEAK = "weak"
    SMALL = "small"
    DEAR = "dear"
    ALIKE = "alike"


class Remark(Frozen):
    """One finding of a critique, about one candidate or about all (`expr` None)."""

    kind: RemarkKind
    words: str
    expr: str | None = None


class Critique(Frozen):
    """What to make of a round: submit the best, draft another round, or stop."""

    decision: Literal["submit", "revise", "stop"]
    remarks: tuple[Remark, ...] = ()
    best: str | None = None
    round: int = 1


class Chosen(Frozen):
    """The candidate that was backtested, and where it was written; `branch` is None where git could not take it."""

    expr: str
    skill: str
    run_id: str
    run_digest: str
    module: str
    branch: str | None = None
    commit: str | None = None


class ResearchState(BaseModel):
    """The state of the graph. The first block is what was asked for; each node adds its own part below."""

    model_config = ConfigDict(extra="forbid")

    research_id: str
    text: str
    data: str
    version: str
    version_digest: str
    k: int
    seed: int
    budget: Budget = Budget()
    llm: str = "offline"
    code: str = ""
    spec_only: bool = False
    new_only: bool = False
    given: Specification | None = None
    literature: tuple[str, ...] = ()

    status: Status | None = None
    reason: str | None = None
    message: str | None = None
    drafter: str = "offline"
    cutoff: date | None = None
    question: Question | None = None
    answers: tuple[Answered, ...] = ()
    survey: Survey | None = None
    specification: Specification | None = None
    sources: tuple[SpecSource, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)
    round: int = 1
    candidates: tuple[Candidate, ...] = ()
    newest: tuple[Candidate, ...] = ()
    passed: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    replication: str | None = None
    screens: tuple[Screen, ...] = ()
    critique: Critique | None = None
    run_id: str | None = None
    chosen: Chosen | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    around: Around | None = None
    notes: tuple[str, ...] = ()
    spent: dict[str, Spent] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)

    @property
    def total(self) -> Spent:
        """By all nodes together."""
        return sum(self.spent.values(), Spent())


STORED: tuple[type, ...] = (
    Allowance, Answered, Around, Because, Budget, Candidate, Chosen, Condition, Critique, Expected, Falsifier, Question,
    Reading, Rejected, Remark, RemarkKind, Screen, SpecSource, Specification, Spent, Survey,
)  # fmt: skip
"""The only classes that a checkpoint may be rebuilt into."""
