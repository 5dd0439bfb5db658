"""What research says in the end."""

from __future__ import annotations

from pydantic import Field

from harness.cutoff import Around
from harness.drafters.port import Answered, Because, Frozen, Reading, Rejected, Spent
from harness.specification import Specification, SpecSource, reading_of
from harness.state import Chosen, Critique, ResearchState, Screen, Status


class Offered(Frozen):
    """A candidate as reported: `why` in one sentence, `because` by kind."""

    expr: str
    skill: str
    why: str
    because: Because


class ResearchResult(Frozen):
    """`drafted` has a chosen candidate, `specified` a specification; the others say what is missing or why not.

    `replication`: all that was tested is known, and this is the nearest. `defaulted`: questions that were answered by
    their default, because nobody was asked.
    """

    research_id: str
    text: str
    data: str
    status: Status
    drafter: str = "offline"
    question: str | None = None
    defaults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    answers: tuple[Answered, ...] = ()
    specification: Specification | None = None
    reading: Reading | None = None
    sources: tuple[SpecSource, ...] = ()
    candidates: tuple[Offered, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    replication: str | None = None
    screens: tuple[Screen, ...] = ()
    critique: Critique | None = None
    chosen: Chosen | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    around: Around | None = None
    notes: tuple[str, ...] = ()
    rounds: int = 1
    spent: dict[str, Spent] = Field(default_factory=dict)
    node_seconds: dict[str, float] = Field(default_factory=dict)
    resumable: bool = False
    seconds: float = 0.0

    @property
    def defaulted(self) -> tuple[Answered, ...]:
        """What nobody was asked."""
        return tuple(a for a in self.answers if a.by == "default")

    @property
    def total(self) -> Spent:
        """By all nodes together."""
        return sum(self.spent.values(), Spent())


_SAME = (
    "research_id", "text", "data", "drafter", "reason", "message", "answers", "specification", "sources", "rejected",
    "replication",
    "screens", "critique", "chosen", "metrics", "around", "notes", "spent",
)  # fmt: skip


def result_of(state: ResearchState, seconds: float) -> ResearchResult:
    """The result that a state holds: finished, or waiting for an answer."""
    waits = state.status is None and state.question is not None
    if state.status is None and not waits:
        raise ValueError(f"research {state.research_id} has not ended: no node set its status")
    question = state.question if waits or state.status == "needs_input" else None
    return ResearchResult(
        status=state.status or "needs_input",
        resumable=waits,
        question=question.question if question else None,
        defaults=question.defaults if question else (),
        unread=question.unread if question else (),
        reading=reading_of(state.specification) if state.specification else None,
        candidates=tuple(
            Offered(expr=c.expr, skill=c.skill, why="; ".join(c.why), because=c.because) for c in state.candidates
        ),
        rounds=state.round,
        node_seconds=state.seconds,
        seconds=seconds,
        **{name: getattr(state, name) for name in _SAME},
    )
