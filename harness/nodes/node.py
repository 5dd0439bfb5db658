"""What a node is: a function of the state and the desk that gives an update, typed, holding only what it adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from pydantic import Field

from harness.cutoff import Around
from harness.desk import Desk
from harness.drafters.port import Candidate, Draft, Frozen, Question, Rejected, Spent
from harness.specification import Specification, SpecSource
from harness.state import Chosen, Critique, ResearchState, Screen, Status, Survey
from traces.events import ResearchRefused


class Update(Frozen):
    """Base of what a node gives. Only the fields that it sets are written to the state."""

    status: Status | None = None
    reason: str | None = None
    message: str | None = None
    notes: tuple[str, ...] = ()

    def changes(self) -> Mapping[str, object]:
        """Field to value, for those that were set."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Scanned(Update):
    """What there is to work with, and who drafts."""

    drafter: str = "offline"
    cutoff: date | None = None
    survey: Survey | None = None


class Specified(Update):
    """The claim as a document, or the question that is open."""

    specification: Specification | None = None
    question: Question | None = None
    sources: tuple[SpecSource, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)
    spent: dict[str, Spent] = Field(default_factory=dict)


class Drafted(Update):
    """The candidates of this round, and of all; or the question that no data can answer."""

    question: Question | None = None
    candidates: tuple[Candidate, ...] = ()
    newest: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skills: dict[str, str] = Field(default_factory=dict)
    spent: dict[str, Spent] = Field(default_factory=dict)


class Checked(Update):
    """Those that may be tested, and why the others may not."""

    passed: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    replication: str | None = None


class Screened(Update):
    """What was seen on discovery data."""

    screens: tuple[Screen, ...] = ()


class Criticised(Update):
    """The decision. `run_id` is fixed here, before the run begins, so that a resumed research knows its run again."""

    critique: Critique | None = None
    round: int = 1
    run_id: str | None = None


class Backtested(Update):
    """The full pipeline's account of the best."""

    chosen: Chosen | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    around: Around | None = None


class Submitted(Update):
    """The module on its branch."""

    chosen: Chosen | None = None


Node = Callable[[ResearchState, Desk], Update]


def specification(state: ResearchState) -> Specification:
    """The specification, which every node behind `specify` needs."""
    if state.specification is None:
        raise ValueError(f"research {state.research_id} reached a node that needs a specification without one")
    return state.specification


def refusal(state: ResearchState, desk: Desk, reason: str, message: str) -> Mapping[str, str]:
    """The fields of an update that ends the research, recorded."""
    desk.emit(ResearchRefused(research_id=state.research_id, reason=reason, message=message))
    desk.say("refused", message)
    return {"status": "refused", "reason": reason, "message": message}


def spending(state: ResearchState, node: str, draft: Draft) -> dict[str, Spent]:
    """What was spent, with that of `draft` added to its node."""
    return {**state.spent, node: state.spent.get(node, Spent()) + draft.spent}
