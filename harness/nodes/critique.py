"""critique: submit the best, draft another round, or stop."""

from __future__ import annotations

from harness.critique import criticise
from harness.desk import Desk
from harness.nodes.node import Criticised, refusal, specification
from harness.state import Critique, ResearchState
from modules.pipeline import new_run_id


def critique(state: ResearchState, desk: Desk) -> Criticised:
    """The decision after this round; the run's id where it is to submit."""
    found = criticise(
        specification(state),
        [c for c in state.passed if any(s.expr == c.expr for s in state.screens)],
        state.screens,
        round_=state.round,
        rounds=state.budget.rounds,
        offered=len(state.newest),
        cost_of_turnover=desk.cost_of_turnover,
        bars_per_year=desk.bars_per_year,
    )
    words = tuple(r.words for r in found.remarks)
    desk.say("critique", found.decision + (f": {words[0]}" if words else ""))
    notes = tuple(dict.fromkeys((*state.notes, *words)))
    if found.decision == "revise":
        return Criticised(critique=found, round=state.round + 1, notes=state.notes)
    if found.decision == "submit":
        return Criticised(critique=found, notes=notes, run_id=new_run_id())
    return Criticised(critique=found, notes=state.notes, **refusal(state, desk, "no_candidate", _why(state, found)))


def _why(state: ResearchState, found: Critique) -> str:
    reasons = "; ".join(dict.fromkeys(f"{r.expr}: {r.reason}" for r in state.rejected))
    if reasons:
        return f"every candidate was refused: {reasons}"
    return "; ".join(r.words for r in found.remarks)
