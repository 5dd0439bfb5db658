"""What the nodes of the research graph pass on: plain, frozen, and small enough for a checkpoint."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.drafters.port import Candidate, Frozen, Reading, Rejected

Status = Literal["drafted", "needs_input", "refused"]


class Budget(Frozen):
    """Where research stops, with what it has by then."""

    candidates: int = Field(default=8, ge=1, le=40)
    seconds: float = Field(default=90.0, gt=0.0, le=3_600.0)


class SourceNote(Frozen):
    """A published finding shown beside the result; `agrees`: its sign is that of the reading."""

    key: str
    citation: str
    agrees: bool


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
    """The state of the graph. Nodes return only what they add."""

    model_config = ConfigDict(extra="forbid")

    research_id: str
    text: str
    data: str
    k: int
    seed: int
    status: Status | None = None
    question: str | None = None
    defaults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    reading: Reading | None = None
    sources: tuple[SourceNote, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    passed: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    screens: tuple[Screen, ...] = ()
    chosen: Chosen | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Offered(Frozen):
    """A candidate as reported: `why` in one sentence."""

    expr: str
    skill: str
    why: str


class ResearchResult(Frozen):
    """What research says in the end. `drafted` has a chosen candidate; the others say what is missing or why not."""

    research_id: str
    text: str
    data: str
    status: Status
    question: str | None = None
    defaults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    reading: Reading | None = None
    sources: tuple[SourceNote, ...] = ()
    candidates: tuple[Offered, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    screens: tuple[Screen, ...] = ()
    chosen: Chosen | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def result_of(state: ResearchState, seconds: float) -> ResearchResult:
    """The result that a finished state holds."""
    if state.status is None:
        raise ValueError(f"research {state.research_id} has not ended: no node set its status")
    return ResearchResult(
        candidates=tuple(Offered(expr=c.expr, skill=c.skill, why="; ".join(c.why)) for c in state.candidates),
        seconds=seconds,
        **{name: getattr(state, name) for name in ResearchResult.model_fields if name not in ("candidates", "seconds")},
    )
