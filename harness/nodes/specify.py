"""specify: the claim as a document; ask: the one thing that the text leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.desk import Desk
from harness.drafters.port import Answered, Draft, Question, Reading
from harness.literature.room import Looked
from harness.llm.port import ModelError, Reason
from harness.nodes.node import Specified, refusal, spending
from harness.specification import Specification, reading_of
from harness.specification import specify as specification_of
from harness.state import ResearchState
from traces.events import ResearchNeedsInput


def specify(state: ResearchState, desk: Desk) -> Specified:
    """Read the text, with the answers given so far, into a specification; or take the one that was given."""
    if state.given is not None:
        return _specified(state, desk, _stamped(state.given, desk), {})
    allowance = state.budget.left("specify", state.spent)
    desk.wait("specify", f"{state.drafter} reads the hypothesis")
    try:
        draft = desk.drafter.specify(state.text, seed=state.seed, answers=state.answers, allowance=allowance)
    except ModelError as error:
        if error.reason is not Reason.BUDGET:
            raise  # it may pass: the research stays where it is, and can be resumed
        return Specified(**refusal(state, desk, "budget", str(error)))
    spent = spending(state, "specify", draft)
    if draft.refusal is not None:
        return Specified(**refusal(state, desk, draft.refusal.reason, draft.refusal.message), spent=spent)
    question = draft.question or _another_claim(state, draft)
    if question is not None:
        desk.emit(ResearchNeedsInput(research_id=state.research_id, question=question.question, unread=question.unread))
        desk.say("specify", "a part is missing")
        return Specified(question=question, spent=spent)
    if draft.reading is None:
        return Specified(**refusal(state, desk, "budget", _stopped(draft)), spent=spent)
    looked = _look_up(state, desk, draft.reading)
    spec = specification_of(
        draft.reading,
        universe=state.data,
        drafter=state.drafter,
        skills=draft.skills,
        sources=looked.sources,
        answers=state.answers,
        mechanism=draft.mechanism,
        cutoff=state.cutoff,
    )
    done = _specified(state, desk, spec, draft.skills)
    notes = {"notes": (*state.notes, *looked.notes)} if looked.notes else {}
    return done.model_copy(update={"spent": spent, **notes})


def answered(question: Question, reply: Mapping[str, str], answers: tuple[Answered, ...]) -> tuple[Answered, ...]:
    """The answers, with the reply to an interrupt added."""
    by: Literal["researcher", "default"] = "default" if reply.get("by") == "default" else "researcher"
    return (*answers, Answered(question=question.question, answer=reply["answer"].strip()[:600], by=by))


def _another_claim(state: ResearchState, draft: Draft) -> Question | None:
    """A default may fill a gap; another claim in the place of the text is for the researcher to say."""
    taken = {a.answer for a in state.answers if a.by == "default"}
    if draft.reading is None or draft.reading.text not in taken:
        return None
    return Question(
        question=f"I cannot read the text, and '{draft.reading.text}' would be another claim. Say it in other words."
    )


def _specified(state: ResearchState, desk: Desk, spec: Specification, skills: Mapping[str, str]) -> Specified:
    reading = reading_of(spec)
    desk.say("specify", f"{reading.event}: {spec.direction}; {len(spec.sources)} published sources")
    done = Specified(specification=spec, question=None, sources=spec.sources, skills=dict(skills or spec.skills))
    return done.model_copy(update={"status": "specified"}) if state.spec_only else done


def _stamped(spec: Specification, desk: Desk) -> Specification:
    """A specification that was given, with the cut-off of whoever drafts from it where that is later."""
    later = desk.drafting.cutoff
    if later is None or (spec.cutoff is not None and spec.cutoff >= later):
        return spec
    return spec.model_copy(update={"drafter": desk.drafter.name, "cutoff": later})


def _look_up(state: ResearchState, desk: Desk, reading: Reading) -> Looked:
    if desk.room.outside:
        desk.wait("specify", f"{' and '.join(s.name for s in desk.room.outside)} look the claim up")
    return desk.room.look_up(reading)


def _stopped(draft: Draft) -> str:
    return f"the drafter stopped before it had read the hypothesis: {draft.stopped or 'no reason given'}"
