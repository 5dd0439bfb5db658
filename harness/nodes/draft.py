"""draft: candidates that the data allow; in a further round, others than those that were tried."""

from __future__ import annotations

from harness.desk import BUNDLED_FIELDS, Desk
from harness.drafters.port import Revision
from harness.nodes.node import Drafted, refusal, specification, spending
from harness.specification import reading_of
from harness.state import ResearchState
from traces.events import CandidateChecked, CandidateDrafted, ResearchNeedsInput


def draft(state: ResearchState, desk: Desk) -> Drafted:
    """Up to `k` new candidates for the specification."""
    spec = specification(state)
    desk.wait("draft", f"{state.drafter} drafts up to {state.k} candidates")
    drafted = desk.drafter.draft(
        reading_of(spec),
        fields=frozenset(desk.bars.fields),
        others=[(name, has) for name, has in BUNDLED_FIELDS if name != state.data],
        k=state.k,
        seed=state.seed,
        revision=_revision(state),
        allowance=state.budget.left("draft", state.spent),
    )
    tried = {c.digest for c in state.candidates}
    newest = tuple(c for c in drafted.candidates if c.digest not in tried)[: state.k]
    for c in newest:
        desk.emit(CandidateDrafted(research_id=state.research_id, expr=c.expr, skill=c.skill, why="; ".join(c.why)))
    known = {(r.expr, r.reason) for r in state.rejected}
    rejected = tuple(r for r in drafted.rejected if (r.expr, r.reason) not in known)
    for r in rejected:
        desk.emit(CandidateChecked(research_id=state.research_id, expr=r.expr, passed=False, reason=r.reason))
    done = Drafted(
        candidates=(*state.candidates, *newest),
        newest=newest,
        rejected=(*state.rejected, *rejected),
        skills={**state.skills, **drafted.skills},
        spent=spending(state, "draft", drafted),
        notes=(*state.notes, *([f"drafting stopped early: {drafted.stopped}"] if drafted.stopped else [])),
    )
    ended: dict[str, object] = {}
    if drafted.refusal is not None and not state.candidates:
        ended = dict(refusal(state, desk, drafted.refusal.reason, drafted.refusal.message))
    elif drafted.question is not None and not state.candidates:
        question = drafted.question
        desk.emit(ResearchNeedsInput(research_id=state.research_id, question=question.question, unread=question.unread))
        # Nothing waits for this answer: what was specified has no candidates, so it must be specified in other words.
        ended = {"status": "needs_input", "question": question}
    desk.say("draft", f"{len(newest)} candidates" + (f" in round {state.round}" if state.round > 1 else ""))
    return done.model_copy(update=ended)


def _revision(state: ResearchState) -> Revision | None:
    if state.round == 1:
        return None
    remarks = state.critique.remarks if state.critique else ()
    said = [f"{r.expr}: {r.words}" if r.expr else r.words for r in remarks]
    said += [f"{r.expr}: {r.reason}" for r in state.rejected[-10:]]
    return Revision(tried=tuple(c.digest for c in state.candidates), remarks=tuple(dict.fromkeys(said)))
